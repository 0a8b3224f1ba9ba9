"""Entry point of the container: finds the program and its dependencies, then runs it.

Needs the standard library only. Beside this program's folder `handlers` it expects, all optional: `wheels/` with wheels
or zip files of packages, which are unpacked because native modules cannot be imported from an archive, and `packages/`
with packages as they are.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from pathlib import Path


def program_folder(script: Path) -> Path:
    """Folder that holds the package `handlers`: that of the script, or one above it."""
    for folder in script.parents:
        if (folder / "handlers" / "batch" / "main.py").is_file():
            return folder
    raise SystemExit(f"{script.name}: there is no handlers/batch/main.py beside it or above it")


def unpack(archives: list[Path], folder: Path) -> None:
    """Unpack wheels into one folder."""
    for archive in archives:
        try:
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
        except zipfile.BadZipFile as error:
            raise SystemExit(f"{archive.name} is not a wheel: {error}") from error


def main() -> None:
    """Run the batch program."""
    script = Path(__file__).resolve()
    program = program_folder(script)
    # The script's own folder holds modules with the names of others, such as `job`.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != script.parent]
    archives = sorted(path for path in (program / "wheels").glob("*") if path.suffix in (".whl", ".zip"))
    with tempfile.TemporaryDirectory(prefix="packages-") as unpacked:
        unpack(archives, Path(unpacked))
        sys.path[:0] = [str(program), *([unpacked] if archives else []), str(program / "packages")]
        from handlers.batch.main import main as run_job

        code = run_job()
        sys.stdout.flush()
        sys.stderr.flush()
    # Threads that still wait for an answer of a request must not keep the instance running.
    os._exit(code)


if __name__ == "__main__":
    main()
