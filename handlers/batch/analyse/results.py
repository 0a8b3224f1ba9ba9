"""Results of an `analyse` job, as `analysis.json` has them."""

from __future__ import annotations

import msgspec

from handlers.batch.analyse.document import KeyPhrase
from handlers.batch.analyse.duplicates import DuplicateGroup
from handlers.batch.analyse.topics import Topic


class DocumentResult(msgspec.Struct, frozen=True, kw_only=True):
    """Published results of a document; `topic` is the number of its main topic."""

    name: str
    characters: int
    words: int
    language: str
    language_score: float
    sentiment: str | None
    scores: dict[str, float] | None
    key_phrases: list[KeyPhrase]
    summary: list[str]
    topic: int | None
    topic_share: float | None
    nearly_same_as: str | None


class CorpusResult(msgspec.Struct, frozen=True, kw_only=True):
    """Published results of all documents.

    Attributes
    ----------
    key_phrases
        The phrases with the highest scores over all documents.
    """

    documents: list[DocumentResult]
    topics: list[Topic]
    near_duplicates: list[DuplicateGroup]
    languages: dict[str, int]
    sentiments: dict[str, int]
    key_phrases: list[KeyPhrase]
