"""Work of a document's process that does what a hostile document might make a parser do."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handlers.batch.budget import Budget
from handlers.batch.errors import DocumentError
from handlers.batch.isolation.document import Session, Task, serve
from handlers.batch.isolation.messages import Counted, Translate, Translated

SECRET = "a-secret-of-the-program"
MEGABYTE = 1_000_000


class Deed(Task, frozen=True, kw_only=True):
    """What to do."""

    deed: str
    argument: str = ""


def load() -> None:
    """Prepare nothing."""


def work(connection: socket.socket, files: list[int]) -> None:
    """Do a deed."""

    def do(session: Session, task: Deed, budget: Budget) -> object:
        doer = Doer(session, connection, task, files)
        try:
            return getattr(doer, task.deed)(task.argument)
        except OSError as error:
            if error.errno == 27:  # a file that is too large, which the program has words for
                raise
            return error.errno
        except ValueError:
            return "ValueError"

    serve(connection, Deed, do)


class Doer:
    """Deeds by their names; each gives what it has got, or the number of the error."""

    def __init__(self, session: Session, connection: socket.socket, task: Deed, files: list[int]) -> None:
        self.session = session
        self.connection = connection
        self.task = task
        self.files = files

    def translate(self, text: str) -> str:
        self.session.send(Counted(len(text), True))
        self.session._channel.receive()
        self.session.send(Translate([text], "en"))
        return self.session.receive(Translated).texts[0]

    def count(self, number: str) -> str:
        self.session.send(Counted(int(number), True))
        return type(self.session._channel.receive()).__name__

    def estimate(self, number: str) -> str:
        self.session.send(Counted(int(number), False))
        return type(self.session._channel.receive()).__name__

    def take_room(self, name: str) -> str:
        self.session.guard(Budget(60)).await_room()
        return self.translate(name)

    def connect(self, _: str) -> None:
        socket.create_connection(("127.0.0.1", 9), timeout=1)

    def connect_unix(self, _: str) -> None:
        socket.socketpair()

    def run_program(self, _: str) -> None:
        subprocess.run(["/bin/true"], check=False)

    def fork(self, _: str) -> None:
        if os.fork() == 0:
            os._exit(0)

    def write_file(self, folder: str) -> None:
        Path(folder, "new").write_text("evil")

    def append_to_document(self, _: str) -> None:
        with Path(self.task.path).open("a") as file:
            file.write("evil")

    def remove_document(self, _: str) -> None:
        Path(self.task.path).unlink()

    def kill(self, _: str) -> None:
        os.kill(os.getppid(), 0)

    def raise_limits(self, _: str) -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))

    def look_around(self, _: str) -> tuple[list[str], list[str]]:
        folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
        return list(os.environ), [path.name for path in folder.iterdir()]

    def find_in_memory(self, reversed_text: str) -> bool:
        """Look for a text in all that this process could have from the program."""
        text = reversed_text[::-1].encode()
        if not Path("/proc/self/environ").exists():
            return False
        return text in Path("/proc/self/environ").read_bytes()

    def read_parent_environment(self, _: str) -> int:
        warden = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[1])
        program = int(Path(f"/proc/{warden}/stat").read_text().rpartition(")")[2].split()[1])
        Path(f"/proc/{warden}/mem").open("rb").close()
        return len(Path(f"/proc/{program}/environ").read_bytes())

    def take_memory(self, megabytes: str) -> int:
        held = [b"x" * MEGABYTE for _ in range(int(megabytes))]
        return len(held)

    def hold_memory(self, megabytes: str) -> int:
        held = []
        for _ in range(int(megabytes)):
            held.append(b"x" * MEGABYTE)
            time.sleep(0.005)
        time.sleep(1)
        return len(held)

    def map_memory(self, megabytes: str) -> int:
        held = mmap.mmap(-1, int(megabytes) * MEGABYTE)
        for place in range(0, len(held), 4096):
            held[place] = 1
        return len(held)

    def sleep(self, _: str) -> None:
        time.sleep(60)

    def calculate(self, _: str) -> None:
        while True:
            pass

    def translate_and_sleep(self, _: str) -> None:
        self.translate("words")
        time.sleep(60)

    def write_much(self, megabytes: str) -> int:
        with os.fdopen(self.files[0], "r+b") as file:
            for _ in range(int(megabytes)):
                file.write(b"x" * MEGABYTE)
        return int(megabytes)

    def segfault(self, _: str) -> None:
        ctypes.string_at(0)

    def abort(self, _: str) -> None:
        os.abort()

    def exit(self, _: str) -> None:
        os._exit(3)

    def fail(self, _: str) -> None:
        raise KeyError("of this program")

    def refuse(self, _: str) -> None:
        raise DocumentError("It is not good.")

    def lie(self, _: str) -> None:
        self._send(b"\xc1 no message")

    def send_too_much(self, _: str) -> None:
        self.connection.sendall(struct.pack("!I", 2**31))
        time.sleep(20)

    def send_without_consent(self, _: str) -> None:
        self.session.send(Translate(["words"], "en"))
        time.sleep(20)

    def recurse(self, _: str) -> None:
        sys.setrecursionlimit(10**9)

        def recurse(inner: Callable[..., Any]) -> Any:
            return sorted([1], key=lambda _: recurse(inner))

        recurse(recurse)

    def _send(self, content: bytes) -> None:
        self.connection.sendall(struct.pack("!I", len(content)) + content)
        signal.pause()
