"""Progress of a job: outcomes of its documents, saved while it runs, so that a stopped job keeps what is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from handlers.batch.budget import Budget
from handlers.batch.clock import JobClock
from handlers.batch.isolation.processes import STOPPED, Processes
from handlers.batch.report import DocumentReport, failed
from handlers.batch.stopping import is_stopping
from handlers.common.logs import logger

_SAVE_SECONDS = 10
# Saving takes at most one part of so many of the job's time.
_SAVE_SHARE = 20
_LOOK_SECONDS = 0.2
# How long documents that are being stopped are waited for.
_STOP_SECONDS = 2


class Progress:
    """Outcomes of documents. Called from several threads.

    Parameters
    ----------
    names
        Paths of all documents of this instance.
    save
        Saves outcomes, those of unfinished documents included.

    Attributes
    ----------
    is_stopped
        Whether the work has ended before all documents were done.
    """

    def __init__(self, names: Sequence[str], save: Callable[[list[DocumentReport]], None]) -> None:
        self.is_stopped = False
        self._names = names
        self._save = save
        self._reports: dict[str, DocumentReport] = {}
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._next_save = time.monotonic() + _SAVE_SECONDS

    @property
    def left(self) -> list[str]:
        """Names of the documents that have no outcome."""
        return [name for name in self._names if name not in self._reports]

    def add(self, report: DocumentReport) -> None:
        """Keep the outcome of a document, and save what is there if that was long ago."""
        with self._lock:
            self._reports[report.name] = report
        if time.monotonic() < self._next_save or not self._saving.acquire(blocking=False):
            return
        try:
            started = time.monotonic()
            self._save(self.reports())
            ended = time.monotonic()
            self._next_save = ended + max(_SAVE_SECONDS, _SAVE_SHARE * (ended - started))
        except OSError:
            logger.exception("the progress could not be saved")
        finally:
            self._saving.release()

    def reports(self) -> list[DocumentReport]:
        """Return the outcomes of all documents; those that are not done have failed until now."""
        with self._lock:
            known = dict(self._reports)
        return [known.get(name) or failed(name, Budget(0), STOPPED) for name in self._names]

    def work(self, processes: Processes, workers: int, one: Callable[[str], DocumentReport], clock: JobClock) -> None:
        """Work on all documents that have no outcome, until the job is asked to stop or has no time left.

        Parameters
        ----------
        processes
            Processes of the documents; stopped with the job.
        workers
            Documents at the same time.
        one
            Works on the document of a name.
        clock
            Time of the job.
        """

        def begin(name: str) -> None:
            with self._lock:
                clock.waiting -= 1
            self.add(one(name))

        left = self.left
        clock.waiting = len(left)
        threads = ThreadPoolExecutor(max_workers=workers)
        waiting: set[Future[None]] = {threads.submit(begin, name) for name in left}
        while waiting and not (is_stopping() or clock.is_over):
            done, waiting = wait(waiting, timeout=_LOOK_SECONDS)
            for future in done:
                future.result()  # an error of this program, not of a document, ends the job
        self.is_stopped = bool(waiting)
        if waiting:
            logger.warning("the job ends before all documents are done", extra={"left": len(self.left)})
            processes.stop()
            for future in waiting:
                future.cancel()
            wait(waiting, timeout=_STOP_SECONDS)
        threads.shutdown(wait=not waiting, cancel_futures=True)
