"""Entry point of the container: finds the program and its dependencies, then runs it.

Needs the standard library only. Beside it lies `program.zip`, the program; in the folder `wheels` beside its folder lie
its packages, where the interpreter lacks them. All are unpacked, because native modules cannot be imported from an
archive. Without an archive, as on a developer's machine, the program in a folder above this file is run.
"""

from __future__ import annotations

import os
import pwd
import sys
import tempfile
import zipfile
from pathlib import Path

ARCHIVE = "program.zip"
WHEELS = "wheels"
# User of the project's own image (images/batch/Dockerfile); SageMaker's images have none for jobs.
USER = "batch"


def find_program(script: Path, unpacked: Path) -> Path:
    """Folder that holds the package `handlers`: the one that was unpacked, that of the script, or one above it."""
    for folder in (unpacked, *script.parents):
        if (folder / "handlers" / "batch" / "main.py").is_file():
            return folder
    raise SystemExit(f"{script.name}: there is no {ARCHIVE} beside it, and no handlers/batch/main.py above it")


def unpack(archives: list[Path], folder: Path) -> None:
    """Unpack archives into one folder."""
    for archive in archives:
        try:
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
        except zipfile.BadZipFile as error:
            raise SystemExit(f"{archive.name} cannot be unpacked: {error}") from error


def give_up_root(root: Path, user: str = USER) -> bool:
    """Go on as a user without rights where the image has one.

    SageMaker mounts the folders of results as root's. They are given to the user first.

    Parameters
    ----------
    root
        Folder of the channels.
    user
        Name of the user.

    Returns
    -------
    Whether the process has become that user.
    """
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return False
    if os.geteuid() != 0:
        return False
    for folder in (root / "output", root.parent / "output"):
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, account.pw_uid, account.pw_gid)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    return True


def main() -> None:
    """Run the batch program."""
    give_up_root(Path(os.environ.get("PROCESSING_ROOT", "/opt/ml/processing")))
    script = Path(__file__).resolve()
    # The script's own folder holds modules with the names of others, such as `job`.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != script.parent]
    archives = [script.parent / ARCHIVE, *(script.parents[1] / WHEELS).glob("*.whl")]
    with tempfile.TemporaryDirectory(prefix="program-") as unpacked:
        unpack(sorted(path for path in archives if path.is_file()), Path(unpacked))
        sys.path[:0] = list(dict.fromkeys([str(find_program(script, Path(unpacked))), unpacked]))
        from handlers.batch.main import main as run_job

        code = run_job()
        sys.stdout.flush()
        sys.stderr.flush()
    # Threads that still wait for an answer of a request must not keep the instance running.
    os._exit(code)


if __name__ == "__main__":
    main()
