"""Processes of documents, as the program sees them: started through the warden, each one for one document."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import msgspec

from handlers.batch.errors import BROKEN_RULES, DocumentError, internal_error
from handlers.batch.isolation import control, warden
from handlers.batch.isolation.channel import Channel, ChannelError
from handlers.batch.isolation.control import End, Ended, Prolong, Start
from handlers.batch.isolation.machine import Memory
from handlers.batch.isolation.messages import Answer, Broken, FromDocument
from handlers.batch.memory import note_document_peak
from handlers.common.logs import logger

_MEGABYTE = 1_000_000
# Longest wait for the warden to say how a process has ended that has closed its connection.
_END_SECONDS = 10
_WARDENS = 20
# Variables that a Python process may need. None of AWS, and none with which a library could find its credentials.
_INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TMPDIR", "TZ")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# Files that a document's process writes are at most so long: the larger of a number of bytes, and a factor of its own.
_FILE_BYTES = 100 * _MEGABYTE
_FILE_FACTOR = 8
STOPPED = "The job was stopped before it was done."
_CRASHED = internal_error("the program that reads documents crashed")


class Process:
    """The process of one document.

    Parameters
    ----------
    number
        Its number among the warden's processes.
    connection
        To the process.
    seconds
        Its time limit, for messages.
    warden
        The warden that has started it.

    Attributes
    ----------
    ended
        How it has ended; None while that is not known.
    """

    def __init__(self, number: int, connection: socket.socket, seconds: float, warden: _Connection) -> None:
        self.ended: Ended | None = None
        self._number = number
        self._seconds = seconds
        self._warden = warden
        self._channel: Channel[FromDocument] = Channel(connection, FromDocument)
        self._has_ended = threading.Event()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        if not self._has_ended.is_set():
            self._warden.order(End(self._number))

    def send(self, message: Answer | msgspec.Struct) -> None:
        """Send the task, or an answer; a process that has ended is found when the next message is awaited."""
        with contextlib.suppress(OSError):
            self._channel.send(message)

    def receive(self) -> FromDocument:
        """Wait for a message.

        Raises
        ------
        DocumentError
            The process has ended, or has sent what it may not send.
        """
        try:
            message = self._channel.receive()
        except (ChannelError, OSError) as error:
            logger.error("a document's process broke the protocol", extra={"error": str(error)})
            raise DocumentError(BROKEN_RULES) from error
        if message is None:
            self._has_ended.wait(_END_SECONDS)
            raise DocumentError(self._reason())
        if isinstance(message, Broken):
            logger.error("document failed unexpectedly", extra={"error": message.error, "trace": message.trace})
            raise DocumentError(internal_error(message.error))
        return message

    def prolong(self, seconds: float) -> None:
        """Let it run longer."""
        self._warden.order(Prolong(self._number, seconds))

    def note_end(self, ended: Ended | None) -> None:
        """Take note of how it has ended; None where nobody can tell."""
        self.ended = ended
        self._has_ended.set()

    def _reason(self) -> str:
        """Say why it has ended, in words for the user."""
        ended = self.ended
        if ended is None and not self._warden.is_closed:
            return _CRASHED
        if ended is None or ended.why == "order":
            return STOPPED
        if ended.why == "memory":
            return f"It takes more than {ended.detail} MB of memory."
        if ended.why == "time":
            return f"It takes longer than the time limit of {self._seconds:g} seconds."
        if ended.why == "signal" and ended.detail == signal.SIGKILL:
            return "It takes more memory than there is."
        how = _signal_name(ended.detail) if ended.why == "signal" else f"exit code {ended.detail}"
        return f"It could not be processed: the program that reads it crashed ({how})."


class Processes:
    """Starts processes of documents.

    Parameters
    ----------
    module
        Module whose function `work` does the work of a document; its function `load` is called once before.
    memory
        Memory for documents.

    """

    def __init__(self, module: ModuleType, memory: Memory) -> None:
        self._module = module.__name__
        self._memory = memory
        self._lock = threading.Lock()
        self._is_stopped = False
        self._wardens = 0
        # At once, so that it is ready when the first document is.
        self._warden = self._start_warden()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all processes, and start no more."""
        with self._lock:
            self._is_stopped = True
            self._warden.close()

    def start(self, document: Path, seconds: float, files: tuple[int, ...] = ()) -> Process:
        """Start the process of a document.

        Parameters
        ----------
        document
            Its file.
        seconds
            Its time limit.
        files
            Descriptors of the files that it writes.

        Raises
        ------
        DocumentError
            The job is being stopped.
        """
        limits = Start(0, seconds, self._memory.each, max(_FILE_BYTES, _FILE_FACTOR * document.stat().st_size))
        ours, theirs = socket.socketpair()
        try:
            while True:
                process = self._find_warden().start(ours, limits, (theirs.fileno(), *files))
                if process:
                    return process
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    def _find_warden(self) -> _Connection:
        with self._lock:
            if self._is_stopped:
                raise DocumentError(STOPPED)
            if self._warden.is_gone:
                self._warden.close()
                self._warden = self._start_warden()
            return self._warden

    def _start_warden(self) -> _Connection:
        self._wardens += 1
        if self._wardens > _WARDENS:
            raise DocumentError(_CRASHED)
        return _Connection(self._module, self._memory.together)


class _Connection:
    """A warden and the connection to it."""

    def __init__(self, module: str, together_bytes: int) -> None:
        self.is_gone = self.is_closed = False
        self._numbers = itertools.count(1)
        self._processes: dict[int, Process] = {}
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            command = [
                sys.executable,
                "-I",
                "-B",
                "-c",
                _SCRIPT.format(path=sys.path, warden=warden.__name__, module=module),
            ]
            self._warden = subprocess.Popen(  # noqa: S603 - this program's own code
                [*command, str(theirs.fileno()), str(together_bytes)],
                env=_environment(os.environ),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._reader = threading.Thread(target=self._read, daemon=True, name="warden")
        self._reader.start()

    def start(self, connection: socket.socket, limits: Start, files: tuple[int, ...]) -> Process | None:
        """Start a process; None when the warden is gone."""
        number = next(self._numbers)
        process = Process(number, connection, limits.seconds, self)
        with self._lock:
            self._processes[number] = process
            try:
                control.send(self._control, msgspec.structs.replace(limits, number=number), files)
            except OSError:
                del self._processes[number]
                self.is_gone = True
                return None
        return process

    def order(self, order: End | Prolong) -> None:
        """Send an order; a warden that is gone has no process left."""
        with self._lock, contextlib.suppress(OSError):
            control.send(self._control, order)

    def close(self) -> None:
        """Let the warden end all processes and itself."""
        self.is_closed = True
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._warden.wait()
        self._reader.join(_END_SECONDS)
        with self._lock:
            self.is_gone = True
            self._control.close()

    def _read(self) -> None:
        decoder = msgspec.msgpack.Decoder(Ended)
        with contextlib.suppress(OSError):
            while received := control.receive(self._control, decoder):
                ended = received[0]
                assert isinstance(ended, Ended)  # noqa: S101 - the decoder says so
                note_document_peak(ended.peak_kilobytes)
                with self._lock:
                    process = self._processes.pop(ended.number, None)
                if process:
                    process.note_end(ended)
        with self._lock:
            self.is_gone = True
            left = list(self._processes.values())
            self._processes.clear()
        for process in left:
            process.note_end(None)


_SCRIPT = """
import sys
sys.path[:] = {path!r}
from {warden} import main
from {module} import load, work
load()
main(work)
"""


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Choose the variables of the warden and so of the documents' processes."""
    return {name: variables[name] for name in _INHERITED if name in variables} | _ONE_THREAD


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
