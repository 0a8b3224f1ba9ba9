"""Memory stays flat as documents grow."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.batch.analyse.document import DocumentAnalyser
from handlers.batch.documents import encodings, rewriting
from handlers.batch.documents.pieces import Markup, Piece, Text
from handlers.batch.documents.registry import open_document
from handlers.batch.documents.rewriting import MAX_PARAGRAPH, WINDOW, rewrite
from tests.handlers.batch.support import LIMITS, budget, target_at

LINES = {
    ".txt": "Some words of a sentence that goes on. Another one.\n",
    ".md": "Some **bold** words of a [link](x) in a paragraph.\n\n",
    ".html": "<p>Some <b>bold</b> words of a paragraph.</p>\n",
}


def peak_of(action: object) -> int:
    """Highest number of bytes that Python holds while something is done."""
    tracemalloc.start()
    try:
        action()  # type: ignore[operator]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "WINDOW", 2500)
    monkeypatch.setattr(encodings, "CHUNK", 2000)


@pytest.mark.usefixtures("_small_windows")
@pytest.mark.parametrize("suffix", LINES)
def test_translation_needs_no_more_memory_for_a_longer_document(tmp_path: Path, suffix: str) -> None:
    def translate(megabytes: float) -> int:
        source = tmp_path / f"a{suffix}"
        source.write_text("<html>\n" + LINES[suffix] * int(megabytes * 1e6 / len(LINES[suffix])))
        document = open_document(source, LIMITS)
        with target_at(tmp_path / "b") as target:
            return peak_of(lambda: document.rewrite(target, list, budget(), "en"))

    translate(0.01)  # what is imported and compiled the first time stays
    assert translate(0.06) < 1.2 * translate(0.015)


@pytest.mark.usefixtures("_small_windows")
def test_analysis_needs_no_more_memory_for_a_longer_document(tmp_path: Path) -> None:
    def analyse(megabytes: float) -> int:
        source = tmp_path / "a.txt"
        source.write_text(LINES[".txt"] * int(megabytes * 1e6 / len(LINES[".txt"])))

        def read() -> None:
            used = budget()
            analyser = DocumentAnalyser(used, "en")
            for paragraph in open_document(source, LIMITS).paragraphs(used):
                analyser.read(paragraph)

        return peak_of(read)

    analyse(0.01)
    assert analyse(0.2) < 1.2 * analyse(0.05)


def test_no_more_than_a_window_is_read_ahead() -> None:
    ahead: list[int] = []
    read = written = 0

    def pieces() -> Iterator[Piece]:
        nonlocal read
        for _ in range(30_000):
            read += 50
            yield Text("x" * 49, "x" * 49)
            yield Markup("\n")

    for part in rewrite(pieces(), list, budget(), "en"):
        ahead.append(read - written)
        written += len(part)
    assert written == 30_000 * 50
    assert max(ahead) <= WINDOW + 100


def test_a_paragraph_without_end_is_cut() -> None:
    asked: list[int] = []

    def translate(texts: object) -> list[str]:
        asked.extend(map(len, texts))  # type: ignore[arg-type]
        return list(texts)  # type: ignore[call-overload]

    pieces = (Text("word ", "word ") for _ in range(40_000))
    assert sum(map(len, rewrite(pieces, translate, budget(), "en"))) == 200_000
    assert max(asked) <= MAX_PARAGRAPH
