"""Word documents: texts change, everything else stays."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.batch.documents import word, word_package
from handlers.batch.documents.guard import Guard
from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.documents.word_package import WordLimits
from handlers.batch.errors import DocumentError
from tests.handlers.batch.support import LIMITS, backwards, budget, rewrite, texts_of, units_of
from tests.handlers.batch.word_documents import (
    changed,
    full_document,
    saved,
    simple_document,
    split_document,
    with_footnotes,
)


def opened(content: bytes) -> Any:
    return docx.Document(io.BytesIO(content))


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def without_texts(xml: bytes) -> bytes:
    """XML without what is in text nodes, in one way of writing."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    root = etree.fromstring(xml)
    for node in root.iter("{*}t"):
        node.text = ""
        node.attrib.clear()
    return etree.tostring(root, method="c14n")


def test_texts_everywhere_are_translated(tmp_path: Path) -> None:
    content = with_footnotes(full_document(), "A foot note")
    assert set(units_of(tmp_path, "a.docx", content)) == {
        "The annual report",
        "The company Contoso grew by 3.5 percent.",
        "This sentence is plain.",
        "A bullet point",
        "A numbered point",
        "All of it is red and",
        "after the tab",
        "after the break",
        "Year",
        "Result",
        "A good one",
        "A table in a table",
        "See the web site",
        "Confidential header",
        "Footer of the page",
        "A foot note",
    }


def test_everything_but_texts_stays(tmp_path: Path) -> None:
    content = full_document()
    old, new = parts(content), parts(rewrite(tmp_path, "a.docx", content, str.upper))
    assert list(new) == list(old)
    for name, part in old.items():
        if re.fullmatch(r"word/(document|header\d*|footer\d*)\.xml", name):
            assert without_texts(new[name]) == without_texts(part)
        else:
            assert new[name] == part


def test_formats_stay_on_their_words(tmp_path: Path) -> None:
    new = opened(rewrite(tmp_path, "a.docx", full_document(), str.upper))
    runs = [(run.text, run.bold, run.font.size and run.font.size.pt) for run in new.paragraphs[1].runs]
    assert runs == [
        ("THE COMPANY ", None, None),
        ("CONTOSO", True, 14),
        (" GROW BY 3.5 PERCENT. THIS SENTENCE IS PLAIN.".replace("GROW", "GREW"), None, None),
        ("", None, None),
    ]
    assert new.paragraphs[4].text == "ALL OF IT IS RED AND\tAFTER THE TAB\nAFTER THE BREAK"
    assert new.paragraphs[2].style.name == "List Bullet"
    assert new.tables[0].style.name == "Table Grid"
    assert new.tables[0].cell(0, 1).text == "RESULT"
    assert new.tables[0].cell(1, 1).tables[0].cell(0, 0).text == "A TABLE IN A TABLE"
    assert new.sections[0].header.paragraphs[0].text == "CONFIDENTIAL HEADER"
    assert new.paragraphs[5].hyperlinks[0].address == "https://example.com/"
    assert new.paragraphs[5].hyperlinks[0].text == "THE WEB SITE"
    assert len(new.inline_shapes) == 1


def test_runs_that_look_alike_are_one(tmp_path: Path) -> None:
    content = split_document(["Frag", "ments of", " a word", " and bold", " text"], [False, False, False, True, True])
    assert units_of(tmp_path, "a.docx", content) == ["Fragments of a word and bold text"]
    new = opened(rewrite(tmp_path, "a.docx", content, lambda _: "Bruchstücke eines Wortes und fetter Text"))
    assert [run.text for run in new.paragraphs[0].runs] == ["Bruchstücke eines Wortes", "", "", " und fetter Text", ""]


words = st.text(alphabet="ab é<&漢.\u00a0 ", min_size=1, max_size=12)


@settings(max_examples=25)
@given(st.lists(st.tuples(words, st.booleans()), min_size=1, max_size=6))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[str, bool]]) -> None:
    content = split_document([text for text, _ in runs], [bold for _, bold in runs])
    new = opened(rewrite(tmp_path_factory.getbasetemp(), "a.docx", content))
    assert [(run.text, run.bold) for run in new.paragraphs[0].runs] == runs


@settings(max_examples=25)
@given(st.lists(st.tuples(words, st.booleans()), min_size=1, max_size=6))
def test_no_word_is_lost(tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[str, bool]]) -> None:
    content = split_document([text for text, _ in runs], [bold for _, bold in runs])
    new = opened(rewrite(tmp_path_factory.getbasetemp(), "a.docx", content, lambda text: f"x {text} y"))
    old = "".join(text for text, _ in runs)
    assert "".join(new.paragraphs[0].text.split()).replace("x", "").replace("y", "") == "".join(old.split())


def test_control_characters_of_an_engine_do_not_break_the_document(tmp_path: Path) -> None:
    new = rewrite(tmp_path, "a.docx", simple_document("Some words"), lambda _: "a\x00\x0b\ufffeb")
    assert opened(new).paragraphs[0].text == "ab"


def test_a_rerun_writes_the_same_bytes(tmp_path: Path) -> None:
    content = full_document()
    assert rewrite(tmp_path, "a.docx", content, backwards) == rewrite(tmp_path, "a.docx", content, backwards)


def test_a_space_at_the_edge_of_a_run_is_not_lost(tmp_path: Path) -> None:
    new = rewrite(tmp_path, "a.docx", split_document(["one", "two"], [False, True]), lambda _: "eins zwei")
    assert b'<w:t xml:space="preserve"> zwei</w:t>' in parts(new)["word/document.xml"]


def test_a_part_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_package, "_MAX_PART_BYTES", 1000)
    with pytest.raises(DocumentError, match="more than 1000 bytes when unpacked"):
        rewrite(tmp_path, "a.docx", full_document())


def test_a_large_document_waits_for_room_before_it_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    guard = Guard(
        consent=lambda characters, _: asked.append(f"{characters} characters") or True,
        await_room=lambda: asked.append("room"),
    )
    (tmp_path / "a.docx").write_bytes(simple_document("words"))
    document = open_document(tmp_path / "a.docx", LIMITS, guard)
    list(document.paragraphs(budget()))
    assert asked == ["6 characters"]
    monkeypatch.setattr(word, "_LARGE_BYTES", 1000)
    list(document.paragraphs(budget()))
    assert asked == ["6 characters", "room", "6 characters"]


def test_text_boxes_and_deleted_text(tmp_path: Path) -> None:
    box = (
        b"<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In the box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
        b"<w:del><w:r><w:delText>gone words</w:delText></w:r></w:del><w:ins><w:r><w:t>new words</w:t></w:r></w:ins>"
        b"<w:r><w:instrText>PAGE words</w:instrText></w:r></w:p>"
    )
    content = changed(
        simple_document("Around it"),
        lambda name, part: part.replace(b"</w:p>", box, 1) if name == "word/document.xml" else part,
    )
    assert set(units_of(tmp_path, "a.docx", content)) == {"Around it", "In the box", "new words"}


def test_texts_for_analysis_begin_with_the_body(tmp_path: Path) -> None:
    texts = texts_of(tmp_path, "a.docx", full_document())
    assert texts[:2] == ["The annual report", "The company Contoso grew by 3.5 percent. This sentence is plain."]
    assert texts[4] == "All of it is red and\nafter the tab\nafter the break"
    assert texts[-2:] == ["Footer of the page", "Confidential header"]


@pytest.mark.parametrize("how", ["breaks", "text"])
def test_too_many_pages(tmp_path: Path, how: str) -> None:
    document: Any = docx.Document()
    for _ in range(30):
        document.add_paragraph("words " * (1 if how == "breaks" else 600))
        if how == "breaks":
            document.add_page_break()
    (tmp_path / "a.docx").write_bytes(saved(document))
    with pytest.raises(DocumentError, match=r"about 3\d pages; at most 20 are allowed"):
        list(open_document(tmp_path / "a.docx", Limits(10**9, WordLimits(10**9, 20))).paragraphs(budget()))
    assert list(open_document(tmp_path / "a.docx", Limits(10**9, WordLimits(10**9, 36))).paragraphs(budget()))
