"""Counting of the characters that a job will send, before it pays for anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from handlers.batch.budget import Budget
from handlers.batch.documents.registry import BOUND_BY_SIZE
from handlers.batch.errors import DocumentError, DocumentsError, internal_error
from handlers.batch.isolation.conversation import Conversations
from handlers.batch.isolation.document import Task
from handlers.batch.job import Job
from handlers.batch.report import DocumentReport, failed
from handlers.batch.stopping import is_stopping
from handlers.common.logs import logger

# Documents that are counted at the same time: it is work for processors, and waits for nothing.
_WORKERS = 4

# Makes the task of counting a document, from its path.
CountTask = Callable[[Path], Task]


class CharacterCount:
    """Counts the characters of a job's documents, as far as needed to know that they are within a limit.

    A text file has no more characters than bytes, so its size is enough where all sizes together are within the limit.
    A Word document is compressed and has to be read.

    Parameters
    ----------
    job
        The job.
    conversations
        Work on documents.
    task
        Makes the task of counting a document.
    """

    def __init__(self, job: Job, conversations: Conversations, task: CountTask) -> None:
        self._job = job
        self._conversations = conversations
        self._task = task
        self._characters: dict[str, int] = {}
        self._failed: dict[str, DocumentReport] = {}

    def check(self, names: Sequence[str], limit: int) -> list[DocumentReport]:
        """Count, and refuse the job when it would send more than it may.

        Parameters
        ----------
        names
            Paths of the documents.
        limit
            Characters that may be sent.

        Returns
        -------
        Outcomes of documents that could not be counted. Of all documents, when there are too many characters.

        Raises
        ------
        DocumentsError
            There are too many characters, and other instances work on the same job.
        """
        small = [name for name in names if Path(name).suffix.lower() in BOUND_BY_SIZE]
        self._characters = {name: (self._job.documents / name).stat().st_size for name in small}
        self._count([name for name in names if name not in self._characters])
        if self._total > limit:
            self._count(sorted(small, key=lambda name: -self._characters[name]))
        logger.info("characters counted", extra={"characters": self._total, "limit": limit})
        if self._total <= limit:
            return list(self._failed.values())
        return self._refuse(names, limit)

    @property
    def _total(self) -> int:
        return sum(self._characters.values())

    def _count(self, names: Sequence[str]) -> None:
        with ThreadPoolExecutor(_WORKERS) as threads:
            for name, characters in zip(names, threads.map(self._count_one, names), strict=True):
                self._characters[name] = characters

    def _count_one(self, name: str) -> int:
        path = self._job.documents / name
        task = self._task(path)
        budget = Budget(task.seconds)
        try:
            if is_stopping():
                return 0
            return msgspec.msgpack.decode(self._conversations.hold(path, task, budget).result, type=int)
        except DocumentError as error:
            reason = str(error)
        except Exception as error:
            logger.exception("document could not be counted", extra={"document": name})
            reason = internal_error(type(error).__name__)
        logger.warning("document failed", extra={"document": name, "reason": reason})
        self._failed[name] = failed(name, budget, reason)
        return 0

    def _refuse(self, names: Sequence[str], limit: int) -> list[DocumentReport]:
        whole = "the job" if self._job.is_alone else "this instance's share of the job"
        reason = (
            f"The documents of {whole} have {self._total:,} characters; at most {limit:,} may be sent. "
            "Nothing was sent."
        )
        if not self._job.is_alone:
            raise DocumentsError(reason)
        reports = []
        for name in names:
            budget = Budget(0)
            budget.counted = self._characters[name]
            reports.append(self._failed.get(name) or failed(name, budget, reason))
        return reports
