"""Parts of lists."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def chunks(items: list[T], size: int) -> list[list[T]]:
    """Cut a list into lists of at most `size` items."""
    return [items[start : start + size] for start in range(0, len(items), size)]
