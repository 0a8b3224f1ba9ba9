"""Files that are either complete or not there."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Other users may read the results.
_MODE = 0o644


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that has no name until it is complete, and gets its own when all went well.

    SageMaker uploads what lies in the folder of results while the job runs, so half a file must never lie there.

    Parameters
    ----------
    path
        The file to be; folders are made, an older file is replaced.

    Yields
    ------
    The file, open for writing and reading; nothing is left of it when the block fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name that does not grow with the file's own, which may be as long as the file system allows.
    temporary = path.parent / f".{zlib.crc32(os.fsencode(path.name)):08x}.part"
    file = _open_nameless(path.parent)
    is_nameless = file is not None
    try:
        with file or temporary.open("w+b") as opened:
            yield opened
            opened.flush()
            if is_nameless:
                temporary.unlink(missing_ok=True)
                # Only with a folder does Python follow the link in /proc; the folder counts for relative paths only.
                descriptor = opened.fileno()
                os.link(f"/proc/self/fd/{descriptor}", temporary, src_dir_fd=descriptor, follow_symlinks=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a small file atomically."""
    with new_file(path) as file:
        file.write(content)


def _open_nameless(folder: Path) -> BinaryIO | None:
    """Open a file without a name in the file system of a folder; None where the system has no such files."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, _MODE), "w+b")
    except OSError:
        return None
