"""Types of requests for the sentiment of texts, and of their answers."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from schema.companies import Sentiment
from schema.languages import COMPREHEND
from schema.limits import COMPREHEND_TEXT_BYTES, COMPREHEND_TEXTS

Language: TypeAlias = Literal[COMPREHEND]  # pyright: ignore[reportInvalidTypeForm] - known at import
SentText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=COMPREHEND_TEXT_BYTES,
        description=f"At most {COMPREHEND_TEXT_BYTES:,} bytes of UTF-8",
        examples=["The new release is a joy to use."],
    ),
]
Score = Annotated[float, Meta(ge=0, le=1)]


class NewSentiments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts whose sentiment is asked for."""

    texts: Annotated[
        list[SentText], Meta(min_length=1, max_length=COMPREHEND_TEXTS, description=f"1 to {COMPREHEND_TEXTS} texts")
    ]
    language: Annotated[Language, Meta(description="Language of all of them")] = "en"


class Scores(msgspec.Struct, frozen=True):
    """How sure Amazon Comprehend is of each sentiment; together they make 1."""

    positive: Score
    negative: Score
    neutral: Score
    mixed: Score


class TextSentiment(msgspec.Struct, frozen=True):
    """The sentiment of one text, or why there is none."""

    label: Annotated[Sentiment | None, Meta(description="The sentiment")] = None
    scores: Scores | None = None
    error: Annotated[str | None, Meta(description="Why this text has no sentiment")] = None


class SentimentAnswer(msgspec.Struct, frozen=True):
    """The sentiments of the texts that were sent, in their order."""

    sentiments: list[TextSentiment]
