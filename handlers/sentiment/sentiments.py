"""Sentiment analysis of texts, with Amazon Comprehend's batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from handlers.common.chunks import chunks
from handlers.common.logs import logger
from handlers.sentiment.texts import Text
from schema.limits import COMPREHEND_TEXTS
from schema.retry import Backoff, attempts

BACKOFF = Backoff(attempts=4, first_seconds=0.3, longest_seconds=3)
# Errors of one text that would meet it again. All others are tried again.
_PERMANENT = ("TEXT_SIZE_LIMIT_EXCEEDED", "UNSUPPORTED_LANGUAGE", "INVALID_REQUEST", "INVALID")
# Errors of a whole call that one of its texts causes.
_PERMANENT_EXCEPTIONS = ("InvalidRequestException", "TextSizeLimitExceededException")


class Scores(msgspec.Struct, frozen=True):
    """Confidence of Amazon Comprehend in each sentiment, from 0 to 1; the four add up to 1."""

    positive: float
    negative: float
    neutral: float
    mixed: float


class Sentiment(msgspec.Struct, frozen=True):
    """The sentiment of one text.

    Attributes
    ----------
    label
        `POSITIVE`, `NEGATIVE`, `NEUTRAL` or `MIXED`; `UNSUPPORTED` for a text that cannot be analysed.
    scores
        Absent for such a text.
    """

    label: str
    scores: Scores | None = None


class SentimentError(Exception):
    """A text could not be analysed this time.

    Attributes
    ----------
    failed_call
        The error of the whole call; None where Comprehend answered the call, but not for this text.
    """

    def __init__(self, message: str, failed_call: Exception | None = None) -> None:
        super().__init__(message)
        self.failed_call = failed_call


Outcome = Sentiment | SentimentError
# Outcomes by position of the text.
_Outcomes = dict[int, Outcome]


class Sentiments:
    """Sentiment analysis of many texts in as few calls as possible.

    Parameters
    ----------
    detect
        `batch_detect_sentiment` of a Comprehend client.
    sleep
        Waits a number of seconds between attempts.

    Attributes
    ----------
    calls
        Number of calls so far.
    """

    def __init__(self, detect: Callable[..., Any], sleep: Callable[[float], None] = time.sleep) -> None:
        self._detect = detect
        self._sleep = sleep
        self.calls = 0

    def analyse(self, texts: list[Text]) -> list[Outcome]:
        """Analyse texts, the texts of each language together.

        Returns
        -------
        For each text, in their order, its sentiment or the error; a text that fails does not fail the others.
        """
        outcomes: _Outcomes = {}
        for language in dict.fromkeys(text.language for text in texts):
            positions = [position for position, text in enumerate(texts) if text.language == language]
            for batch in chunks(positions, COMPREHEND_TEXTS):
                self._analyse_batch(language, {position: texts[position].content for position in batch}, outcomes)
        return [outcomes[position] for position in range(len(texts))]

    def _analyse_batch(self, language: str, contents: dict[int, str], outcomes: _Outcomes) -> None:
        waiting = list(contents)
        for _ in attempts(BACKOFF, self._sleep):
            try:
                self.calls += 1
                answer = self._detect(TextList=[contents[position] for position in waiting], LanguageCode=language)
            except Exception as error:  # the client has used up its own retries
                if _is_caused_by_a_text(error):
                    self._analyse_halves(language, {position: contents[position] for position in waiting}, outcomes)
                    return
                logger.warning("Comprehend failed", extra={"texts": len(waiting), "reason": str(error)})
                outcomes.update(dict.fromkeys(waiting, SentimentError(str(error), failed_call=error)))
                return
            for item in answer.get("ResultList", []):
                outcomes[waiting[item["Index"]]] = _sentiment(item)
            for item in answer.get("ErrorList", []):
                outcomes[waiting[item["Index"]]] = _item_error(item)
            waiting = [
                position
                for position in waiting
                if isinstance(outcomes.setdefault(position, SentimentError("no answer")), SentimentError)
            ]
            if not waiting:
                return

    def _analyse_halves(self, language: str, contents: dict[int, str], outcomes: _Outcomes) -> None:
        """Find the text for which a whole call is refused, and analyse the others."""
        positions = list(contents)
        if len(positions) == 1:
            outcomes[positions[0]] = Sentiment("UNSUPPORTED")
            return
        for half in chunks(positions, -(-len(positions) // 2)):
            self._analyse_batch(language, {position: contents[position] for position in half}, outcomes)


def _is_caused_by_a_text(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _PERMANENT_EXCEPTIONS


def _sentiment(item: dict[str, Any]) -> Sentiment:
    scores = item["SentimentScore"]
    return Sentiment(
        item["Sentiment"],
        Scores(*(round(scores[name], 6) for name in ("Positive", "Negative", "Neutral", "Mixed"))),
    )


def _item_error(item: dict[str, Any]) -> Outcome:
    code = item.get("ErrorCode", "")
    logger.warning("text refused", extra={"code": code, "reason": item.get("ErrorMessage", "")})
    if code.upper().removesuffix("_EXCEPTION") in _PERMANENT:
        return Sentiment("UNSUPPORTED")
    return SentimentError(f"{code}: {item.get('ErrorMessage', '')}")
