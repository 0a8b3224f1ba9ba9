"""Extractive summary: the sentences of a document that are most like all its others (TextRank on TF-IDF).

Source of the method: Mihalcea and Tarau, TextRank, EMNLP 2004. The similarity matrix S = X X' is never made:
multiplying with X' and then X costs no more than the sentences have words, so a document's length never counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from handlers.batch.analyse.words import terms, words

# Sentences that a summary is chosen from.
CAPACITY = 1000
_DAMPING = 0.85
_ROUNDS = 30
_MIN_WORDS, _MAX_WORDS = 5, 60
# Cosine above which a sentence says what another in the summary says already.
_SAME = 0.6


class SentenceSample:
    """Sentences of a document, evenly spread over its length when it has more than there is room for."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._stride = 1
        self._seen = 0
        self.sentences: list[str] = []

    def add(self, sentences: Iterable[str]) -> None:
        """Take the document's next sentences."""
        for sentence in sentences:
            if self._seen % self._stride == 0:
                self.sentences.append(sentence)
                if len(self.sentences) >= 2 * self._capacity:
                    self.sentences = self.sentences[::2]
                    self._stride *= 2
            self._seen += 1


def summarise(sentences: list[str], number: int, language: str) -> list[str]:
    """Choose the sentences that stand for a document.

    Parameters
    ----------
    sentences
        In their order.
    number
        How many to choose.
    language
        Of the sentences.

    Returns
    -------
    At most `number` sentences, in their order, no two of them saying nearly the same.
    """
    candidates = _candidates(sentences)
    if len(candidates) <= number:
        return [sentences[place] for place in candidates]
    from sklearn.feature_extraction.text import TfidfVectorizer

    def analyse(sentence: str) -> list[str]:
        return terms(words(sentence), language)

    vectoriser = TfidfVectorizer(analyzer=cast("Any", analyse), sublinear_tf=True)
    try:
        matrix = vectoriser.fit_transform(sentences[place] for place in candidates)
    except ValueError:  # not one word that can name a subject
        return [sentences[place] for place in candidates[:number]]
    chosen = _choose(matrix, _ranks(matrix), number)
    return [sentences[candidates[row]] for row in sorted(chosen)]


def _candidates(sentences: list[str]) -> list[int]:
    """Places of sentences that are neither a heading nor a whole page; of all that are not empty where none is."""
    lengths = [len(words(sentence)) for sentence in sentences]
    seen: set[str] = set()
    different = []
    for place, sentence in enumerate(sentences):
        if sentence not in seen and lengths[place]:
            different.append(place)
            seen.add(sentence)
    good = [place for place in different if _MIN_WORDS <= lengths[place] <= _MAX_WORDS]
    return good or different


def _ranks(matrix: Any) -> list[float]:
    import numpy

    rows = matrix.shape[0]
    transposed = matrix.T
    # A sentence is not its own neighbour: its similarity to itself is 1 when it has words, and is taken away.
    own = numpy.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    degrees = matrix @ (transposed @ numpy.ones(rows)) - own
    shares = numpy.divide(1.0, degrees, out=numpy.zeros(rows), where=degrees > 1e-12)
    ranks = numpy.full(rows, 1 / rows)
    for _ in range(_ROUNDS):
        given = ranks * shares
        ranks = (1 - _DAMPING) / rows + _DAMPING * (matrix @ (transposed @ given) - own * given)
    return ranks.tolist()


def _choose(matrix: Any, ranks: list[float], number: int) -> list[int]:
    import numpy

    # Rounded, so that two machines that add in another order choose the same.
    order = sorted(range(len(ranks)), key=lambda row: (-round(ranks[row], 9), row))
    chosen: list[int] = []
    likeness = numpy.zeros(len(ranks))
    for row in order:
        if len(chosen) == number:
            break
        if likeness[row] < _SAME:
            chosen.append(row)
            likeness = numpy.maximum(likeness, (matrix @ matrix[row].T).toarray().ravel())
    return chosen
