"""The Pulumi command-line tool: found on the path, or built from the Go module proxy and kept outside the project.

`python -m tests.engine.pulumi_cli` prints its path, and builds it first where that is necessary.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "3.274.1"
FOLDER_VARIABLE = "CLOUD_NLP_PULUMI"
_GO_AT_LEAST = (1, 25)
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
# The Automation API refuses a tool without a version.
_VERSION_SYMBOL = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_MODULE = "module pulumi-cli\n\ngo 1.25\n"
_PROGRESS_SECONDS = 15
_BUILD_SECONDS = 45 * 60

Say = Callable[[str], None]


class NoPulumiError(Exception):
    """There is no Pulumi command-line tool, and it cannot be built; the message says why."""


def say(message: str) -> None:
    """Show progress to whoever waits, also where pytest captures what is printed."""
    print(f"[pulumi] {message}", file=sys.__stderr__, flush=True)


def build_folder() -> Path:
    """Folder of the tool that is built here: `CLOUD_NLP_PULUMI`, or one in the user's cache."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "cloud-nlp" / f"pulumi-{VERSION}"


def pulumi_cli(report: Say = say) -> Path:
    """Find the tool, or build it: about four minutes on two processors, once for a version.

    Raises
    ------
    NoPulumiError
        It is not on the path, and Go is missing, too old or fails.
    """
    found = shutil.which("pulumi")
    if found:
        return Path(found)
    folder = build_folder()
    built = folder / "pulumi"
    if built.exists():
        return built
    _require_go()
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one_process(folder / "lock", report):
        if not built.exists():  # another process may have built it meanwhile
            _build(folder, report)
    return built


def _require_go() -> None:
    go = shutil.which("go")
    if not go:
        raise NoPulumiError("Neither `pulumi` nor `go` is on the path")
    printed = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout.strip()
    version = re.match(r"go(\d+)\.(\d+)", printed)
    if not version or tuple(int(part) for part in version.groups()) < _GO_AT_LEAST:
        needed = ".".join(str(part) for part in _GO_AT_LEAST)
        raise NoPulumiError(f"`pulumi` is not on the path, and building it takes Go {needed} or newer, not {printed}")


@contextmanager
def _only_one_process(lock: Path, report: Say) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another process is building the tool, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # the lock ends with the process, too


def _build(folder: Path, report: Say) -> None:
    (folder / "go.mod").write_text(_MODULE)
    (folder / "go.sum").unlink(missing_ok=True)
    unfinished = folder / "pulumi.unfinished"
    flags = f"-X {_VERSION_SYMBOL}=v{VERSION}"
    _run("downloading modules", ["go", "get", f"{_PACKAGE}@v{VERSION}"], folder, report)
    _run("compiling", ["go", "build", "-ldflags", flags, "-o", str(unfinished), _PACKAGE], folder, report)
    unfinished.replace(folder / "pulumi")
    report(f"built {folder / 'pulumi'}")


def _run(step: str, command: list[str], folder: Path, report: Say) -> None:
    """Run a step of the build, and say every few seconds that it goes on."""
    started = time.monotonic()
    log = folder / "build.log"
    report(f"version {VERSION}: {step} (log: {log})")
    with log.open("w") as output, subprocess.Popen(command, cwd=folder, stdout=output, stderr=output) as process:
        while True:
            try:
                process.wait(_PROGRESS_SECONDS)
                break
            except subprocess.TimeoutExpired:
                seconds = time.monotonic() - started
                if seconds > _BUILD_SECONDS:
                    process.kill()
                    raise NoPulumiError(f"{step}: not done after {_BUILD_SECONDS // 60} minutes; see {log}") from None
                report(f"{step}: {seconds:.0f} s")
    if process.returncode:
        reason = log.read_text().strip().splitlines()[-1:] or ["no reason given"]
        raise NoPulumiError(f"{step} failed: {reason[0]}; see {log}")


if __name__ == "__main__":
    try:
        print(pulumi_cli())
    except NoPulumiError as error:
        sys.exit(str(error))
