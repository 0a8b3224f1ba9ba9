"""Limits of the process of one document, set by itself before it looks at the document."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from handlers.batch.isolation.control import Start
from handlers.batch.isolation.seccomp import SystemCallFilter

_SET_PARENT_DEATH_SIGNAL, _SET_DUMPABLE = 1, 4
# https://man7.org/linux/man-pages/man2/capset.2.html
_CAPABILITY_VERSION = 0x20080522
_FILES = 64
# Seconds after which the process ends if its own look at the time did not end it.
GRACE_SECONDS = 5
_ENDED_FIRST = b"500"
_PAGES_OF_DATA = 5


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    """Effective, permitted and inheritable capabilities, in two halves."""

    _fields_ = (("bits", ctypes.c_uint32 * 6),)


class Confinement:
    """Limits for the processes that this one starts by forking.

    They come from the kernel: memory, processor time, size and number of files, no core file, no new privileges, no
    network. Limits that the system lacks, as macOS lacks some, are left out; the others hold.
    """

    def __init__(self) -> None:
        self._filter = SystemCallFilter()
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._data_bytes = _data_bytes() if self._libc else 0
        # Root without capabilities is no more than the owner of its files.
        self._this_process = _CapabilityHeader(_CAPABILITY_VERSION, 0)
        self._no_capabilities = _Capabilities()

    def protect_this(self) -> None:
        """Keep other processes, also of the same user, from reading this one's memory and environment."""
        if self._libc:
            self._libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)

    def be_ended_first(self) -> None:
        """Let the kernel end this process and those it starts before the program when memory is short."""
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_bytes(_ENDED_FIRST)

    def enter(self, limits: Start) -> None:
        """Set the limits of this process; they cannot be taken back.

        Parameters
        ----------
        limits
            Limits of the document.
        """
        if self._libc:
            self._libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
            self.protect_this()
            self._libc.capset(ctypes.byref(self._this_process), ctypes.byref(self._no_capabilities))
        seconds = int(limits.seconds) + GRACE_SECONDS
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_CPU, seconds, 1)
        _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
        _limit(resource.RLIMIT_NOFILE, _FILES)
        if sys.platform == "linux":
            _limit(resource.RLIMIT_DATA, self._data_bytes + limits.memory_bytes)
        self._filter.install()


def _data_bytes() -> int:
    """Return how much data memory this process has; processes forked from it inherit it."""
    return int(Path("/proc/self/statm").read_text().split()[_PAGES_OF_DATA]) * os.sysconf("SC_PAGE_SIZE")


def _limit(what: int, value: int, more: int = 0) -> None:
    """Set a limit that warns, and one that ends, which is `more` than that."""
    _, hardest = resource.getrlimit(what)
    hard = value + more if hardest == resource.RLIM_INFINITY else min(value + more, hardest)
    # Some systems refuse a limit below what is used already; the warden watches all the same.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (min(value, hard), hard))
