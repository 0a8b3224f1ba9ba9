"""Code bundles: the files of a handler, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

ROOT = Path(__file__).resolve().parents[3]


def code_bundle(folder: str, root: Path = ROOT, further: Sequence[str] = ()) -> pulumi.AssetArchive:
    """Bundle the Python files of a handlers' folder with those all handlers share.

    The list is explicit and sorted, so that an unchanged project makes an unchanged archive.

    Parameters
    ----------
    folder
        Folder of the handler, such as `handlers/sentiment`; `handlers/common` and `schema` come along.
    root
        The project's folder.
    further
        Folders that its code imports from.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no Python file in it.
    """
    files = [root / "handlers" / "__init__.py"]
    for part in (folder, *further, "handlers/common", "schema"):
        found = sorted((root / part).glob("*.py"))
        if not found:
            raise FileNotFoundError(f"No Python files in {part}: a handler is given as 'handlers/<folder>/<file>.py'")
        files += found
    names = {path.relative_to(root).as_posix(): path for path in files}
    if folder == "handlers/api":
        names["openapi.json"] = root / "docs" / "openapi.json"
    return pulumi.AssetArchive({name: pulumi.FileAsset(str(names[name])) for name in sorted(names)})
