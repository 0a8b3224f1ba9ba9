"""The sentiment of texts, by Amazon Comprehend in batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from handlers.common.backoff import full_jitter
from handlers.common.logs import logger
from handlers.sentiment.texts import Text
from handlers.sentiment.work import chunks

# Amazon Comprehend: at most 25 documents a BatchDetectSentiment.
BATCH_SIZE = 25
MAX_ATTEMPTS = 4

# Item errors that the same text would meet again. All others are tried again.
_PERMANENT = ("TEXT_SIZE_LIMIT_EXCEEDED", "UNSUPPORTED_LANGUAGE", "INVALID_REQUEST", "INVALID")
# The same of a whole call, for the sake of one of its texts.
_PERMANENT_EXCEPTIONS = ("InvalidRequestException", "TextSizeLimitExceededException")


class Scores(msgspec.Struct, frozen=True):
    """How sure Amazon Comprehend is of each sentiment, from 0 to 1; together they make 1."""

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
    """A text could not be analysed this time."""


class Sentiments:
    """Sentiments of many texts, in as few calls as possible.

    Parameters
    ----------
    detect
        `batch_detect_sentiment` of a Comprehend client.
    sleep
        Waits a number of seconds between attempts.

    Attributes
    ----------
    calls
        How many calls were made.
    """

    def __init__(self, detect: Callable[..., Any], sleep: Callable[[float], None] = time.sleep) -> None:
        self._detect = detect
        self._sleep = sleep
        self.calls = 0

    def of(self, texts: list[Text]) -> list[Sentiment | SentimentError]:
        """Analyse texts, those of each language together.

        Returns
        -------
        For each text, in their order, its sentiment or why there is none; one text's failure is not another's.
        """
        outcomes: dict[int, Sentiment | SentimentError] = {}
        for language in dict.fromkeys(text.language for text in texts):
            positions = [position for position, text in enumerate(texts) if text.language == language]
            for batch in chunks(positions, BATCH_SIZE):
                self._analyse(language, {position: texts[position].content for position in batch}, outcomes)
        return [outcomes[position] for position in range(len(texts))]

    def _analyse(
        self, language: str, contents: dict[int, str], outcomes: dict[int, Sentiment | SentimentError]
    ) -> None:
        waiting = list(contents)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                self.calls += 1
                answer = self._detect(TextList=[contents[position] for position in waiting], LanguageCode=language)
            except ClientError as error:
                if error.response["Error"]["Code"] in _PERMANENT_EXCEPTIONS:
                    self._analyse_halves(language, {position: contents[position] for position in waiting}, outcomes)
                    return
                logger.warning("Comprehend failed", extra={"texts": len(waiting), "reason": str(error)})
                outcomes.update(dict.fromkeys(waiting, SentimentError(str(error))))
                return
            except Exception as error:  # the client's own retries are used up; each company is told why
                logger.warning("Comprehend failed", extra={"texts": len(waiting), "reason": str(error)})
                outcomes.update(dict.fromkeys(waiting, SentimentError(str(error))))
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
            if attempt < MAX_ATTEMPTS:
                self._sleep(full_jitter(attempt, base=0.3, cap=3))

    def _analyse_halves(
        self, language: str, contents: dict[int, str], outcomes: dict[int, Sentiment | SentimentError]
    ) -> None:
        """Find the text for which a whole call is refused, and analyse the others."""
        positions = list(contents)
        if len(positions) == 1:
            outcomes[positions[0]] = Sentiment("UNSUPPORTED")
            return
        for half in chunks(positions, -(-len(positions) // 2)):
            self._analyse(language, {position: contents[position] for position in half}, outcomes)


def _sentiment(item: dict[str, Any]) -> Sentiment:
    scores = item["SentimentScore"]
    return Sentiment(
        item["Sentiment"],
        Scores(*(round(scores[name], 6) for name in ("Positive", "Negative", "Neutral", "Mixed"))),
    )


def _item_error(item: dict[str, Any]) -> Sentiment | SentimentError:
    code = item.get("ErrorCode", "")
    logger.warning("text refused", extra={"code": code, "reason": item.get("ErrorMessage", "")})
    if code.upper().removesuffix("_EXCEPTION") in _PERMANENT:
        return Sentiment("UNSUPPORTED")
    return SentimentError(f"{code}: {item.get('ErrorMessage', '')}")
