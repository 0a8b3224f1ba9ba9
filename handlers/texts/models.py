"""The sentiment of texts that a caller sends: what requests bring and answers hold."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_TEXTS = 25
# Amazon Comprehend: at most 5,000 bytes of UTF-8 a document.
MAX_TEXT_BYTES = 5000
Language = Literal["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "pt", "zh", "zh-TW"]
SentText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT_BYTES,
        description="At most 5,000 bytes of UTF-8",
        examples=["The new release is a joy to use."],
    ),
]
Score = Annotated[float, Meta(ge=0, le=1)]


class NewSentiments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts whose sentiment is asked for."""

    texts: Annotated[list[SentText], Meta(min_length=1, max_length=MAX_TEXTS, description="1 to 25 texts")]
    language: Annotated[Language, Meta(description="Language of all of them")] = "en"


class Scores(msgspec.Struct, frozen=True):
    """How sure Amazon Comprehend is of each sentiment; together they make 1."""

    positive: Score
    negative: Score
    neutral: Score
    mixed: Score


class TextSentiment(msgspec.Struct, frozen=True):
    """The sentiment of one text, or why there is none."""

    label: Annotated[Literal["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"] | None, Meta(description="The sentiment")] = (
        None
    )
    scores: Scores | None = None
    error: Annotated[str | None, Meta(description="Why this text has no sentiment")] = None


class SentimentAnswer(msgspec.Struct, frozen=True):
    """The sentiments of the texts that were sent, in their order."""

    sentiments: list[TextSentiment]
