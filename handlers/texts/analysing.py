"""Analysing texts that a caller sends, at once."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.common.problems import FieldError, invalid
from handlers.sentiment.sentiments import Outcome, SentimentError, Sentiments
from handlers.sentiment.texts import Text
from handlers.texts.models import NewSentiments, Scores, SentimentAnswer, TextSentiment
from schema.limits import COMPREHEND_TEXT_BYTES
from schema.prices import UNIT_CHARACTERS, comprehend_units


def billed_characters(new: NewSentiments) -> int:
    """Count the characters that Amazon Comprehend bills for texts: whole hundreds, and at least 300 for each.

    Raises
    ------
    Problem
        Some texts are too long.
    """
    too_long = [number for number, text in enumerate(new.texts) if len(text.encode()) > COMPREHEND_TEXT_BYTES]
    if too_long:
        expected = f"at most {COMPREHEND_TEXT_BYTES} bytes"
        raise invalid(*(FieldError(f"texts[{number}]", expected) for number in too_long))
    return sum(comprehend_units(text) for text in new.texts) * UNIT_CHARACTERS


def analyse(comprehend: Any, new: NewSentiments) -> SentimentAnswer:
    """Analyse the sentiment of texts with Amazon Comprehend.

    Parameters
    ----------
    comprehend
        A Comprehend client.
    new
        The texts, none of which is too long.

    Returns
    -------
    For each text its sentiment, or why it has none; a text that fails does not fail the others.

    Raises
    ------
    botocore.exceptions.ClientError
        Comprehend refused a whole call.
    """
    texts = [Text(content, new.language, revision="") for content in new.texts]
    outcomes = Sentiments(comprehend.batch_detect_sentiment).analyse(texts)
    for outcome in outcomes:
        if isinstance(outcome, SentimentError) and outcome.failed_call:
            raise outcome.failed_call
    return SentimentAnswer([_answer(outcome) for outcome in outcomes])


def _answer(outcome: Outcome) -> TextSentiment:
    if isinstance(outcome, SentimentError):
        return TextSentiment(error="The text could not be analysed this time. Try again.")
    if outcome.scores is None:
        return TextSentiment(error="The text cannot be analysed.")
    scores = msgspec.convert(outcome.scores, Scores, from_attributes=True)
    return msgspec.convert({"label": outcome.label, "scores": scores}, TextSentiment)
