"""The program's side of a document that is worked on in a process of its own: it answers what the process asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from handlers.batch.budget import Budget
from handlers.batch.errors import BROKEN_RULES, DocumentError
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
        with self._processes.start(path, task.seconds, files) as process, _Visit(self._room, budget) as visit:
            process.send(task)
            while True:
                message = process.receive()
                if isinstance(message, Done):
                    budget.characters = message.characters
                    for note in message.notes:
                        budget.note(note)
                    return message
                process.send(self._answer(message, visit, process, respond))

    def _answer(self, message: FromDocument, visit: _Visit, process: Process, respond: Respond | None) -> Answer:
        match message:
            case Failed():
                visit.budget.characters = message.characters
                raise DocumentError(message.reason)
            case Counted():
                return self._consent(message, visit)
            case AwaitRoom():
                process.prolong(visit.take_room())
                return Go()
        if respond is None or not visit.may_send:
            raise DocumentError(BROKEN_RULES)
        return respond(message)  # type: ignore[arg-type] - all that ends a conversation is dealt with above

    def _consent(self, message: Counted, visit: _Visit) -> Answer:
        if message.characters <= self._max_characters:
            visit.budget.counted = message.characters
            visit.may_send = True
            return Go()
        if not message.is_exact:
            return CountExactly()
        raise DocumentError(
            f"It has {message.characters:,} characters of text; at most {self._max_characters:,} are allowed. Split it."
        )


class _Visit:
    """What a document has got until it ends: consent to its length, and room in memory if it needs much."""

    def __init__(self, room: threading.Lock, budget: Budget) -> None:
        self.budget = budget
        self.may_send = False
        self._room = room
        self._has_room = False

    def __enter__(self) -> _Visit:
        return self

    def __exit__(self, *_: object) -> None:
        if self._has_room:
            self._room.release()

    def take_room(self) -> float:
        """Wait until no other document has the room; gives how many seconds that took, which are not the document's."""
        started = self.budget.seconds
        if not self._has_room:
            self._room.acquire()
            self._has_room = True
        waited = self.budget.seconds - started
        self.budget.extend(waited)
        return waited
