"""Topics of the corpus: non-negative matrix factorisation of the documents' TF-IDF, with scikit-learn."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

_TERMS_OF_TOPIC = 8
_MAX_DEFAULT = 10
_ROUNDS = 500
# From this many documents on, a term of one document is its own affair, and one of nearly all says nothing.
_MANY = 10
_NEARLY_ALL = 0.8
_RANDOM_STATE = 0
_DIGITS = 6


class Topic(msgspec.Struct, frozen=True):
    """A topic.

    Attributes
    ----------
    terms
        Its words, the most important first.
    documents
        How many documents it is the main topic of.
    """

    number: int
    terms: list[str]
    documents: int


class Topics(msgspec.Struct, frozen=True):
    """The topics, and for each document its main topic's number and that topic's share of it, from 0 to 1."""

    topics: list[Topic]
    of_documents: list[tuple[int, float] | None]


def find_topics(terms: Sequence[Mapping[str, int]], number: int | None) -> Topics:
    """Divide a corpus into topics.

    Parameters
    ----------
    terms
        For each document how often it has which term.
    number
        How many topics; absent: the square root of the number of documents, at most 10.

    Returns
    -------
    At most `number` topics; there are never more than documents or terms. The same corpus has the same topics.
    """
    kept = _useful_terms(terms)
    rows = [row for row, counts in enumerate(kept) if counts]
    if not rows:
        return Topics([], [None] * len(terms))
    wanted = number or max(1, min(_MAX_DEFAULT, round(math.sqrt(len(rows)))))
    weights, components, names = _factorise([kept[row] for row in rows], wanted)
    # Topics that no document has are not shown; the others are numbered by how many documents they have.
    main = [max(range(len(row)), key=lambda topic, row=row: (row[topic], -topic)) for row in weights]
    sizes = {topic: main.count(topic) for topic in set(main)}
    order = sorted(sizes, key=lambda topic: (-sizes[topic], topic))
    numbers = {topic: place + 1 for place, topic in enumerate(order)}
    of_documents: list[tuple[int, float] | None] = [None] * len(terms)
    for row, topic, shares in zip(rows, main, weights, strict=True):
        total = sum(shares)
        if total > 0:
            of_documents[row] = (numbers[topic], round(shares[topic] / total, 3))
    topics = [Topic(numbers[topic], _top_terms(components[topic], names), sizes[topic]) for topic in order]
    return Topics(topics, of_documents)


def _useful_terms(terms: Sequence[Mapping[str, int]]) -> list[Mapping[str, int]]:
    if len(terms) < _MANY:
        return list(terms)
    documents: dict[str, int] = {}
    for counts in terms:
        for term in counts:
            documents[term] = documents.get(term, 0) + 1
    useful = {term for term, count in documents.items() if 1 < count <= _NEARLY_ALL * len(terms)}
    if not useful:
        return list(terms)
    return [{term: count for term, count in counts.items() if term in useful} for counts in terms]


def _factorise(
    terms: list[Mapping[str, int]], wanted: int
) -> tuple[list[list[float]], list[list[float]], Sequence[str]]:
    """Give the topics' weights in each document, the terms' weights in each topic, and the terms."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.feature_extraction.text import TfidfTransformer

    vectoriser = DictVectorizer()
    matrix = TfidfTransformer(sublinear_tf=True).fit_transform(vectoriser.fit_transform(terms))
    names: Sequence[str] = vectoriser.get_feature_names_out().tolist()
    number = min(wanted, *matrix.shape)
    model = NMF(n_components=cast("Any", number), init="nndsvda", max_iter=_ROUNDS, random_state=_RANDOM_STATE)
    with warnings.catch_warnings():
        # The topics of the last round are good enough to show. Where they are exact, what they leave of the corpus can
        # come out just below zero, and its root, which nobody asks for, is not a number.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        weights = model.fit_transform(matrix)
    # Rounded, so that two machines that add in another order come to the same.
    return weights.round(_DIGITS).tolist(), model.components_.round(_DIGITS).tolist(), names


def _top_terms(component: list[float], names: Sequence[str]) -> list[str]:
    order = sorted(range(len(names)), key=lambda term: (-component[term], names[term]))
    return [names[term] for term in order[:_TERMS_OF_TOPIC] if component[term] > 0]
