"""Full calls of Amazon Comprehend for documents that are analysed at the same time.

Texts of several documents share a call, so a thousand short documents do not cost a thousand calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from handlers.batch.budget import Budget
from handlers.batch.comprehend import Answer, Answers, Comprehend
from schema.limits import COMPREHEND_TEXTS

# Longest wait of a text for others that fill its call, when a document keeps them waiting.
_LINGER_SECONDS = 2.0
_LOOK_SECONDS = 0.1

# Sends one call for up to 25 texts.
_Call = Callable[[list[str], list[Budget]], Answers]


class _Question:
    """What a document asks for: one or two answers for each of its texts."""

    def __init__(self, number: int) -> None:
        self.answers: list[tuple[Answer, ...]] = [()] * number
        self.missing = number
        self.done: Future[None] = Future()


class _Waiting(NamedTuple):
    """A text that waits for its call: number `place` of a question."""

    question: _Question
    place: int
    text: str
    budget: Budget
    since: float


class Batches:
    """Collects texts, and sends them in calls that are as full as they can be. Called from several threads.

    Parameters
    ----------
    comprehend
        Amazon Comprehend.
    workers
        Calls at the same time.
    """

    def __init__(self, comprehend: Comprehend, workers: int) -> None:
        self._comprehend = comprehend
        self._threads = ThreadPoolExecutor(max_workers=workers)
        self._lock = threading.RLock()
        # By language; the texts without one are those whose language is asked for.
        self._queues: dict[str, list[_Waiting]] = {}
        self._at_once = self._left = self._asking = self._calling = 0
        self._closed = threading.Event()
        threading.Thread(target=self._send_late_ones, daemon=True, name="batches").start()

    def expect(self, documents: int, at_once: int) -> None:
        """Say how many documents will come, and how many of them at the same time."""
        with self._lock:
            self._left, self._at_once = documents, at_once

    def leave(self) -> None:
        """Say that a document will ask for nothing more."""
        with self._lock:
            self._left -= 1
            self._send_last()

    def close(self) -> None:
        """Send no more, and forget calls that nobody waits for."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def language(self, text: str, budget: Budget) -> Answer:
        """Detect the language of a text; `budget` is the budget of its document."""
        [[answer]] = self._ask("", [text], budget)
        return answer

    def analyse(self, texts: Sequence[str], language: str, budget: Budget) -> list[tuple[Answer, ...]]:
        """Detect sentiment and key phrases of texts of one document: two answers for each text."""
        return self._ask(language, texts, budget)

    def _ask(self, language: str, texts: Sequence[str], budget: Budget) -> list[tuple[Answer, ...]]:
        question, now = _Question(len(texts)), time.monotonic()
        waiting = [_Waiting(question, place, text, budget, now) for place, text in enumerate(texts)]
        with self._lock:
            self._asking += 1
            queue = self._queues.setdefault(language, [])
            queue += waiting
            while len(queue) >= COMPREHEND_TEXTS:
                self._send(language)
            self._send_last()
        question.done.result()
        return question.answers

    def _send(self, language: str) -> None:
        """Send the next call of a language; the lock is held."""
        queue = self._queues[language]
        batch, queue[:] = queue[:COMPREHEND_TEXTS], queue[COMPREHEND_TEXTS:]
        texts, budgets = [one.text for one in batch], [one.budget for one in batch]
        calls = [self._threads.submit(call, texts, budgets) for call in self._calls(language)]
        self._calling += 1
        missing = len(calls)

        def note(_: Future[Answers]) -> None:
            nonlocal missing
            with self._lock:
                missing -= 1
                if not missing:
                    self._hand_on(batch, calls)

        for call in calls:
            call.add_done_callback(note)

    def _calls(self, language: str) -> tuple[_Call, ...]:
        if not language:
            return (self._comprehend.languages,)
        return (
            lambda texts, budgets: self._comprehend.sentiments(texts, language, budgets),
            lambda texts, budgets: self._comprehend.key_phrases(texts, language, budgets),
        )

    def _hand_on(self, batch: list[_Waiting], calls: list[Future[Answers]]) -> None:
        """Give the answers of a call, or of two, to those who wait; the lock is held."""
        self._calling -= 1
        try:
            answers = [call.result() for call in calls]
        except BaseException as error:
            for question in {id(one.question): one.question for one in batch}.values():
                if not question.done.done():
                    self._asking -= 1
                    question.done.set_exception(error)
            return
        for one, found in zip(batch, zip(*answers, strict=True), strict=True):
            one.question.answers[one.place] = found
            one.question.missing -= 1
            if not one.question.missing and not one.question.done.done():
                self._asking -= 1
                one.question.done.set_result(None)
        self._send_last()

    def _send_last(self) -> None:
        """Send what waits when all documents wait, so that no more can come; the lock is held."""
        if not self._calling and self._asking >= min(self._at_once, self._left):
            self._send_all(lambda _: True)

    def _send_late_ones(self) -> None:
        """Send texts that have waited too long, because a document keeps the others waiting."""
        while not self._closed.wait(_LOOK_SECONDS):
            late = time.monotonic() - _LINGER_SECONDS
            with self._lock:
                self._send_all(lambda queue, late=late: queue[0].since < late)

    def _send_all(self, is_due: Callable[[list[_Waiting]], bool]) -> None:
        for language, queue in self._queues.items():
            while queue and is_due(queue):
                self._send(language)
