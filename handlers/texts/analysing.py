"""Analysing texts that a caller sends, at once."""

from __future__ import annotations

from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from handlers.common.problems import FieldError, invalid
from handlers.sentiment.sentiments import Sentiment, SentimentError, Sentiments
from handlers.sentiment.texts import Text
from handlers.texts.models import MAX_TEXT_BYTES, NewSentiments, Scores, SentimentAnswer, TextSentiment


def analyse(comprehend: Any, new: NewSentiments) -> SentimentAnswer:
    """Ask Amazon Comprehend for the sentiment of texts.

    Parameters
    ----------
    comprehend
        A Comprehend client.
    new
        The texts.

    Returns
    -------
    For each text its sentiment, or why it has none: one text's failure is not another's.

    Raises
    ------
    Problem
        Some texts are too long.
    botocore.exceptions.ClientError
        Comprehend refused the whole call.
    """
    too_long = [number for number, text in enumerate(new.texts) if len(text.encode()) > MAX_TEXT_BYTES]
    if too_long:
        raise invalid(*(FieldError(f"texts[{number}]", f"at most {MAX_TEXT_BYTES} bytes") for number in too_long))
    failures: list[Exception] = []

    def detect(**request: Any) -> Any:
        try:
            return comprehend.batch_detect_sentiment(**request)
        except (ClientError, BotoCoreError) as error:
            failures.append(error)
            raise

    texts = [Text(content, new.language, revision="") for content in new.texts]
    sentiments = Sentiments(detect).of(texts)
    if failures:
        raise failures[0]
    return SentimentAnswer([_answer(sentiment) for sentiment in sentiments])


def _answer(sentiment: Sentiment | SentimentError) -> TextSentiment:
    if isinstance(sentiment, SentimentError):
        return TextSentiment(error="The text could not be analysed this time. Try again.")
    if sentiment.scores is None:
        return TextSentiment(error="The text cannot be analysed.")
    scores = msgspec.convert(sentiment.scores, Scores, from_attributes=True)
    return msgspec.convert({"label": sentiment.label, "scores": scores}, TextSentiment)
