"""The process of one document, as its own code sees it: asks the program, and tells how it ended."""

from __future__ import annotations

import contextlib
import errno
import socket
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from handlers.batch.budget import Budget
from handlers.batch.documents.guard import Guard
from handlers.batch.errors import DocumentError
from handlers.batch.isolation.channel import Channel, ChannelError
from handlers.batch.isolation.messages import (
    Answer,
    AwaitRoom,
    Broken,
    Counted,
    CountExactly,
    Done,
    Failed,
    Request,
)

T = TypeVar("T")
_TRACE_CHARACTERS = 10_000
_REMARK_CHARACTERS = 1000
_NOTES = 20


class Task(msgspec.Struct, frozen=True):
    """What has to be done with a document.

    Attributes
    ----------
    path
        The file.
    seconds
        Time limit.
    only_count
        Count its characters, and nothing more.
    """

    path: str
    seconds: float
    only_count: bool = False


class Session:
    """The connection of a document's process to the program.

    Parameters
    ----------
    connection
        A stream socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._channel: Channel[Answer] = Channel(connection, Answer)

    def task(self, kind: type[T]) -> T:
        """Receive the task, which is the first message."""
        received: T | None = Channel(self._connection, kind).receive()
        if received is None:
            raise ChannelError("no task")
        return received

    def send(self, message: Request | Done | Failed | Broken) -> None:
        """Ask for something, without waiting for the answer."""
        self._channel.send(message)

    def receive(self, kind: type[T]) -> T:
        """Wait for the answer."""
        answer = self._channel.receive()
        if not isinstance(answer, kind):
            raise ChannelError(f"expected {kind.__name__}, got {type(answer).__name__}")
        return answer

    def guard(self, budget: Budget) -> Guard:
        """Let the program decide whether a document may be read; waiting for room is not the document's time."""

        def await_room() -> None:
            started = budget.seconds
            self.send(AwaitRoom())
            self._channel.receive()
            budget.extend(budget.seconds - started)

        return Guard(self._consent, await_room)

    def _consent(self, characters: int, is_exact: bool) -> bool:
        self.send(Counted(characters, is_exact))
        return not isinstance(self._channel.receive(), CountExactly)


def serve(connection: socket.socket, kind: type[T], work: Callable[[Session, T, Budget], Any]) -> None:
    """Do a task, and tell how it ended.

    Parameters
    ----------
    connection
        Connection to the program.
    kind
        Type of the task, a `Task`.
    work
        Does the task. Returns what was found, or None.

    Raises
    ------
    MemoryError
        There is not enough memory for the document.
    """
    session = Session(connection)
    budget = Budget(float("inf"))
    try:
        task: Any = session.task(kind)
        budget = Budget(task.seconds)
        result = work(session, task, budget)
        raw = msgspec.Raw(msgspec.msgpack.encode(result))
        session.send(Done(budget.characters, [note[:_REMARK_CHARACTERS] for note in budget.notes[:_NOTES]], raw))
    except DocumentError as error:
        session.send(Failed(str(error)[:_REMARK_CHARACTERS], budget.characters))
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            session.send(Failed("Its translation is too large.", budget.characters))
            return
        trace = traceback.format_exc()[-_TRACE_CHARACTERS:]
        with contextlib.suppress(OSError):  # the program is gone, or has ended the connection
            session.send(Broken(type(error).__name__[:100], trace, budget.characters))
