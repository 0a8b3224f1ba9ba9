"""The program's side of a document that is worked on in a process of its own: it answers what the process asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from handlers.batch.budget import Budget
from handlers.batch.errors import DocumentError
from handlers.batch.isolation.document import Task
from handlers.batch.isolation.messages import (
    Answer,
    AwaitRoom,
    Counted,
    CountExactly,
    Done,
    Failed,
    FromDocument,
    Go,
    Request,
)
from handlers.batch.isolation.processes import Process, Processes

# Answers what only a kind of job knows.
Respond = Callable[[Request], Answer]


class Conversations:
    """Works on documents, each in a process of its own. Called from several threads.

    Parameters
    ----------
    processes
        Starts the processes.
    max_characters
        Characters that a document may have.
    """

    def __init__(self, processes: Processes, max_characters: int) -> None:
        self._processes = processes
        self._max_characters = max_characters
        self._room = threading.Lock()

    def hold(
        self, path: Path, task: Task, budget: Budget, respond: Respond | None = None, files: tuple[int, ...] = ()
    ) -> Done:
        """Work on a document.

        Parameters
        ----------
        path
            Its file.
        task
            What has to be done.
        budget
            Budget of the document; gets what was counted and noted.
        respond
            Answers what the process asks for.
        files
            Descriptors of the files that the process writes.

        Returns
        -------
        How it ended.

        Raises
        ------
        DocumentError
            It cannot be done, or its process has exceeded a limit.
        """
        with self._processes.start(path, task.seconds, files) as process, _Room(self._room) as room:
            process.send(task)
            while True:
                message = process.receive()
                if isinstance(message, Done):
                    budget.characters = message.characters
                    for note in message.notes:
                        budget.note(note)
                    return message
                process.send(self._answer(message, budget, process, room, respond))

    def _answer(
        self, message: FromDocument, budget: Budget, process: Process, room: _Room, respond: Respond | None
    ) -> Answer:
        match message:
            case Failed():
                budget.characters = message.characters
                raise DocumentError(message.reason)
            case Counted():
                return self._consent(message, budget)
            case AwaitRoom():
                waited = room.take(budget)
                budget.extend(waited)
                process.prolong(waited)
                return Go()
        if respond is None or not budget.counted:
            raise DocumentError("It could not be processed: its process sent what it may not send.")
        return respond(message)  # type: ignore[arg-type] - all that ends a conversation is dealt with above

    def _consent(self, message: Counted, budget: Budget) -> Answer:
        if message.characters <= self._max_characters:
            budget.counted = message.characters
            return Go()
        if not message.is_exact:
            return CountExactly()
        raise DocumentError(
            f"It has {message.characters:,} characters of text; at most {self._max_characters:,} are allowed. Split it."
        )


class _Room:
    """Room in memory for one document that needs much, from when it asks until it ends."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._is_taken = False

    def __enter__(self) -> _Room:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_taken:
            self._lock.release()

    def take(self, budget: Budget) -> float:
        """Wait until no other document has it; gives how many seconds that took."""
        started = budget.seconds
        if not self._is_taken:
            self._lock.acquire()
            self._is_taken = True
        return budget.seconds - started
