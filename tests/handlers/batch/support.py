"""What the tests of the batch program share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from handlers.batch.budget import Budget
from handlers.batch.documents.pieces import Target
from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.documents.word_package import WordLimits

LIMITS = Limits(10_000_000, WordLimits(10_000_000, 400))


def identity(text: str) -> str:
    return text


def backwards(text: str) -> str:
    """A translation that puts the words in another order."""
    return " ".join(reversed(text.split()))


def hostile(text: str) -> str:
    """A translation with all signs that mean something in some format."""
    return f"# <b>{text}</b> & *x* [y](z) `q` | \"quoted\" 'single' \\ _w_ ~~v~~ &lt; - 1. >"


def budget(seconds: float = 1000) -> Budget:
    return Budget(seconds)


def rewrite(folder: Path, name: str, content: bytes, translate: Callable[[str], str] = identity) -> bytes:
    """Write a document, translate it, and give the new one."""
    source, target = folder / name, folder / f"new-{name}"
    source.write_bytes(content)
    document = open_document(source, LIMITS)
    with target_at(target) as opened:
        document.rewrite(opened, lambda texts: [translate(text) for text in texts], budget(), "en")
    return target.read_bytes()


@contextmanager
def target_at(path: Path) -> Iterator[Target]:
    """Write a document to a path."""
    with path.open("w+b") as file, tempfile.TemporaryFile() as scratch:
        yield Target(file, scratch)


def texts_of(folder: Path, name: str, content: bytes) -> list[str]:
    """Give the paragraphs of a document."""
    source = folder / name
    source.write_bytes(content)
    return list(open_document(source, LIMITS).paragraphs(budget()))


def units_of(folder: Path, name: str, content: bytes) -> list[str]:
    """Give what an engine is asked to translate."""
    asked: list[str] = []

    def note(text: str) -> str:
        asked.append(text)
        return text

    rewrite(folder, name, content, note)
    return asked
