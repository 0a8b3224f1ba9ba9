"""A filter of system calls for processes that read documents of strangers: no network, no programs, no other files.

The kernel answers a call that is filtered with "not permitted". The filter needs no privilege. It is a list of what is
refused, so a new system call is allowed: it narrows what a fault in a parser can do, and is no proof against it.

Filter: https://docs.kernel.org/userspace-api/seccomp_filter.html
Numbers: https://github.com/torvalds/linux/blob/v6.12/arch/x86/entry/syscalls/syscall_64.tbl and
https://github.com/torvalds/linux/blob/v6.12/scripts/syscall.tbl
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2
# Of the system call `seccomp`: without its flag, kernels before 5.16 slow down every process that has a filter.
_SET_FILTER, _ALLOW_SPECULATION = 1, 4
# Instructions of the filter, and where it finds a call's number, the kind of processor, and the arguments.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _PROCESSOR, _ARGUMENTS, _ARGUMENT_BYTES = 0, 4, 16, 8
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM = 1
# Calls of another interface of the same processor (x32) have numbers from here on.
_OTHER_INTERFACE = 0x40000000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Processor(NamedTuple):
    """A kind of processor.

    Attributes
    ----------
    code
        Its number in the kernel's audit interface.
    refused
        System calls by their number that are refused.
    opens
        System calls that open a file by its name, with the number of the argument that says how.
    seccomp
        Number of the system call that installs a filter.
    """

    code: int
    refused: tuple[int, ...]
    opens: Mapping[int, int]
    seccomp: int


# Numbers that are the same everywhere: pidfd_send_signal, io_uring_setup, open_tree, move_mount, fsopen, fsconfig,
# fsmount, fspick, pidfd_open, clone3, openat2, pidfd_getfd, process_madvise, mount_setattr.
_COMMON = (424, 425, 428, 429, 430, 431, 432, 433, 434, 435, 437, 438, 440, 442)
_X86_64 = _Processor(
    0xC000003E,
    (
        *(41, 42, 43, 49, 50, 53, 288),  # socket, connect, accept, bind, listen, socketpair, accept4
        *(56, 57, 58, 59, 322),  # clone, fork, vfork, execve, execveat
        *(62, 129, 200, 234, 297),  # kill and its relatives
        *(76, 82, 83, 84, 85, 86, 87, 88, 90, 92, 94, 133, 188, 189),  # changes of files by their names
        *(258, 259, 260, 263, 264, 265, 266, 268, 316, 452),
        *(101, 310, 311, 312, 298, 323),  # ptrace, process_vm_*, kcmp, perf_event_open, userfaultfd
        *(155, 161, 165, 166, 272, 308),  # pivot_root, chroot, mount, umount2, unshare, setns
        *(160, 302),  # setrlimit, prlimit64
        *(175, 176, 246, 248, 249, 250, 313, 319, 321),  # modules, kexec, keys, memfd_create, bpf
        *_COMMON,
    ),
    {2: 1, 257: 2},  # open, openat
    317,
)
_AARCH64 = _Processor(
    0xC00000B7,
    (
        *(198, 199, 200, 201, 202, 203, 242),  # socket, socketpair, bind, listen, accept, connect, accept4
        *(220, 221, 281),  # clone, execve, execveat
        *(129, 130, 131, 138, 240),  # kill and its relatives
        *(5, 6, 33, 34, 35, 36, 37, 38, 45, 53, 54, 276, 452),  # changes of files by their names
        *(117, 270, 271, 272, 241, 282),  # ptrace, process_vm_*, kcmp, perf_event_open, userfaultfd
        *(39, 40, 41, 51, 97, 268),  # umount2, mount, pivot_root, chroot, unshare, setns
        *(164, 261),  # setrlimit, prlimit64
        *(104, 105, 106, 217, 218, 219, 273, 279, 280),  # modules, kexec, keys, memfd_create, bpf
        *_COMMON,
    ),
    {56: 2},  # openat
    277,
)
_PROCESSORS = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


class SystemCallFilter:
    """The filter, made once and installed in each process; nothing on systems that have none."""

    def __init__(self) -> None:
        processor = _PROCESSORS.get(platform.machine()) if sys.platform == "linux" else None
        self._program: _Program | None = None
        if processor and sys.maxsize > 2**32:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._seccomp = processor.seccomp
            instructions = list(_instructions(processor))
            self._instructions = (_Instruction * len(instructions))(*instructions)
            self._program = _Program(len(instructions), self._instructions)

    def install(self) -> bool:
        """Refuse these calls in this process from now on; False where the system cannot."""
        if self._program is None or self._libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        program = ctypes.byref(self._program)
        if self._libc.syscall(self._seccomp, _SET_FILTER, _ALLOW_SPECULATION, program) == 0:
            return True
        return self._libc.prctl(_SET_SECCOMP, _MODE_FILTER, program, 0, 0) == 0


def _instructions(processor: _Processor) -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _PROCESSOR
    yield _JUMP_EQUAL, 1, 0, processor.code
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER
    yield _JUMP_AT_LEAST, 0, 1, _OTHER_INTERFACE
    yield _RETURN, 0, 0, _KILL
    for number in processor.refused:
        yield _JUMP_EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _REFUSE | _EPERM
    for number, argument in processor.opens.items():
        yield _JUMP_EQUAL, 0, 4, number
        yield _LOAD, 0, 0, _ARGUMENTS + argument * _ARGUMENT_BYTES
        yield _JUMP_ANY_BIT, 0, 1, _WRITING
        yield _RETURN, 0, 0, _REFUSE | _EPERM
        yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _ALLOW
