"""Amazon Comprehend in batches of 25 texts: language, sentiment and key phrases."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from handlers.batch.budget import Budget
from handlers.batch.calls import call_patiently
from handlers.batch.errors import DocumentError
from handlers.batch.prices import COMPREHEND_UNITS, comprehend_units
from schema.limits import COMPREHEND_TEXT_BYTES
from schema.retry import Backoff, attempts

# Texts that Comprehend answers with a failure of its own are sent again.
_BACKOFF = Backoff(attempts=4, first_seconds=0.5, longest_seconds=2)
# Errors that the same text would cause again.
_PERMANENT = ("TEXT_SIZE_LIMIT_EXCEEDED", "UNSUPPORTED_LANGUAGE", "INVALID_REQUEST", "INVALID")

# What Comprehend found in a text, or why it found nothing.
Answer = dict[str, Any] | DocumentError
# One answer per text, in the order of the texts.
Answers = list[Answer]


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

    def languages(self, texts: Sequence[str], budgets: Sequence[Budget]) -> Answers:
        """Detect the languages of up to 25 texts; `budgets` are the budgets of their documents."""
        return self._batch(self._client.batch_detect_dominant_language, texts, budgets)

    def sentiments(self, texts: Sequence[str], language: str, budgets: Sequence[Budget]) -> Answers:
        """Detect the sentiment of up to 25 texts of one language."""
        return self._batch(self._client.batch_detect_sentiment, texts, budgets, LanguageCode=language)

    def key_phrases(self, texts: Sequence[str], language: str, budgets: Sequence[Budget]) -> Answers:
        """Detect the key phrases of up to 25 texts of one language."""
        return self._batch(self._client.batch_detect_key_phrases, texts, budgets, LanguageCode=language)

    def language(self, text: str, budget: Budget) -> str:
        """Detect the language of a text by its first 5,000 bytes.

        Raises
        ------
        DocumentError
            Comprehend gives no answer.
        """
        [answer] = self.languages([text.encode()[:COMPREHEND_TEXT_BYTES].decode(errors="ignore")], [budget])
        if isinstance(answer, DocumentError):
            raise answer
        return dominant_language(answer)[0]

    def _batch(
        self, call: Callable[..., Any], texts: Sequence[str], budgets: Sequence[Budget], **arguments: Any
    ) -> Answers:
        answers: dict[int, Answer] = {}
        waiting = [number for number, budget in enumerate(budgets) if budget.remaining > 0]
        for _ in attempts(_BACKOFF, self._sleep):
            if waiting:
                self._attempt(call, texts, budgets, waiting, answers, arguments)
                waiting = [number for number in waiting if number not in answers]
            if not waiting:
                break
        late = DocumentError("Amazon Comprehend did not analyse it in time.")
        return [answers.get(number, late) for number in range(len(texts))]

    def _attempt(
        self,
        call: Callable[..., Any],
        texts: Sequence[str],
        budgets: Sequence[Budget],
        waiting: list[int],
        answers: dict[int, Answer],
        arguments: dict[str, Any],
    ) -> None:
        # The call may be repeated until the last of its documents has no time left.
        patient = max((budgets[number] for number in waiting), key=lambda budget: budget.remaining)
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
            budgets[number].use(COMPREHEND_UNITS, comprehend_units(texts[number]))
        for item in answer.get("ResultList", []):
            answers[waiting[item["Index"]]] = item
        for item in answer.get("ErrorList", []):
            if item.get("ErrorCode", "").upper().removesuffix("_EXCEPTION") in _PERMANENT:
                reason = f"Amazon Comprehend refused it ({item['ErrorCode']}): {item.get('ErrorMessage', '')}"
                answers[waiting[item["Index"]]] = DocumentError(reason)


def dominant_language(answer: dict[str, Any]) -> tuple[str, float]:
    """Return code and score of the most likely language of a text."""
    languages = answer.get("Languages") or []
    if not languages:
        return "en", 0.0
    best = max(languages, key=lambda language: (language["Score"], language["LanguageCode"]))
    return best["LanguageCode"], best["Score"]
