"""Sentences of a text, by sentencex (Wikimedia): knows decimals and the abbreviations of some 300 languages.

No character is lost, which is what all callers rely on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# sentencex 1.0.32 fails on a space of several bytes before a full stop, so it gets an ordinary one.
_UNUSUAL_SPACE = re.compile(r"[^\S \t\r\n]")
# Signs such as quotes that never end make sentencex 1.0.32 look at a text again and again, so no text is longer.
_PORTION = 20_000
# The language that is assumed where none is known; sentencex falls back to its rules for an unknown code as well.
DEFAULT_LANGUAGE = "en"


def split_sentences(text: str, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """Split a text into sentences, each with the white space that follows it.

    Parameters
    ----------
    text
        Text of any length.
    language
        Language code; of `zh-TW` only the part before the hyphen counts.

    Returns
    -------
    The sentences, which joined are the text.
    """
    if not text:
        return []
    sentences: list[str] = []
    position = 0
    for length in _lengths(_UNUSUAL_SPACE.sub(" ", text), language.partition("-")[0]):
        sentences.append(text[position : position + length])
        position += length
    return sentences


def _lengths(text: str, language: str) -> Iterator[int]:
    """Give the lengths of the sentences. A long text is looked at in portions, which end between two sentences."""
    position = 0
    while position < len(text):
        portion = text[position : position + _PORTION]
        lengths = [len(sentence) for sentence in _segment(portion, language)]
        if position + len(portion) < len(text) and len(lengths) > 1:
            lengths.pop()  # the portion's end has cut it
        yield from lengths
        position += sum(lengths)


def _segment(text: str, language: str) -> list[str]:
    """Give the library's sentences; the whole text where it fails, which must not cost a user their document."""
    from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    try:
        sentences = list(segment(language, text))
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how a Rust library's own errors arrive, and no `Exception`
            raise
        return [text]
    return sentences if "".join(sentences) == text else [text]


def pack(parts: Iterable[str], limit: int) -> Iterator[str]:
    """Join consecutive parts as long as the result has at most `limit` bytes of UTF-8.

    Parameters
    ----------
    parts
        Texts such as sentences; one that is too long by itself is cut, at white space where there is some.
    limit
        Bytes, at least 4: the longest character.
    """
    held: list[str] = []
    size = 0
    for part in parts:
        for piece in _cut(part, limit):
            length = len(piece.encode())
            if held and size + length > limit:
                yield "".join(held)
                held, size = [], 0
            held.append(piece)
            size += length
    if held:
        yield "".join(held)


def cut_between_sentences(text: str, language: str, limit: int) -> Iterator[str]:
    """Cut a text that is too long between its sentences; a shorter one comes as it is.

    Parameters
    ----------
    text
        Text of any length.
    language
        Its language.
    limit
        Most bytes of UTF-8 in a part.

    Yields
    ------
    Parts without white space around them.
    """
    if len(text.encode()) <= limit:
        yield text
        return
    for piece in pack(split_sentences(text, language), limit):
        if piece.strip():
            yield piece.strip()


def _cut(text: str, limit: int) -> Iterator[str]:
    """Cut a text into pieces of at most `limit` bytes."""
    if len(text.encode()) <= limit:
        yield text
        return
    start = 0
    while start < len(text):
        # At most `limit` characters can fit, and exactly those bytes are looked at.
        window = text[start : start + limit].encode()[:limit].decode(errors="ignore")
        if start + len(window) < len(text):
            space = max(window.rfind(" "), window.rfind("\n"), window.rfind("\t"))
            if space > len(window) // 2:
                window = window[: space + 1]
        yield window
        start += len(window)
