"""The program of a processing job's instance: one process, its environment, its log."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.sagemaker.files import CONTAINER_ROOT

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"

# Exit code by which shells and container engines say that there is no such program.
_NOT_FOUND = 127
_LOG_INTERVAL_S = 0.3
_LOG_BATCH = 1_000
# CloudWatch Logs takes events of up to 256 KiB, of which it counts 26 bytes for itself.
_LOG_EVENT_CHARACTERS = 60_000
_LOG_END_WAIT_S = 2.0
_INHERITED = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")


class Program:
    """One process of a job. It belongs to the embedded AWS's process group, so it cannot outlive it.

    Parameters
    ----------
    root
        The instance's folder; stands for ``/opt/ml`` in the command.
    command
        Entrypoint and arguments.
    environment
        Variables of the job; added to the few that every program gets.
    log
        Takes the lines of its standard output and standard error.
    """

    def __init__(self, root: Path, command: Sequence[str], environment: Mapping[str, str], log: LogStream) -> None:
        self._command = [_rewritten(argument, root) for argument in command]
        self._environment = _base_environment(root) | dict(environment)
        self._root = root
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._not_started = False
        self._family: list[int] = []

    def start(self) -> None:
        """Start the process; a program that does not exist counts as one that ended with exit code 127."""
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what the job's creator asks for
                self._command,
                cwd=self._root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            self._not_started = True
            self._log.write(f"{self._command[0]}: {error.strerror}")
            self._log.end()
            return
        threading.Thread(target=self._read_output, args=(self._process.stdout,), daemon=True).start()

    def exit_code(self) -> int | None:
        """Return the exit code, None while the process runs; as a container's where a signal ended it (128 + n)."""
        if self._not_started:
            return _NOT_FOUND
        code = self._process.poll() if self._process else None
        return 128 - code if code is not None and code < 0 else code

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process and self._process.poll() is None:
            self._family = _descendants(self._process.pid)
            self._process.terminate()

    def kill(self) -> None:
        """End the process and all that it started; in a container they could not live on without it either."""
        if self._process is None:
            return
        running = self._process.poll() is None
        family = {*self._family, *(_descendants(self._process.pid) if running else ())}
        for pid in [self._process.pid, *family] if running else family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def _read_output(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._log.write(line.decode(errors="replace").rstrip("\r\n"))
        self._log.end()


class LogStream:
    """A log stream of CloudWatch Logs, written in the background with the permissions of the job's role.

    As with SageMaker, a role without permissions for logs means a job without a log.

    Parameters
    ----------
    logs
        Client of CloudWatch Logs.
    name
        Name of the stream.
    """

    def __init__(self, logs: Any, name: str) -> None:
        self._logs = logs
        self._name = name
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._writer = threading.Thread(target=self._write_all, daemon=True)
        self._writer.start()

    def write(self, line: str) -> None:
        """Add a line; empty ones are left out, as CloudWatch Logs takes none."""
        if line:
            self._lines.put({"timestamp": int(time.time() * 1000), "message": line[:_LOG_EVENT_CHARACTERS]})

    def end(self) -> None:
        """Say that no more lines will come."""
        self._lines.put(None)

    def wait(self) -> None:
        """Wait until all lines are written, but not for long: a child of the program may hold its output open."""
        self._writer.join(_LOG_END_WAIT_S)

    def _write_all(self) -> None:
        with contextlib.suppress(ClientError, BotoCoreError):
            self._create()
            ended = False
            while not ended:
                batch, ended = self._next_batch()
                if batch:
                    self._logs.put_log_events(logGroupName=LOG_GROUP, logStreamName=self._name, logEvents=batch)

    def _create(self) -> None:
        with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_group(logGroupName=LOG_GROUP)
        self._logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=self._name)

    def _next_batch(self) -> tuple[list[dict[str, Any]], bool]:
        batch: list[dict[str, Any]] = []
        deadline = time.monotonic() + _LOG_INTERVAL_S
        while len(batch) < _LOG_BATCH:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                return batch, False
            if line is None:
                return batch, True
            batch.append(line)
        return batch, False


def _base_environment(root: Path) -> dict[str, str]:
    # The project's Python first, as the image's Python has the image's libraries.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    temporary = root / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        "PATH": path,
        "HOME": str(root),
        "TMPDIR": str(temporary),
        "PROCESSING_ROOT": str(root / "processing"),  # where the program does not find /opt/ml/processing
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _rewritten(argument: str, root: Path) -> str:
    container_root = str(CONTAINER_ROOT)
    if argument == container_root or argument.startswith(f"{container_root}/"):
        return str(root) + argument[len(container_root) :]
    return argument


def _descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, directly or not."""
    parents = _parents()
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def _parents() -> dict[int, int]:
    """Return the parent of every process: from /proc where it exists, as small containers have no ps."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)  # noqa: S607
        return {int(child): int(parent) for child, parent in map(str.split, listed.stdout.splitlines())}
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended in the meantime
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return parents
