"""Typed messages over a socket between two processes that do not trust each other."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

# Longest message, in bytes: a window of text, and what was found in it.
MESSAGE_BYTES = 16_000_000
_LENGTH = struct.Struct("!I")
_ENCODER = msgspec.msgpack.Encoder()


class ChannelError(Exception):
    """The other side has sent what it may not send."""


class Channel(Generic[T]):
    """One side of a connection.

    Parameters
    ----------
    connection
        A stream socket; the channel closes it.
    receives
        Type of the messages that arrive. Anything else is an error.
    """

    def __init__(self, connection: socket.socket, receives: Any) -> None:
        self._connection = connection
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(receives)

    def send(self, message: msgspec.Struct) -> None:
        """Send a message.

        Raises
        ------
        OSError
            The other side is gone.
        """
        content = _ENCODER.encode(message)
        self._connection.sendall(_LENGTH.pack(len(content)) + content)

    def receive(self) -> T | None:
        """Wait for a message; None when the other side is gone.

        Raises
        ------
        ChannelError
            It is too long, or none of those that may arrive.
        """
        head = self._read(_LENGTH.size)
        if head is None:
            return None
        [length] = _LENGTH.unpack(head)
        if length > MESSAGE_BYTES:
            raise ChannelError(f"a message of {length} bytes")
        content = self._read(length)
        if content is None:
            return None
        try:
            return self._decoder.decode(content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise ChannelError(f"a message that is none: {error}") from error

    def close(self) -> None:
        """End the connection, also for a thread that waits for a message."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _read(self, length: int) -> bytearray | None:
        content = bytearray(length)
        view = memoryview(content)
        got = 0
        while got < length:
            try:
                count = self._connection.recv_into(view[got:])
            except ConnectionError:
                return None
            if not count:
                return None
            got += count
        return content
