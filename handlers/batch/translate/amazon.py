"""Translation by Amazon Translate: full requests, many at the same time, patient when throttled.

Limits: https://docs.aws.amazon.com/translate/latest/dg/what-is-limits.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from handlers.batch.allowance import Allowance
from handlers.batch.budget import Budget
from handlers.batch.calls import call_patiently
from handlers.batch.prices import TRANSLATE_CHARACTERS
from handlers.batch.sentences import cut_between_sentences
from schema.limits import TRANSLATE_TEXT_BYTES


class AmazonEngine:
    """Translates with Amazon Translate.

    Parameters
    ----------
    translate_text
        Of a Translate client that does not repeat calls itself.
    target
        Language to translate into.
    concurrency
        Requests at the same time, of all documents together.
    sleep
        Waits a number of seconds between attempts.
    allowance
        Characters that may be sent; absent: any number.
    """

    def __init__(
        self,
        translate_text: Callable[..., Any],
        target: str,
        concurrency: int,
        sleep: Callable[[float], None] = time.sleep,
        allowance: Allowance | None = None,
    ) -> None:
        self._translate_text = translate_text
        self._allowance = allowance or Allowance(None)
        self._target = target
        self._threads = ThreadPoolExecutor(max_workers=concurrency)
        self._sleep = sleep

    def translate(self, texts: Sequence[str], source: str, budget: Budget) -> list[str]:
        """Translate texts; those that fit together into a request go together, one a line."""
        pieces = [list(cut_between_sentences(text, source, TRANSLATE_TEXT_BYTES)) for text in texts]
        requests = list(_requests([piece for text in pieces for piece in text]))
        futures = [self._threads.submit(self._request, lines, source, budget) for lines in requests]
        try:
            translated = iter([line for future in futures for line in future.result()])
        finally:
            for future in futures:
                future.cancel()
        return [" ".join(next(translated).strip() for _ in text) for text in pieces]

    def close(self) -> None:
        """Forget requests that nobody waits for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _request(self, lines: list[str], source: str, budget: Budget) -> list[str]:
        if len(lines) == 1:
            return [self._call(lines[0], source, budget)]
        translated = self._call("\n".join(lines), source, budget).split("\n")
        if len(translated) == len(lines) and all(map(str.strip, translated)):
            return translated
        # A line was lost or added, so it is not known which translation belongs to which text.
        return [self._call(line, source, budget) for line in lines]

    def _call(self, text: str, source: str, budget: Budget) -> str:
        def send() -> str:
            answer = self._translate_text(Text=text, SourceLanguageCode=source, TargetLanguageCode=self._target)
            budget.use(TRANSLATE_CHARACTERS, len(text))
            budget.send(len(text))
            return answer["TranslatedText"]

        self._allowance.spend(len(text))
        return call_patiently("Amazon Translate", send, budget, self._sleep)


def _requests(pieces: list[str]) -> Iterator[list[str]]:
    held: list[str] = []
    size = 0
    for piece in pieces:
        length = len(piece.encode()) + 1
        if held and size + length > TRANSLATE_TEXT_BYTES + 1:
            yield held
            held, size = [], 0
        held.append(piece)
        size += length
    if held:
        yield held
