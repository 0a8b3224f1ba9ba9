"""Extractive summary: the sentences of a document that are most like all its others (TextRank on TF-IDF).

Source of the method: Mihalcea and Tarau, TextRank, EMNLP 2004. The similarity matrix S = X X' is never made:
multiplying with X' and then X costs no more than the sentences have words, so a document's length never counts twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from handlers.batch.analyse.words import terms, words

if TYPE_CHECKING:
    import numpy

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
    matrix = _Matrix.of_texts([terms(words(sentences[place]), language) for place in candidates])
    if matrix is None:  # not one word that can name a subject
        return [sentences[place] for place in candidates[:number]]
    chosen = _choose(matrix, _ranks(matrix), number)
    return [sentences[candidates[row]] for row in sorted(chosen)]


class _Matrix:
    """TF-IDF of sentences: one row per sentence, of length 1, or 0 where it has no term.

    Only what is not zero is kept: entry `n` is `values[n]` in row `rows[n]` and column `columns[n]`. The weights are
    those of scikit-learn's `TfidfVectorizer` with `sublinear_tf`, which takes too long to load for a single document.
    """

    def __init__(self, rows: numpy.ndarray, columns: numpy.ndarray, values: numpy.ndarray, height: int) -> None:
        self.height = height
        self._rows = rows
        self._columns = columns
        self._values = values
        self._width = int(columns.max()) + 1
        # Entries of row `n` are those from `starts[n]` on.
        self._starts = rows.searchsorted(range(height + 1))

    @classmethod
    def of_texts(cls, texts: Sequence[Sequence[str]]) -> _Matrix | None:
        """Make the matrix of sentences, given by their terms; None where none has a term."""
        import numpy

        numbers: dict[str, int] = {}
        entries = [
            (row, numbers.setdefault(term, len(numbers)), count)
            for row, text in enumerate(texts)
            for term, count in Counter(text).items()
        ]
        if not entries:
            return None
        rows, columns, counts = (numpy.array(values) for values in zip(*entries, strict=True))
        rarity = numpy.log((1 + len(texts)) / (1 + numpy.bincount(columns))) + 1
        values = (1 + numpy.log(counts)) * rarity[columns]
        lengths = numpy.sqrt(numpy.bincount(rows, values * values, len(texts)))
        return cls(rows, columns, values / lengths[rows], len(texts))

    def times(self, vector: numpy.ndarray) -> numpy.ndarray:
        """Multiply with a vector."""
        import numpy

        return numpy.bincount(self._rows, self._values * vector[self._columns], self.height)

    def transposed_times(self, vector: numpy.ndarray) -> numpy.ndarray:
        """Multiply the transposed matrix with a vector."""
        import numpy

        return numpy.bincount(self._columns, self._values * vector[self._rows], self._width)

    def likeness_to(self, row: int) -> numpy.ndarray:
        """Cosine of each row and one of them."""
        import numpy

        one = numpy.zeros(self._width)
        entries = slice(self._starts[row], self._starts[row + 1])
        one[self._columns[entries]] = self._values[entries]
        return self.times(one)

    def squares(self) -> numpy.ndarray:
        """Squares of the lengths of all rows."""
        import numpy

        return numpy.bincount(self._rows, self._values * self._values, self.height)


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


def _ranks(matrix: _Matrix) -> list[float]:
    import numpy

    # A sentence is not its own neighbour: its similarity to itself is 1 when it has words, and is taken away.
    own = matrix.squares()
    degrees = matrix.times(matrix.transposed_times(numpy.ones(matrix.height))) - own
    shares = numpy.divide(1.0, degrees, out=numpy.zeros(matrix.height), where=degrees > 1e-12)
    ranks = numpy.full(matrix.height, 1 / matrix.height)
    for _ in range(_ROUNDS):
        given = ranks * shares
        near = matrix.times(matrix.transposed_times(given)) - own * given
        ranks = (1 - _DAMPING) / matrix.height + _DAMPING * near
    return ranks.tolist()


def _choose(matrix: _Matrix, ranks: list[float], number: int) -> list[int]:
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
            likeness = numpy.maximum(likeness, matrix.likeness_to(row))
    return chosen
