"""Documents that want to take more than their share: of time, memory, money, or the trust of a reader."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

from handlers.batch.documents import word_package
from handlers.batch.documents.guard import Guard
from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.documents.word_package import WordLimits
from handlers.batch.errors import DocumentError
from tests.handlers.batch.hostile_documents import (
    large_types,
    many_footnotes,
    many_signs,
    repeated_parts,
    with_entry,
    with_relation,
)
from tests.handlers.batch.support import LIMITS, budget, rewrite, target_at
from tests.handlers.batch.word_documents import simple_document

RELATIONS = "word/_rels/document.xml.rels"


def test_signs_that_are_never_closed_take_no_longer_than_others(tmp_path: Path) -> None:
    started = time.process_time()
    content = many_signs(750)
    assert rewrite(tmp_path, "a.md", content) == content
    assert time.process_time() - started < 60  # it was hundreds


def test_a_part_that_is_named_many_times_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(repeated_parts(5000))
    assert list(open_document(tmp_path / "a.docx", LIMITS).paragraphs(budget())) == ["words", "note"]
    assert open_document(tmp_path / "a.docx", LIMITS).count() == len("words") + len("note") + 2


def test_parts_of_a_small_document_are_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = word_package.parse_xml
    monkeypatch.setattr(word_package, "parse_xml", lambda content, name: parsed.append(name) or parse(content, name))
    rewrite(tmp_path, "a.docx", many_footnotes(5000))
    assert sorted(parsed) == ["[Content_Types].xml", "word/document.xml", "word/footnotes.xml"]


@pytest.mark.parametrize("name", ["a.docx", "a.bin"])
def test_a_large_table_of_contents_is_refused_before_it_is_parsed(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError, match=r"\[Content_Types\].xml has more than 1000000 bytes when unpacked"):
        rewrite(tmp_path, name, large_types(2))


def test_pages_are_those_of_all_parts(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(many_footnotes(100_000))
    document = open_document(tmp_path / "a.docx", Limits(10**7, WordLimits(10**7, 20)))
    with pytest.raises(DocumentError, match=r"It has about 3\d pages; at most 20 are allowed. Split it."):
        document.count()
    for read in (lambda: list(document.paragraphs(budget())), lambda: rewrite_at(tmp_path, document)):
        with pytest.raises(DocumentError, match="at most 20 are allowed"):
            read()


def rewrite_at(folder: Path, document: object) -> None:
    with target_at(folder / "new") as target:
        document.rewrite(target, list, budget(), "en")  # type: ignore[attr-defined]


CONTENTS = {
    "a.txt": "Größe der Welt.\nA line.\n".encode(),
    "a.md": b"# Title\n\nSome **bold** words of a [link](x), `code`.\n\n| a | b |\n|---|---|\n| cell | cell |\n",
    "a.html": b"<html><p title='a title'>Some <b>bold</b> words &amp; more</p><script>code()</script>",
    "a.docx": many_footnotes(3000),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_no_more_is_sent_than_was_counted_before(tmp_path: Path, name: str) -> None:
    events: list[tuple[str, int]] = []

    def translate(texts: object) -> list[str]:
        sent = list(texts)  # type: ignore[call-overload]
        events.append(("sent", len("\n".join(sent))))
        return sent

    guard = Guard(lambda characters, is_exact: events.append((f"counted {is_exact}", characters)) or is_exact)
    (tmp_path / name).write_bytes(CONTENTS[name])
    document = open_document(tmp_path / name, LIMITS, guard)
    with target_at(tmp_path / "new") as target:
        document.rewrite(target, translate, budget(), "en")
    counted = [characters for what, characters in events if what == "counted True"]
    sent = [characters for what, characters in events if what == "sent"]
    assert [what for what, _ in events[-len(sent) :]] == ["sent"] * len(sent), "all was counted before"
    assert len(counted) == 1
    assert sum(sent) <= counted[0]
    assert document.count() == counted[0]


def test_a_document_whose_length_is_refused_is_not_read(tmp_path: Path) -> None:
    def refuse(characters: int, is_exact: bool) -> bool:
        raise DocumentError(f"{characters} {is_exact}")

    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(DocumentError, match="5 False"):
        list(open_document(tmp_path / "a.txt", LIMITS, Guard(refuse)).paragraphs(budget()))


@pytest.mark.parametrize(
    "name", ["../../evil", "word/../../../evil", "/etc/evil", "..\\..\\evil", "C:\\evil", "c:/evil", "word/evil\n.xml"]
)
def test_a_file_that_leads_out_of_the_document_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError, match="It is not safe: it holds a file named"):
        rewrite(tmp_path, "a.docx", with_entry(name))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("attachedTemplate", "https://evil.example/a.dotm"),
        ("image", "https://evil.example/pixel.png"),
        ("oleObject", "file:///c:/a.doc"),
        ("frame", "\\\\evil\\share"),
        ("hyperlink", "javascript:alert(1)"),
        ("hyperlink", "file:///etc/passwd"),
        ("hyperlink", "  FILE:///etc/passwd"),
        ("hyperlink", "ms-msdt:/id"),
    ],
)
def test_references_to_outside_files_are_taken_out(tmp_path: Path, kind: str, target: str) -> None:
    content = with_relation(kind, target)
    (tmp_path / "a.docx").write_bytes(content)
    used = budget()
    with target_at(tmp_path / "b.docx") as opened:
        open_document(tmp_path / "a.docx", LIMITS).rewrite(opened, list, used, "en")
    with zipfile.ZipFile(tmp_path / "b.docx") as archive:
        relations = archive.read(RELATIONS)
    assert target.strip().encode() not in relations
    assert b'Id="rId77"' in relations, "the document may name it"
    assert used.notes == ["1 references to files outside of it were taken out."]


@pytest.mark.parametrize(
    ("kind", "target"),
    [("hyperlink", "https://example.com/"), ("hyperlink", "HTTP://example.com"), ("hyperlink", "mailto:a@b.example")],
)
def test_links_that_a_reader_clicks_stay(tmp_path: Path, kind: str, target: str) -> None:
    content = with_relation(kind, target)
    new = rewrite(tmp_path, "a.docx", content)
    with zipfile.ZipFile(io.BytesIO(new)) as after, zipfile.ZipFile(io.BytesIO(content)) as before:
        assert after.read(RELATIONS) == before.read(RELATIONS)


def test_an_html_page_is_recognised_in_linear_time(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"<!-- -->" * 500 + b"<p>")
    with pytest.raises(DocumentError, match="not supported"):
        open_document(tmp_path / "page", LIMITS)
    (tmp_path / "page").write_bytes(b" <!-- a --> <!-- b -->\n<!DOCTYPE html><p>words")
    assert list(open_document(tmp_path / "page", LIMITS).paragraphs(budget())) == ["words"]


def test_a_simple_document_is_not_changed_by_all_this(tmp_path: Path) -> None:
    content = simple_document("words")
    with zipfile.ZipFile(io.BytesIO(rewrite(tmp_path, "a.docx", content))) as new:
        assert new.namelist() == zipfile.ZipFile(io.BytesIO(content)).namelist()
