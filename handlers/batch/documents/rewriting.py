"""Pieces of a document in, the translated document out, with a bounded part of it in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from handlers.batch.budget import Budget
from handlers.batch.documents.emphasis import mend_emphasis
from handlers.batch.documents.paragraphs import Paragraph
from handlers.batch.documents.pieces import Markup, Piece, Text

# Translates texts, in their order. Called with many at once, so that requests can be packed and sent concurrently.
Translate = Callable[[Sequence[str]], list[str]]

# Characters that are held at the same time: some 25 requests to Amazon Translate, or 2,000 sentences for a model.
WINDOW = 250_000
# A paragraph without an end is cut here.
MAX_PARAGRAPH = 20_000


def rewrite(pieces: Iterable[Piece], translate: Translate, budget: Budget, language: str) -> Iterator[str]:
    """Translate a document of any length.

    Parameters
    ----------
    pieces
        The document; read only as far as a window reaches.
    translate
        Gets the texts of a window.
    budget
        Counts characters of text and watches the time.
    language
        Language of the document, for the splitting into sentences.

    Yields
    ------
    The new document, in parts.
    """
    for window in _windows(pieces):
        budget.check()
        budget.characters += sum(len(piece.text) for piece in window if isinstance(piece, Text))
        yield _rewrite_window(window, translate, language)


def paragraphs(pieces: Iterable[Piece], budget: Budget) -> Iterator[str]:
    """Give the text of each paragraph, as a reader sees it.

    Parameters
    ----------
    pieces
        The document; read one paragraph at a time.
    budget
        Counts characters of text and watches the time.
    """
    held: list[Piece] = []
    for window in _windows(pieces):
        budget.check()
        held = window
        for numbers in _paragraphs(held):
            text = "".join(_with_glue(held, numbers)).strip()
            budget.characters += len(text)
            if text:
                yield text


def _with_glue(window: Sequence[Piece], numbers: list[int]) -> Iterator[str]:
    for number in range(numbers[0], numbers[-1] + 1):
        piece = window[number]
        yield piece.text if isinstance(piece, Text) else piece.glue


def _windows(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Cut a document at ends of paragraphs, or inside a paragraph that has none."""
    window: list[Piece] = []
    size = paragraph = 0
    for piece in pieces:
        window.append(piece)
        # Also short pieces take room.
        size += len(piece.raw) + 1
        paragraph += len(piece.raw) + 1
        if isinstance(piece, Markup) and piece.ends_paragraph:
            paragraph = 0
        elif paragraph >= MAX_PARAGRAPH:
            window.append(Markup(""))
            paragraph = 0
        if size >= WINDOW and paragraph == 0:
            yield window
            window, size = [], 0
    if window:
        yield window


def _paragraphs(window: Sequence[Piece]) -> Iterator[list[int]]:
    """Give the numbers of the text pieces of each paragraph."""
    texts: list[int] = []
    for number, piece in enumerate(window):
        if isinstance(piece, Text):
            texts.append(number)
        elif piece.ends_paragraph and texts:
            yield texts
            texts = []
    if texts:
        yield texts


def _rewrite_window(window: list[Piece], translate: Translate, language: str) -> str:
    found = [(numbers, _paragraph(window, numbers, language)) for numbers in _paragraphs(window)]
    units = [unit.text for _, paragraph in found for unit in paragraph.units]
    translations = iter(translate(units) if units else [])
    written = [piece.raw for piece in window]
    for numbers, paragraph in found:
        spans = paragraph.spans_of([next(translations) for _ in paragraph.units])
        for number, span in zip(numbers, spans, strict=True):
            piece = window[number]
            # An unchanged text keeps the document's own way of writing it.
            if isinstance(piece, Text) and span != piece.text:
                written[number] = piece.escape(span)
    signs = [number for number, piece in enumerate(window) if isinstance(piece, Markup) and piece.is_emphasis]
    mend_emphasis([piece.raw for piece in window], written, signs)
    return "".join(written)


def _paragraph(window: Sequence[Piece], numbers: list[int], language: str) -> Paragraph:
    spans: list[str] = []
    glue: list[str] = []
    for number in range(numbers[0], numbers[-1] + 1):
        piece = window[number]
        if isinstance(piece, Text):
            spans.append(piece.text)
            glue.append("")
        else:
            glue[-1] = glue[-1] or piece.glue
    return Paragraph(spans, glue[:-1], language)
