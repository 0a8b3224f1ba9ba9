"""Memory of the machine, and how much of it one document may take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_MEGABYTE = 1_000_000
# Limits of a container, in both versions of control groups: https://docs.kernel.org/admin-guide/cgroup-v2.html
_CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# What the program itself needs, with its libraries, the model's or the analyses' memory, and the system.
_RESERVED_BYTES = 700 * _MEGABYTE
_RESERVED_SHARE = 0.25
# A document that takes more is refused even where there is more: no good one does.
_MOST_BYTES = 2000 * _MEGABYTE
_LEAST_BYTES = 200 * _MEGABYTE


class Memory(NamedTuple):
    """Memory for documents, in bytes.

    Attributes
    ----------
    together
        For all documents that are at work.
    each
        For one of them.
    """

    together: int
    each: int


def memory_for_documents(total: int | None = None) -> Memory:
    """Divide the memory of the machine.

    Parameters
    ----------
    total
        Bytes that there are; absent: what the container or the machine has.
    """
    there_is = total or total_bytes()
    together = max(there_is - max(_RESERVED_BYTES, int(there_is * _RESERVED_SHARE)), _LEAST_BYTES)
    # Half: one document that takes all it can leaves room for the others.
    return Memory(together, max(min(together // 2, _MOST_BYTES), _LEAST_BYTES))


def total_bytes() -> int:
    """Return the memory of the container, or of the machine where it has no limit of its own."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [int(text) for path in _CONTAINER if (text := _read(path)).isdigit()]
    return min([machine, *limits])


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
