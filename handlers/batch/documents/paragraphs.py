"""Translation of a paragraph whose text is in several spans, such as plain, bold and plain again.

A sentence inside one span is translated by itself and put back exactly. A sentence that goes over several spans is
translated as a whole, because fragments would be translated wrongly, and its translation is divided among the spans:
words that are the same in both languages (names, numbers) are fixed points, between them the share of words decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from handlers.batch.sentences import split_sentences

_SPACES = re.compile(r"[ \t\r\n\f\v]+")
# A character of a script without spaces between words, a word, or one other sign.
_TOKEN = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+|[^\w\s]")
# Comparing words is quadratic at worst; longer sentences are divided by shares alone.
_MAX_COMPARED = 150
# How far a border may move, in words, to one that has a space where the source has one.
_SNAP = 2


class Part(NamedTuple):
    """A sentence's share of a span: characters `start` to `end` of span number `span`."""

    span: int
    start: int
    end: int


class Unit(NamedTuple):
    """What is translated in one go.

    Attributes
    ----------
    text
        What the engine gets: white space at the edges removed, inner white space made single spaces.
    """

    parts: list[Part]
    text: str


class Paragraph:
    """The spans of a paragraph and the units they are translated in.

    Parameters
    ----------
    spans
        Texts in reading order.
    glue
        What is between two spans for a reader: one entry less than spans, each empty or a space.
    language
        For the splitting into sentences.

    Attributes
    ----------
    spans
        As given.
    units
        What has to be translated; spans without a letter are not part of any.
    """

    def __init__(self, spans: Sequence[str], glue: Sequence[str], language: str) -> None:
        self.spans = spans
        self._glue = glue
        self.units = [unit for unit in self._split(language) if any(map(str.isalpha, unit.text))]

    def spans_of(self, translations: Sequence[str]) -> list[str]:
        """Give the new text of each span, from the translation of each unit."""
        pieces: list[list[tuple[int, int, str]]] = [[] for _ in self.spans]
        for unit, translation in zip(self.units, translations, strict=True):
            if translation == unit.text:
                continue
            for part, text in zip(unit.parts, self._divide(unit, translation), strict=True):
                pieces[part.span].append((part.start, part.end, text))
        return [_replace(span, changes) for span, changes in zip(self.spans, pieces, strict=True)]

    def _split(self, language: str) -> Iterator[Unit]:
        if len(self.spans) == 1:
            yield self._unit([Part(0, 0, len(self.spans[0]))])
            return
        held: list[Part] = []
        for parts in self._sentences(language):
            # Sentences that follow each other in one span are one unit, for the engine's sake.
            if len(parts) == len(held) == 1 and parts[0].span == held[0].span:
                held = [Part(held[0].span, held[0].start, parts[0].end)]
                continue
            if held:
                yield self._unit(held)
            held = parts
        if held:
            yield self._unit(held)

    def _sentences(self, language: str) -> Iterator[list[Part]]:
        """Give the parts of each sentence, without those that are white space."""
        whole = "".join(span + glue for span, glue in zip(self.spans, [*self._glue, ""], strict=True))
        starts = [0]
        for span, glue in zip(self.spans, [*self._glue, ""], strict=True):
            starts.append(starts[-1] + len(span) + len(glue))
        position, first = 0, 0
        for sentence in split_sentences(whole, language):
            end = position + len(sentence)
            while starts[first + 1] <= position:
                first += 1
            parts = []
            for number in range(first, len(self.spans)):
                if starts[number] >= end:
                    break
                length = len(self.spans[number])
                low, high = max(position - starts[number], 0), min(end - starts[number], length)
                if self.spans[number][low:high].strip():
                    parts.append(Part(number, low, high))
            if parts:
                yield parts
            position = end

    def _unit(self, parts: list[Part]) -> Unit:
        texts = [self.spans[part.span][part.start : part.end] for part in parts]
        for index, (left, right) in enumerate(pairwise(parts)):
            texts[index] += "".join(self._glue[left.span : right.span]) or _skipped(self.spans, left, right)
        return Unit(parts, _SPACES.sub(" ", "".join(texts)).strip())

    def _divide(self, unit: Unit, translation: str) -> list[str]:
        sources = [self.spans[part.span][part.start : part.end] for part in unit.parts]
        glued = [
            bool("".join(self._glue[left.span : right.span]) or _skipped(self.spans, left, right))
            for left, right in pairwise(unit.parts)
        ]
        return divide(sources, glued, translation.strip())


def _skipped(spans: Sequence[str], left: Part, right: Part) -> str:
    """Spans of white space between two parts count as a space."""
    return " " if any(spans[left.span + 1 : right.span]) else ""


def _replace(span: str, changes: list[tuple[int, int, str]]) -> str:
    texts: list[str] = []
    position = 0
    for start, end, text in changes:
        texts += [span[position:start], text]
        position = end
    return "".join([*texts, span[position:]])


def divide(sources: Sequence[str], glued: Sequence[bool], translation: str) -> list[str]:
    """Divide the translation of a sentence among its parts.

    Parameters
    ----------
    sources
        The sentence's parts. White space at their edges stays where it is, as far as the translation has some there.
    glued
        For each border between two parts, whether something that is not text separates them for a reader.
    translation
        Of all parts together, without white space at its edges.

    Returns
    -------
    One text a part. Each has at least one word, unless the translation has fewer words than there are parts.
    """
    edges = [_edges(source) for source in sources]
    if len(sources) == 1:
        return [edges[0][0] + translation + edges[0][2]]
    tokens = list(_TOKEN.finditer(translation))
    starts = [token.start() for token in tokens]
    spaced = [position > 0 and translation[position - 1].isspace() for position in starts]
    wanted = [bool(glue or left[2] or right[0]) for glue, (left, right) in zip(glued, pairwise(edges), strict=True)]
    cuts = _cuts(sources, [token[0].casefold() for token in tokens], spaced, wanted)
    offsets = [0, *((starts[cut] if cut < len(starts) else len(translation)) for cut in cuts), len(translation)]
    texts = [translation[low:high].strip() for low, high in pairwise(offsets)]
    for index, cut in enumerate(cuts):
        has_space = cut < len(spaced) and spaced[cut]
        before, after = edges[index][2], edges[index + 1][0]
        if glued[index]:
            texts[index] += before
            texts[index + 1] = after + texts[index + 1]
        elif has_space:
            texts[index] += before
            texts[index + 1] = (after or ("" if before else " ")) + texts[index + 1]
    return [edges[0][0] + texts[0], *texts[1:-1], texts[-1] + edges[-1][2]]


def _edges(source: str) -> tuple[str, str, str]:
    inner = source.strip()
    start = source.find(inner) if inner else len(source)
    return source[:start], inner, source[start + len(inner) :]


def _cuts(sources: Sequence[str], target: list[str], spaced: list[bool], wanted: list[bool]) -> list[int]:
    """Give for each border the number of the first token of the translation that is behind it."""
    words = [[token.casefold() for token in _TOKEN.findall(source)] for source in sources]
    points = _fixed_points([word for part in words for word in part], target)
    cuts: list[int] = []
    border, segment = 0, 0
    for index, part in enumerate(words[:-1]):
        border += len(part)
        while segment + 2 < len(points) and points[segment + 1][0] < border:
            segment += 1
        (low, new_low), (high, new_high) = points[segment], points[segment + 1]
        share = (border - low) / (high - low) if high > low else 0.0
        cut = _snap(round(new_low + share * (new_high - new_low)), spaced, wanted[index])
        floor = cuts[-1] + 1 if cuts else 1
        ceiling = len(target) - (len(words) - 1 - index)
        cuts.append(max(min(max(cut, floor), ceiling), cuts[-1] if cuts else 0))
    return cuts


def _fixed_points(source: list[str], target: list[str]) -> list[tuple[int, int]]:
    """Give pairs of token numbers that belong together, from the beginning to the end of the sentence."""
    points = [(0, 0)]
    if len(source) <= _MAX_COMPARED and len(target) <= _MAX_COMPARED:
        for low, new_low, length in SequenceMatcher(None, source, target, autojunk=False).get_matching_blocks():
            # A sign such as a comma is in every sentence and fixes nothing.
            if any(word[0].isalnum() for word in source[low : low + length]):
                points += [(low, new_low), (low + length, new_low + length)]
    return [*points, (len(source), len(target))]


def _snap(cut: int, spaced: list[bool], wanted: bool) -> int:
    """Move a border to the nearest place that has a space where the source has one, and none where it has none."""
    for distance in range(_SNAP + 1):
        for moved in (cut + distance, cut - distance):
            if 0 < moved < len(spaced) and spaced[moved] == wanted:
                return moved
    return cut
