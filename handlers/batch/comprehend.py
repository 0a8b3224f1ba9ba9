"""Amazon Comprehend in batches of 25 texts: language, sentiment and key phrases.

Limits: https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from handlers.batch.calls import call_patiently
from handlers.batch.errors import DocumentError
from handlers.batch.prices import COMPREHEND_UNITS, comprehend_units
from handlers.batch.work import Work

BATCH_SIZE = 25
# Of UTF-8, a text: the limit of BatchDetectSentiment, which is the lowest.
MAX_TEXT_BYTES = 5_000
_MAX_ATTEMPTS = 4
# Errors of one text that the same text would meet again.
_PERMANENT = ("TEXT_SIZE_LIMIT_EXCEEDED", "UNSUPPORTED_LANGUAGE", "INVALID_REQUEST", "INVALID")

# One answer a text; what went wrong with a text is in its place.
Answers = list[dict[str, Any] | DocumentError]


class Comprehend:
    """Batch calls of Amazon Comprehend.

    Parameters
    ----------
    client
        A Comprehend client that does not repeat calls itself.
    sleep
        Waits a number of seconds between attempts.
    """

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def languages(self, texts: Sequence[str], works: Sequence[Work]) -> Answers:
        """Find the languages of up to 25 texts; `works` are those of their documents."""
        return self._batch(self._client.batch_detect_dominant_language, texts, works)

    def sentiments(self, texts: Sequence[str], language: str, works: Sequence[Work]) -> Answers:
        """Find the sentiment of up to 25 texts of one language."""
        return self._batch(self._client.batch_detect_sentiment, texts, works, LanguageCode=language)

    def key_phrases(self, texts: Sequence[str], language: str, works: Sequence[Work]) -> Answers:
        """Find the key phrases of up to 25 texts of one language."""
        return self._batch(self._client.batch_detect_key_phrases, texts, works, LanguageCode=language)

    def language(self, text: str, work: Work) -> str:
        """Find the language of one text of at most 5,000 bytes.

        Raises
        ------
        DocumentError
            Comprehend does not tell.
        """
        [answer] = self.languages([text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")], [work])
        if isinstance(answer, DocumentError):
            raise answer
        return dominant_language(answer)[0]

    def _batch(
        self, call: Callable[..., Any], texts: Sequence[str], works: Sequence[Work], **arguments: Any
    ) -> Answers:
        answers: dict[int, dict[str, Any] | DocumentError] = {}
        waiting = [number for number, work in enumerate(works) if work.remaining > 0]
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            if not waiting:
                break
            self._attempt(call, texts, works, waiting, answers, arguments)
            waiting = [number for number in waiting if number not in answers]
            if waiting and attempt < _MAX_ATTEMPTS:
                self._sleep(0.3 * attempt)
        late = DocumentError("Amazon Comprehend did not analyse it in time.")
        return [answers.get(number, late) for number in range(len(texts))]

    def _attempt(
        self,
        call: Callable[..., Any],
        texts: Sequence[str],
        works: Sequence[Work],
        waiting: list[int],
        answers: dict[int, dict[str, Any] | DocumentError],
        arguments: dict[str, Any],
    ) -> None:
        # The document that has most time left decides how long the call may be repeated.
        patient = max((works[number] for number in waiting), key=lambda work: work.remaining)
        try:
            answer = call_patiently(
                "Amazon Comprehend",
                lambda: call(TextList=[texts[number] for number in waiting], **arguments),
                patient,
                self._sleep,
            )
        except DocumentError as error:
            answers.update(dict.fromkeys(waiting, error))
            return
        for number in waiting:
            works[number].use(COMPREHEND_UNITS, comprehend_units(texts[number]))
        for item in answer.get("ResultList", []):
            answers[waiting[item["Index"]]] = item
        for item in answer.get("ErrorList", []):
            if item.get("ErrorCode", "").upper().removesuffix("_EXCEPTION") in _PERMANENT:
                reason = f"Amazon Comprehend refused it ({item['ErrorCode']}): {item.get('ErrorMessage', '')}"
                answers[waiting[item["Index"]]] = DocumentError(reason)


def dominant_language(answer: dict[str, Any]) -> tuple[str, float]:
    """Give code and score of the language of a text."""
    languages = answer.get("Languages") or []
    if not languages:
        return "en", 0.0
    best = max(languages, key=lambda language: (language["Score"], language["LanguageCode"]))
    return best["LanguageCode"], best["Score"]
