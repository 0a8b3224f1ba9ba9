"""Choose the files to upload: named files, and files below named folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli.ui.text import spoken_size
from schema.limits import UPLOAD_BYTES
from schema.names import CONTENT_TYPES, normalise_file_name

ENDINGS = tuple(CONTENT_TYPES)


@dataclass(frozen=True)
class DocumentFile:
    """A file that can be uploaded.

    Attributes
    ----------
    path : Path
        Where it is.
    size : int
        Its bytes.
    """

    path: Path
    size: int


@dataclass
class Selection:
    """What was found.

    Attributes
    ----------
    files : list of DocumentFile
        What can be uploaded.
    refused : dict of Path to str
        What was named and cannot be, with the reason.
    skipped : list of Path
        Files of other types in the folders.
    """

    files: list[DocumentFile] = field(default_factory=list)
    refused: dict[Path, str] = field(default_factory=dict)
    skipped: list[Path] = field(default_factory=list)


def select(paths: Iterable[Path]) -> Selection:
    """Choose files, each once.

    Parameters
    ----------
    paths : iterable of Path
        Files, and folders, whose files are taken at any depth. Hidden ones in folders are left alone.
    """
    selection = Selection()
    seen: set[Path] = set()
    for path in paths:
        in_folder = path.is_dir()
        for one in sorted(_files_below(path)) if in_folder else [path]:
            if in_folder and one.suffix.lower() not in ENDINGS:
                selection.skipped.append(one)
                continue
            real = one.resolve()
            if real not in seen:
                seen.add(real)
                _add(selection, one)
    return selection


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent) / name for name in names if not name.startswith("."))


def _add(selection: Selection, path: Path) -> None:
    if path.suffix.lower() not in ENDINGS:
        selection.refused[path] = f"its type is not known: a document ends in {', '.join(ENDINGS)}"
        return
    try:
        normalise_file_name(path.name)
    except ValueError as error:
        selection.refused[path] = f"rename the file, and upload it then: {error}"
        return
    try:
        if not path.is_file():
            missing = "there is no such file" if not path.exists() else "it is not a file"
            selection.refused[path] = missing
            return
        size = path.stat().st_size
    except OSError as error:
        selection.refused[path] = f"it cannot be read: {error.strerror}"
        return
    if size == 0:
        selection.refused[path] = "it is empty"
    elif size > UPLOAD_BYTES:
        selection.refused[path] = (
            f"it has {size:,} bytes, and a document has at most {UPLOAD_BYTES:,} ({spoken_size(UPLOAD_BYTES)})"
        )
    else:
        selection.files.append(DocumentFile(path, size))
