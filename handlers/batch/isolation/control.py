"""Messages between the program and its warden, which starts and watches the processes of the documents."""

from __future__ import annotations

import socket
import struct
from typing import Literal

import msgspec

_LENGTH = struct.Struct("!I")
_MOST_BYTES = 10_000
_MOST_FILES = 4
_ENCODER = msgspec.msgpack.Encoder()


class Start(msgspec.Struct, frozen=True, tag=True):
    """Start a process. Its connection and its output files are passed as file descriptors.

    Attributes
    ----------
    number
        Names the process in further messages.
    seconds
        How long it may run.
    memory_bytes
        How much memory it may take.
    file_bytes
        How long the files may become that it writes.
    """

    number: int
    seconds: float
    memory_bytes: int
    file_bytes: int


class Prolong(msgspec.Struct, frozen=True, tag=True):
    """Let a process run longer, because it had to wait for something that is not its own affair."""

    number: int
    seconds: float


class End(msgspec.Struct, frozen=True, tag=True):
    """End a process, if it still runs."""

    number: int


Order = Start | Prolong | End


class Ended(msgspec.Struct, frozen=True):
    """A process has ended.

    Attributes
    ----------
    number
        As in `Start`.
    why
        `exit`: by itself, `signal`: the system has ended it, `memory` and `time`: it has exceeded a limit, `order`: the
        program wanted it.
    detail
        Exit code, number of the signal, or megabytes of memory.
    peak_kilobytes
        Most memory that it had at once, with what it shares with the warden.
    processor_seconds
        Processor time that it has used.
    """

    number: int
    why: Literal["exit", "signal", "memory", "time", "order"]
    detail: int
    peak_kilobytes: int
    processor_seconds: float


def send(connection: socket.socket, message: msgspec.Struct, files: tuple[int, ...] = ()) -> None:
    """Send a message, and open files with it.

    Raises
    ------
    OSError
        The other side is gone.
    """
    content = _ENCODER.encode(message)
    whole = _LENGTH.pack(len(content)) + content
    sent = socket.send_fds(connection, [whole], files) if files else 0
    connection.sendall(whole[sent:])


def receive(connection: socket.socket, decoder: msgspec.msgpack.Decoder) -> tuple[object, list[int]] | None:
    """Wait for a message with its files; None when the other side is gone."""
    head, files, _, _ = socket.recv_fds(connection, _LENGTH.size, _MOST_FILES)
    while head and len(head) < _LENGTH.size:
        more = connection.recv(_LENGTH.size - len(head))
        head = head + more if more else b""
    if not head:
        return None
    [length] = _LENGTH.unpack(head)
    if length > _MOST_BYTES:
        raise OSError(f"a message of {length} bytes")
    content = b""
    while len(content) < length:
        more = connection.recv(length - len(content))
        if not more:
            return None
        content += more
    return decoder.decode(content), files
