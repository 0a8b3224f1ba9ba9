"""Zip archives from strangers: looked at before anything of them is unpacked."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from handlers.batch.errors import DocumentError

_MAX_ENTRIES = 10_000
_ENCRYPTED_FLAG = 0x1
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# How Microsoft's container file names what is inside an encrypted document.
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_DIRECTORY_BYTES = 1_000_000
_DRIVE = re.compile("[A-Za-z]:")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHOWN_CHARACTERS = 100
# What zipfile raises for an entry that is damaged, encrypted, or compressed in a way it does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)


def open_archive(path: Path, max_expanded: int) -> zipfile.ZipFile:
    """Open an archive whose declared contents are within limits.

    Python reads no more of an entry than it declares, and fails when there is more or less; so limits of what is
    declared are limits of what is read.

    Raises
    ------
    DocumentError
        It is encrypted, corrupt, or too large when unpacked, or a file in it has a name that is not safe.
    """
    _check_container(path)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise DocumentError("It is corrupt: the file is not a complete Word document.") from error
    try:
        _check_entries(archive.infolist(), max_expanded)
    except DocumentError:
        archive.close()
        raise
    return archive


def read_entry(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Read an entry.

    Raises
    ------
    DocumentError
        It is missing, corrupt, or has more than `limit` bytes.
    """
    try:
        with archive.open(name) as entry:
            content = entry.read(limit + 1)
    except KeyError as error:
        raise DocumentError(f"It is corrupt: {name} is missing.") from error
    except UNREADABLE as error:
        raise DocumentError(f"It is corrupt: {name} cannot be unpacked.") from error
    if len(content) > limit:
        raise DocumentError(f"It is too large: {name} has more than {limit} bytes when unpacked.")
    return content


def _check_container(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(_DIRECTORY_BYTES)
        if not start.startswith(_OLE_MAGIC):
            return
        file.seek(max(path.stat().st_size - _DIRECTORY_BYTES, 0))
        if _ENCRYPTED_PACKAGE in start or _ENCRYPTED_PACKAGE in file.read():
            raise DocumentError("It is encrypted. Remove its password and upload it again.")
        raise DocumentError("It is in the old .doc format. Save it as .docx and upload it again.")


def _check_entries(entries: list[zipfile.ZipInfo], max_expanded: int) -> None:
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise DocumentError("It is encrypted. Remove its password and upload it again.")
    total = sum(entry.file_size for entry in entries)
    if len(entries) > _MAX_ENTRIES or total > max_expanded:
        raise DocumentError(
            f"It is too large when unpacked: {len(entries)} files with {total} bytes;"
            f" at most {_MAX_ENTRIES} files with {max_expanded} bytes are allowed."
        )
    if len({entry.filename for entry in entries}) != len(entries):
        raise DocumentError("It is corrupt: a file is in it twice.")
    for entry in entries:
        if _leads_out(entry.filename):
            raise DocumentError(f"It is not safe: it holds a file named {_shown(entry.filename)}.")


def _leads_out(name: str) -> bool:
    """Tell whether a file of this name could be unpacked outside of the folder that it is unpacked into."""
    path = name.replace("\\", "/")
    is_absolute = path.startswith("/") or bool(_DRIVE.match(path))
    return is_absolute or ".." in path.split("/") or bool(_CONTROLS.search(path))


def _shown(name: str) -> str:
    """Write a name so that it can be shown; long ones are cut."""
    return ascii(name[:_SHOWN_CHARACTERS])
