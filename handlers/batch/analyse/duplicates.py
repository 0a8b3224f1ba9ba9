"""Near-duplicates among documents: MinHash signatures, compared only where a band of them is the same.

Source of the method: Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy

# Words of a shingle.
_SHINGLE = 5
# Numbers of a signature.
SIGNATURE_LENGTH = 128
# 32 bands of 4: documents that share 60 % of their shingles meet in a band with a probability of 99 %.
_BANDS = 32
# Share of shingles in common from which documents are near-duplicates.
THRESHOLD = 0.8
# Documents of a band that a new one is compared with, so that a thousand copies are not a million comparisons.
_COMPARED = 4
_BLOCK = 4096
_SEED = 20240229
_EMPTY = 2**32 - 1


@cache
def _hash_functions() -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Give factors and offsets of the signature's hashes, and the weights of the words of a shingle."""
    import numpy

    random = numpy.random.default_rng(_SEED)
    factors = random.integers(1, 2**63, SIGNATURE_LENGTH, dtype=numpy.uint64) * 2 + 1
    offsets = random.integers(0, 2**63, SIGNATURE_LENGTH, dtype=numpy.uint64)
    return factors, offsets, random.integers(1, 2**63, _SHINGLE, dtype=numpy.uint64) * 2 + 1


class Signature:
    """MinHash signature of a document that is read piece by piece."""

    def __init__(self) -> None:
        import numpy

        self._factors, self._offsets, self._weights = _hash_functions()
        self._minima = numpy.full(SIGNATURE_LENGTH, _EMPTY, dtype=numpy.uint32)
        self._tail: list[int] = []
        self._has_shingles = False

    def add(self, words: Sequence[str]) -> None:
        """Take the document's next words."""
        import numpy

        hashes = [*self._tail, *(zlib.crc32(word.encode()) for word in words)]
        self._tail = hashes[-(_SHINGLE - 1) :]
        if len(hashes) >= _SHINGLE:
            self._has_shingles = True
            self._take(numpy.array(hashes, dtype=numpy.uint64))

    def values(self) -> list[int]:
        """Give the signature; nothing for a document without words."""
        import numpy

        if not self._has_shingles and self._tail:
            missing = [0] * (_SHINGLE - len(self._tail))
            self._take(numpy.array([*self._tail, *missing], dtype=numpy.uint64))
            self._has_shingles = True
        return self._minima.tolist() if self._has_shingles else []

    def _take(self, hashes: numpy.ndarray) -> None:
        import numpy

        count = len(hashes) - _SHINGLE + 1
        shingles = numpy.zeros(count, dtype=numpy.uint64)
        for place in range(_SHINGLE):  # unsigned numbers run over, which is what a hash wants
            shingles += hashes[place : place + count] * self._weights[place]
        shingles ^= shingles >> numpy.uint64(29)
        for start in range(0, count, _BLOCK):
            block = shingles[start : start + _BLOCK, None] * self._factors
            block += self._offsets
            # The smallest number has the smallest upper half.
            smallest = (block.min(axis=0) >> numpy.uint64(32)).astype(numpy.uint32)
            self._minima = numpy.minimum(self._minima, smallest)


class Duplicate(msgspec.Struct, frozen=True):
    """A document that is nearly another.

    Attributes
    ----------
    similarity
        Estimated share of shingles that it has in common with the first document of its group, from 0 to 1.
    """

    name: str
    similarity: float


class DuplicateGroup(msgspec.Struct, frozen=True):
    """Documents that are nearly the same, by name."""

    first: str
    others: list[Duplicate]


def find_duplicates(signatures: Sequence[tuple[str, list[int]]]) -> list[DuplicateGroup]:
    """Find groups of near-duplicates.

    Parameters
    ----------
    signatures
        Name and signature of each document.

    Returns
    -------
    The groups, ordered by the name of their first document.
    """
    import numpy

    ordered = sorted((name, values) for name, values in signatures if values)
    known = [(name, numpy.array(values, dtype=numpy.uint32)) for name, values in ordered]
    leaders = list(range(len(known)))
    bands: dict[tuple[int, bytes], list[int]] = {}
    for number, (_, signature) in enumerate(known):
        compared: set[int] = set()
        for band in range(_BANDS):
            rows = SIGNATURE_LENGTH // _BANDS
            bucket = bands.setdefault((band, signature[band * rows : (band + 1) * rows].tobytes()), [])
            for other in bucket:
                if other not in compared:
                    compared.add(other)
                    if _similarity(signature, known[other][1]) >= THRESHOLD:
                        _join(leaders, number, other)
            if len(bucket) < _COMPARED:
                bucket.append(number)
    groups: dict[int, list[int]] = {}
    for number in range(len(known)):
        groups.setdefault(_leader(leaders, number), []).append(number)
    return [_group(known, members) for _, members in sorted(groups.items()) if len(members) > 1]


def _group(known: Sequence[tuple[str, numpy.ndarray]], members: list[int]) -> DuplicateGroup:
    first, signature = known[members[0]]
    others = [Duplicate(known[member][0], round(_similarity(signature, known[member][1]), 3)) for member in members[1:]]
    return DuplicateGroup(first, others)


def _similarity(left: numpy.ndarray, right: numpy.ndarray) -> float:
    return float((left == right).mean())


def _leader(leaders: list[int], number: int) -> int:
    while leaders[number] != number:
        leaders[number] = leaders[leaders[number]]
        number = leaders[number]
    return number


def _join(leaders: list[int], left: int, right: int) -> None:
    first, second = sorted((_leader(leaders, left), _leader(leaders, right)))
    leaders[second] = first
