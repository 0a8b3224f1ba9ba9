"""Analysis of one document, collected part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from handlers.batch.analyse.counting import FrequentCounter
from handlers.batch.analyse.duplicates import SIGNATURE_LENGTH, Signature
from handlers.batch.analyse.summary import SentenceSample, summarise
from handlers.batch.analyse.words import terms, words
from handlers.batch.budget import Budget
from handlers.batch.isolation.messages import Finding
from handlers.batch.sentences import pack, split_sentences
from schema.limits import COMPREHEND_TEXT_BYTES

SENTIMENTS = ("POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED")
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
    language: Annotated[str, Meta(max_length=20)]
    language_score: float
    sentiment: Annotated[str, Meta(pattern=f"^({'|'.join(SENTIMENTS)})$")] | None
    scores: tuple[float, float, float, float] | None
    key_phrases: Annotated[list[KeyPhrase], Meta(max_length=_PHRASES)]
    summary: Annotated[list[str], Meta(max_length=100)]
    terms: Annotated[dict[str, int], Meta(max_length=_TERMS)]
    signature: Annotated[list[Annotated[int, Meta(ge=0, lt=2**32)]], Meta(max_length=SIGNATURE_LENGTH)]


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
    budget
        Counts the characters of the document.
    language
        Language of the whole document; empty until it is detected.

    Attributes
    ----------
    language
        As above.
    """

    def __init__(self, budget: Budget, language: str) -> None:
        self.language = language
        self._budget = budget
        self._language_score = 1.0
        self._words = 0
        self._weight = 0
        self._scores = [0, 0, 0, 0]
        self._phrases = FrequentCounter(_PHRASE_CAPACITY)
        self._terms = FrequentCounter(_TERM_CAPACITY)
        self._sentences = SentenceSample()
        self._signature = Signature()

    def set_language(self, code: str, score: float) -> None:
        """Take the detected language, and how sure it is."""
        self.language, self._language_score = code, score

    def read(self, text: str) -> None:
        """Take the words and sentences of the next part, once the language is known."""
        found = words(text)
        self._words += len(found)
        self._terms.add(terms(found, self.language))
        self._signature.add(found)
        for line in text.splitlines():
            sentences = (sentence.strip() for sentence in split_sentences(line, self.language))
            self._sentences.add(sentence for sentence in sentences if sentence)

    def add(self, text: str, finding: Finding) -> None:
        """Take sentiment and key phrases of a part; the sentiment weighs as much as the part is long."""
        self._weight += len(text)
        for place, score in enumerate(finding.scores):
            self._scores[place] += round(score * _MILLION) * len(text)
        for phrase, score in finding.phrases:
            shown = " ".join(phrase.split()).casefold()
            if shown and shown.count(" ") < _PHRASE_WORDS:
                self._phrases.add_weight(shown, round(score * _MILLION))

    def analysis(self, summary_sentences: int) -> Analysis:
        """Return what was found, after all parts have been taken; who has asked for it adds the name."""
        scores = [round(score / self._weight / _MILLION, 4) for score in self._scores] if self._weight else None
        return Analysis(
            name="",
            characters=self._budget.characters,
            words=self._words,
            language=self.language,
            language_score=round(self._language_score, 4),
            sentiment=SENTIMENTS[scores.index(max(scores))] if scores else None,
            scores=(scores[0], scores[1], scores[2], scores[3]) if scores else None,
            key_phrases=[KeyPhrase(text, round(score / _MILLION, 3)) for text, score in self._phrases.top(_PHRASES)],
            summary=summarise(self._sentences.sentences, summary_sentences, self.language),
            terms=dict(self._terms.top(_TERMS)),
            signature=self._signature.values(),
        )
