"""Counting what is frequent in a stream, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


class FrequentCounter:
    """Counts of the most frequent entries.

    When there are twice as many entries as `capacity`, the rarer half is forgotten: what is frequent stays, what is
    rare may be counted too low. Texts of ordinary length are counted exactly.

    Parameters
    ----------
    capacity
        Entries that are surely kept.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, entries: Iterable[str]) -> None:
        """Count each entry once."""
        self._counts.update(entries)
        self._forget()

    def add_weight(self, entry: str, weight: int) -> None:
        """Count one entry with a weight."""
        self._counts[entry] += weight
        self._forget()

    def top(self, number: int) -> list[tuple[str, int]]:
        """Give the most frequent entries with their counts; those with the same count by their text."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:number]

    def _forget(self) -> None:
        if len(self._counts) > 2 * self._capacity:
            self._counts = Counter(dict(self.top(self._capacity)))
