"""Analysis of one document, collected part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from handlers.batch.analyse.counting import FrequentCounter
from handlers.batch.analyse.duplicates import Signature
from handlers.batch.analyse.summary import SentenceSample, summarise
from handlers.batch.analyse.words import terms, words
from handlers.batch.budget import Budget
from handlers.batch.comprehend import Answer, dominant_language
from handlers.batch.errors import DocumentError
from handlers.batch.sentences import pack, split_sentences
from schema.limits import COMPREHEND_TEXT_BYTES

SENTIMENTS = ("POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED")
_SCORES = ("Positive", "Negative", "Neutral", "Mixed")
# Terms of a document by which its topics are found.
_TERMS = 1000
_TERM_CAPACITY = 20_000
_PHRASES = 10
_PHRASE_CAPACITY = 10_000
_PHRASE_WORDS = 6
# Scores are counted in millionths, so that sums do not depend on their order.
_MILLION = 1_000_000


class KeyPhrase(msgspec.Struct, frozen=True):
    """A phrase and its weight: the sum of Comprehend's scores over all its places."""

    text: str
    score: float


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """Results of a document.

    Attributes
    ----------
    sentiment, scores
        None where Amazon Comprehend does not support the language. Scores in the order of `SENTIMENTS`.
    terms, signature
        For finding topics and near-duplicates in the corpus.
    """

    name: str
    characters: int
    words: int
    language: str
    language_score: float
    sentiment: str | None
    scores: tuple[float, float, float, float] | None
    key_phrases: list[KeyPhrase]
    summary: list[str]
    terms: dict[str, int]
    signature: list[int]


def text_parts(paragraphs: Iterator[str], language: str) -> Iterator[str]:
    """Join paragraphs to texts that Amazon Comprehend accepts; longer paragraphs are cut between sentences."""

    def lines() -> Iterator[str]:
        for paragraph in paragraphs:
            if len(paragraph.encode()) < COMPREHEND_TEXT_BYTES:
                yield paragraph + "\n"
            else:
                yield from split_sentences(paragraph + "\n", language)

    for part in pack(lines(), COMPREHEND_TEXT_BYTES):
        if part.strip():
            yield part.strip()


class DocumentAnalyser:
    """Collects what is found in the parts of a document.

    Parameters
    ----------
    name
        Path below the project's documents.
    budget
        Time limit of the document, and where usage is counted.
    language
        Language of the whole document; empty until it is detected.

    Attributes
    ----------
    name, budget, language
        As above.
    failure
        Why the document cannot be analysed; empty while it can be.
    """

    def __init__(self, name: str, budget: Budget, language: str) -> None:
        self.name = name
        self.budget = budget
        self.language = language
        self.language_score = 1.0
        self.failure = ""
        self._words = 0
        self._weight = 0
        self._scores = [0, 0, 0, 0]
        self._phrases = FrequentCounter(_PHRASE_CAPACITY)
        self._terms = FrequentCounter(_TERM_CAPACITY)
        self._sentences = SentenceSample()
        self._signature = Signature()

    def fail(self, reason: str) -> None:
        """Give the document up; the first reason counts."""
        self.failure = self.failure or reason

    def add_language(self, answer: Answer) -> None:
        """Take the detected language; a failed detection fails the document."""
        if isinstance(answer, DocumentError):
            self.fail(str(answer))
        else:
            self.language, self.language_score = dominant_language(answer)

    def read(self, text: str) -> None:
        """Take the words and sentences of the next part, once the language is known."""
        found = words(text)
        self._words += len(found)
        self._terms.add(terms(found, self.language))
        self._signature.add(found)
        for line in text.splitlines():
            sentences = (sentence.strip() for sentence in split_sentences(line, self.language))
            self._sentences.add(sentence for sentence in sentences if sentence)

    def add_answers(self, text: str, sentiment: Answer, phrases: Answer) -> None:
        """Take sentiment and key phrases of a part; a failed detection fails the document."""
        for answer in (sentiment, phrases):
            if isinstance(answer, DocumentError):
                self.fail(str(answer))
        if not isinstance(sentiment, DocumentError) and not isinstance(phrases, DocumentError):
            self._add_sentiment(text, sentiment)
            self._add_key_phrases(phrases)

    def _add_sentiment(self, text: str, answer: dict[str, Any]) -> None:
        """Weigh the sentiment of a part by the part's length."""
        self._weight += len(text)
        for place, name in enumerate(_SCORES):
            self._scores[place] += round(answer["SentimentScore"][name] * _MILLION) * len(text)

    def _add_key_phrases(self, answer: dict[str, Any]) -> None:
        for phrase in answer["KeyPhrases"]:
            text = " ".join(phrase["Text"].split()).casefold()
            if text and text.count(" ") < _PHRASE_WORDS:
                self._phrases.add_weight(text, round(phrase["Score"] * _MILLION))

    def analysis(self, summary_sentences: int) -> Analysis:
        """Return what was found, after all parts have been taken."""
        scores = [round(score / self._weight / _MILLION, 4) for score in self._scores] if self._weight else None
        return Analysis(
            name=self.name,
            characters=self.budget.characters,
            words=self._words,
            language=self.language,
            language_score=round(self.language_score, 4),
            sentiment=SENTIMENTS[scores.index(max(scores))] if scores else None,
            scores=(scores[0], scores[1], scores[2], scores[3]) if scores else None,
            key_phrases=[KeyPhrase(text, round(score / _MILLION, 3)) for text, score in self._phrases.top(_PHRASES)],
            summary=summarise(self._sentences.sentences, summary_sentences, self.language),
            terms=dict(self._terms.top(_TERMS)),
            signature=self._signature.values(),
        )
