"""Work on one instance's share of a job: its processes, its time, its progress and its report."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from handlers.batch.characters import CharacterCount, CountTask
from handlers.batch.clock import JobClock, program_age
from handlers.batch.isolation.conversation import Conversations
from handlers.batch.isolation.machine import memory_for_documents
from handlers.batch.isolation.processes import Processes
from handlers.batch.job import Job
from handlers.batch.progress import Progress
from handlers.batch.report import DocumentReport, Report, now, report_of_job, write_report


class Share:
    """Work on the documents of this instance.

    Parameters
    ----------
    job
        The job.
    module
        Module whose function `work` does the work of a document, in a process of its own.
    save
        Saves what was found until now, besides the report.

    Attributes
    ----------
    clock
        Time limits of the job and its documents.
    conversations
        Work on documents.
    """

    def __init__(self, job: Job, module: ModuleType, save: Callable[[], None] | None = None) -> None:
        self._job = job
        self._started = now()
        self._save_results = save
        self.clock = JobClock(job.seconds, job.environment.document_seconds, age=program_age())
        self._processes = Processes(module, memory_for_documents(job.environment.memory_bytes))
        self.conversations = Conversations(self._processes, job.environment.max_document_characters)
        self._progress = Progress(job.document_names(), self._save)

    def __enter__(self) -> Share:
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.stop()

    @property
    def is_stopped(self) -> bool:
        """Whether the work has ended before all documents were done."""
        return self._progress.is_stopped

    @property
    def left(self) -> list[str]:
        """Names of the documents that have no outcome."""
        return self._progress.left

    def check_characters(self, task: CountTask) -> None:
        """Count the characters of all documents where the job has a limit, and fail all when they are too many.

        Parameters
        ----------
        task
            Makes the task of counting a document.

        Raises
        ------
        DocumentsError
            There are too many characters, and other instances work on the same job.
        """
        limit = self._job.max_characters
        if limit is not None:
            for report in CharacterCount(self._job, self.conversations, task).check(self._progress.left, limit):
                self._progress.add(report)

    def work(self, workers: int, one: Callable[[str], DocumentReport]) -> None:
        """Work on all documents that have not failed, until the job is asked to stop or has no time left.

        Parameters
        ----------
        workers
            Documents at the same time.
        one
            Works on the document of a name.
        """
        self._progress.work(self._processes, workers, one, self.clock)

    def report(self) -> Report:
        """Report on all documents."""
        return report_of_job(self._job, self._progress.reports(), self._started, not self.is_stopped)

    def _save(self, documents: list[DocumentReport]) -> None:
        write_report(self._job.folder, report_of_job(self._job, documents, self._started, False))
        if self._save_results:
            self._save_results()
