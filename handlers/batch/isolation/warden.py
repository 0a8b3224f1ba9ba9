"""The warden: a small process that starts one process per document, watches it, and says how it ended.

It is started before the program has anything to do with AWS, and with an environment that holds nothing of it. So a
process that it forks has neither credentials nor connections, in its variables as in its memory. It has one thread,
which makes forking safe, and has loaded all that documents need, which makes it quick.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from handlers.batch.isolation.confinement import GRACE_SECONDS, Confinement
from handlers.batch.isolation.control import End, Ended, Order, Prolong, Start, receive, send

# Does the work of a document. Gets the connection to the program, and the files that it writes.
Work = Callable[[socket.socket, list[int]], None]

OUT_OF_MEMORY = 77
_WATCH_SECONDS = 0.05
_MEGABYTE = 1_000_000
# Place of the resident pages in /proc/<pid>/statm.
_RESIDENT = 1


class _Child:
    """A process of a document."""

    def __init__(self, limits: Start, pid: int, shared_bytes: int) -> None:
        self.limits = limits
        self.pid = pid
        self.deadline = time.monotonic() + limits.seconds + GRACE_SECONDS
        # What it has from the warden, which takes no further memory.
        self.shared_bytes = shared_bytes
        self.memory_bytes = 0
        self.why = ""

    def end(self, why: str) -> None:
        """End it; the first reason counts."""
        self.why = self.why or why
        os.kill(self.pid, signal.SIGKILL)


class Warden:
    """Starts and watches the processes of documents until the program is gone.

    Parameters
    ----------
    control
        Connection to the program.
    work
        Does the work of a document.
    together_bytes
        Memory that all processes may take at the same time.
    """

    def __init__(self, control: socket.socket, work: Work, together_bytes: int) -> None:
        self._control = control
        self._work = work
        self._together = together_bytes
        self._orders = msgspec.msgpack.Decoder(Order)
        self._children: dict[int, _Child] = {}
        self._confinement = Confinement()
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._own_bytes = 0
        self._next_watch = 0.0
        self._closed_in_children: tuple[int, ...] = ()
        self._nowhere = os.open(os.devnull, os.O_RDWR)

    def run(self) -> None:
        """Work until the program is gone, then end all processes."""
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        self._confinement.be_ended_first()  # before the next line, which lets root alone write there
        self._confinement.protect_this()
        woken, waking = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(waking, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        self._closed_in_children = (woken, waking)
        gc.collect()
        gc.freeze()  # a look for garbage would copy all that children share with this process
        self._own_bytes = self._resident_bytes(os.getpid())
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(woken, select.POLLIN)
        try:
            while self._turn(poll, woken):
                pass
        except OSError:  # the program has ended in the middle of a message
            return
        finally:
            for child in self._children.values():
                child.end("order")

    def _turn(self, poll: select.poll, woken: int) -> bool:
        """Wait for something to do, and do it; False when the program is gone."""
        for descriptor, _ in poll.poll(_WATCH_SECONDS * 1000 if self._children else None):
            if descriptor == woken:
                os.read(woken, 4096)
            elif not self._obey():
                return False
        self._reap()
        self._watch()
        return True

    def _obey(self) -> bool:
        received = receive(self._control, self._orders)
        if received is None:
            return False
        order, files = received
        if isinstance(order, Start):
            self._start(order, files)
        elif isinstance(order, (Prolong, End)) and (child := self._children.get(order.number)):
            if isinstance(order, End):
                child.end("order")
            else:
                child.deadline += order.seconds
        return True

    def _start(self, limits: Start, files: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            send(self._control, Ended(limits.number, "exit", error.errno or 1, 0, 0))
        else:
            if pid == 0:
                self._become(limits, files)
            self._children[limits.number] = _Child(limits, pid, self._own_bytes)
        for file in files:
            os.close(file)

    def _become(self, limits: Start, files: list[int]) -> None:
        """Do the work of a document, in a process of its own; never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for descriptor in self._closed_in_children:
                os.close(descriptor)
            for standard in range(3):  # what a document makes it print is no line of the job's log
                os.dup2(self._nowhere, standard)
            os.close(self._nowhere)
            self._confinement.enter(limits)
            connection, *targets = files
            self._work(socket.socket(fileno=connection), targets)
            code = 0
        except MemoryError:
            code = OUT_OF_MEMORY
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Report the processes that have ended."""
        numbers = {child.pid: number for number, child in self._children.items()}
        while self._children:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(numbers[pid])
            self._report(child, status, usage.ru_maxrss, usage.ru_utime + usage.ru_stime)

    def _report(self, child: _Child, status: int, peak: int, seconds: float) -> None:
        code = os.waitstatus_to_exitcode(status)
        why, detail = ("exit", code) if code >= 0 else ("signal", -code)
        if why == "exit" and code == OUT_OF_MEMORY:
            why, detail = "memory", child.limits.memory_bytes // _MEGABYTE
        elif why == "signal" and -code == signal.SIGXCPU:
            why = "time"
        elif why == "signal" and child.why:
            why = child.why
            detail = child.memory_bytes // _MEGABYTE if why == "memory" else detail
        send(self._control, Ended(child.limits.number, why, detail, peak, seconds))  # type: ignore[arg-type]

    def _watch(self) -> None:
        """End processes that exceed a limit, and the largest one when all together take too much."""
        now, together = time.monotonic(), 0
        if now < self._next_watch:
            return
        self._next_watch = now + _WATCH_SECONDS
        largest: _Child | None = None
        for child in self._children.values():
            if now > child.deadline:
                child.end("time")
            child.memory_bytes = max(self._resident_bytes(child.pid) - child.shared_bytes, 0)
            if child.memory_bytes > child.limits.memory_bytes:
                child.end("memory")
            together += child.memory_bytes
            if largest is None or child.memory_bytes > largest.memory_bytes:
                largest = child
        if largest and together > self._together:
            largest.end("memory")

    def _resident_bytes(self, pid: int) -> int:
        """Return how much memory a process has; 0 where the system does not tell."""
        try:
            return int(Path(f"/proc/{pid}/statm").read_text().split()[_RESIDENT]) * self._page
        except OSError:
            return 0


def main(work: Work) -> None:
    """Run the warden of a program that has started this process; arguments: its connection, and memory in bytes."""
    connection, together_bytes = sys.argv[1:]
    Warden(socket.socket(fileno=int(connection)), work, int(together_bytes)).run()
