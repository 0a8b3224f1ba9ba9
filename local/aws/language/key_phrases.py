"""Key phrases of a text: runs of words that neither a common word nor punctuation interrupts, with their article.

Comprehend finds noun phrases with a model. This finds what such phrases look like from outside, which is enough to work
with real phrases, at their real places; some of them hold a verb that Comprehend would leave out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from local.aws.language.languages import STOP_WORDS

_TOKEN = re.compile(r"[^\W_]+(?:['’.\-&][^\W_]+|,(?<=\d,)\d+)*|[^\w\s]|_+")  # noqa: RUF001 - the apostrophe that texts have
_CHINESE_RUN = re.compile(r"[\u4e00-\u9fff\u30a0-\u30ff]{2,}")
_UNSPACED = frozenset({"ja", "zh", "zh-TW"})
_ARTICLE_WORDS = (
    "a an the der die das den dem des ein eine einen einem einer le la les un une des el los las una il lo gli uno "
    "o os as um uma de het een"
)
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
_MAX_WORDS = 5
_MIN_CHARACTERS = 3
# A phrase of several words is surer to be one than a single word.
_SCORE_OF_WORD, _SCORE_OF_PHRASE = 0.9, 0.99


class KeyPhrase(NamedTuple):
    """A phrase, where it begins and ends (in characters), and the confidence that it is one."""

    text: str
    begin: int
    end: int
    score: float


def key_phrases(text: str, language: str) -> list[KeyPhrase]:
    """Return the key phrases of a text in their order.

    Parameters
    ----------
    text
        Text of any length.
    language
        Code of its language, such as ``en``; without common words of it, only punctuation ends a phrase.
    """
    spans = _unspaced_runs(text) if language in _UNSPACED else _runs(text, language)
    return [
        KeyPhrase(text[begin:end], begin, end, _SCORE_OF_PHRASE if words > 1 else _SCORE_OF_WORD)
        for begin, end, words in spans
    ]


def _unspaced_runs(text: str) -> Iterator[tuple[int, int, int]]:
    return ((match.start(), match.end(), match.end() - match.start()) for match in _CHINESE_RUN.finditer(text))


def _runs(text: str, language: str) -> Iterator[tuple[int, int, int]]:
    """Give begin, end and number of words of each run."""
    stop_words = STOP_WORDS.get(language.partition("-")[0], frozenset())
    run: list[re.Match[str]] = []
    article: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        word = token.group().lower()
        if word not in stop_words and word[0].isalnum():
            run.append(token)
            continue
        yield from _span(run, article)
        run, article = [], token if word in _ARTICLES else None
    yield from _span(run, article)


def _span(run: list[re.Match[str]], article: re.Match[str] | None) -> Iterator[tuple[int, int, int]]:
    kept = run[:_MAX_WORDS]
    if not kept or all(token.group().isdigit() for token in kept):
        return
    first = article or kept[0]
    words = len(kept) + (article is not None)
    if words > 1 or len(kept[0].group()) >= _MIN_CHARACTERS:
        yield first.start(), kept[-1].end(), words
