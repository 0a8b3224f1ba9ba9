"""Files that are either complete or not there."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Write a file under another name, and give it its own when all went well.

    Parameters
    ----------
    path
        The file to be; folders are made, an older file is replaced.

    Yields
    ------
    Path to write to, beside the file to be; removed when the block fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name that does not grow with the file's own, which may be as long as the file system allows.
    temporary = path.parent / f".{zlib.crc32(os.fsencode(path.name)):08x}.part"
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a small file atomically."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)
