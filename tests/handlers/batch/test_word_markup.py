"""Markup of Word documents: whatever is in a paragraph, its text is translated where it stands and the rest stays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.documents.word_package import WordLimits
from handlers.batch.errors import DocumentError
from tests.handlers.batch.support import LIMITS, budget, rewrite, target_at, texts_of, units_of
from tests.handlers.batch.word_documents import SPACE, changed, full_document, simple_document, with_body, with_part

MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
W = f"{{{SPACE}}}"


def run(text: str, properties: str = "") -> str:
    return f'<w:r>{f"<w:rPr>{properties}</w:rPr>" if properties else ""}<w:t xml:space="preserve">{text}</w:t></w:r>'


def field(code: str, result: str) -> str:
    """A field as Word writes it: its code and its last result, each in runs of their own."""

    def border(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    code = f"<w:r><w:instrText> {code} words </w:instrText></w:r>"
    return border("begin") + code + border("separate") + run(result) + border("end")


def box(text: str) -> str:
    """A text box as Word writes it: in the new way, and in the old way for older versions."""
    content = f"<w:txbxContent><w:p>{run(text)}</w:p></w:txbxContent>"
    return (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><wps:txbx>{content}</wps:txbx></mc:Choice>'
        f"<mc:Fallback><w:pict><v:textbox>{content}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )


FOOTNOTE = '<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr><w:footnoteReference w:id="2"/></w:r>'
BOOKMARK = '<w:bookmarkStart w:id="1" w:name="_Ref1"/>{}<w:bookmarkEnd w:id="1"/>'
COMMENT = (
    '<w:commentRangeStart w:id="3"/>{}<w:commentRangeEnd w:id="3"/><w:r><w:annotationRef/>'
    '<w:commentReference w:id="3"/></w:r>'
)
WRAPPERS = (
    "{}",
    '<w:hyperlink r:id="rId9">{}</w:hyperlink>',
    '<w:ins w:id="4" w:author="A">{}</w:ins>',
    '<w:moveTo w:id="5" w:author="A">{}</w:moveTo>',
    '<w:moveFrom w:id="6" w:author="A">{}</w:moveFrom>',
    "<w:sdt><w:sdtPr/><w:sdtContent>{}</w:sdtContent></w:sdt>",
    '<w:smartTag w:element="place">{}</w:smartTag>',
    '<w:customXml w:element="x">{}</w:customXml>',
    '<w:bdo w:val="rtl">{}</w:bdo>',
    '<w:fldSimple w:instr="REF x">{}</w:fldSimple>',
    BOOKMARK,
    COMMENT,
)
ALONE = (
    FOOTNOTE,
    box("in the box"),
    field("REF _Ref1", " Figure two"),
    "<w:r><w:tab/></w:r>",
    "<w:r><w:br/></w:r>",
    "<w:r><w:t> co</w:t><w:noBreakHyphen/><w:t>op</w:t><w:softHyphen/><w:t>eration</w:t></w:r>",
    '<w:del w:id="7" w:author="A"><w:r><w:delText>gone words</w:delText></w:r></w:del>',
    "<m:oMath><m:r><m:t>abc</m:t></m:r></m:oMath>",
    '<w:proofErr w:type="spellStart"/>',
    '<w:bookmarkStart w:id="8" w:name="_GoBack"/>',
)
UNSEEN = {"softHyphen", "r", "rPr", "proofErr", "document", "_GoBack"}
FORMATS = ("", "<w:b/>", "<w:i/>", '<w:lang w:val="en-GB"/>', '<w:rStyle w:val="Strong"/><w:sz w:val="28"/>')

# Every text begins with a space: where a format changes inside a word, there is no telling what the parts become.
texts = st.lists(
    st.sampled_from(["one", "two", "3.50", "Dr.", "four,", "ends.", "\u6f22\u5b57", "&lt;b&gt;"]), max_size=4
).map(lambda words: " " + " ".join(words))
runs = st.lists(st.builds(run, texts, st.sampled_from(FORMATS)), min_size=1, max_size=3).map("".join)
inlines = st.one_of(
    runs, st.sampled_from(ALONE), st.tuples(st.sampled_from(WRAPPERS), runs).map(lambda pair: pair[0].format(pair[1]))
)
paragraphs = st.lists(inlines, max_size=6).map(
    lambda inner: f"<w:p><w:pPr><w:jc w:val='left'/></w:pPr>{''.join(inner)}</w:p>"
)
blocks = st.recursive(
    paragraphs,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(
        lambda cells: (
            f"<w:tbl><w:tblPr/><w:tr>{''.join(f'<w:tc><w:tcPr/>{cell}<w:p/></w:tc>' for cell in cells)}</w:tr></w:tbl>"
        )
    ),
    max_leaves=4,
)
bodies = st.lists(blocks, min_size=1, max_size=4).map("".join)


def body_of(content: bytes, name: str = "word/document.xml") -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return etree.fromstring(archive.read(name))


def stream(root: Any) -> Iterator[str]:
    """What is in a document, in order: its letters with their formats, and every element that has its place."""
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        text = {f"{W}t": element.text or "", f"{W}noBreakHyphen": "\u2011"}.get(element.tag)
        if text is not None:
            yield from (f"{letter} {_format(element)}" for letter in text if not letter.isspace())
        elif not UNSEEN & {name, element.get(f"{W}name")} and element.getparent().tag != f"{W}rPr":
            yield f"<{name} {sorted(element.attrib.items())} {(element.text or '').strip()}>"


def _format(text: Any) -> list[str]:
    tags = (element.tag.rpartition("}")[2] for element in text.getparent().iter() if len(element) == 0)
    return [tag for tag in tags if tag not in ("t", "lang", "noBreakHyphen", "softHyphen")]


@settings(max_examples=40, deadline=None)
@given(bodies)
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    content = with_body(body)
    new = rewrite(tmp_path_factory.getbasetemp(), "a.docx", content)
    assert etree.tostring(body_of(new), method="c14n") == etree.tostring(body_of(content), method="c14n")


@settings(max_examples=40, deadline=None)
@given(bodies)
def test_every_text_is_translated_where_it_stands(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    content = with_body(body)
    new = rewrite(tmp_path_factory.getbasetemp(), "a.docx", content, str.upper)
    old = body_of(content)
    for text in old.iter(f"{W}t"):
        if next(text.iterancestors(f"{W}moveFrom"), None) is None:
            text.text = (text.text or "").upper()
    assert list(stream(body_of(new))) == list(stream(old))


def translated(tmp_path: Path, inner: str, translations: dict[str, str]) -> Any:
    """A paragraph after its texts were translated; what is asked for and not known fails."""
    content = with_body(f"<w:p>{inner}</w:p>")
    return body_of(rewrite(tmp_path, "a.docx", content, lambda text: translations[text]))


def seen(root: Any) -> str:
    """Texts and marks of a document in order."""
    marks = {"footnoteReference": "[1]", "fldChar": "|", "bookmarkStart": "{", "bookmarkEnd": "}"}
    names = ((element.tag.rpartition("}")[2], element.text) for element in root.iter())
    return "".join(text or "" if name == "t" else marks.get(name, "") for name, text in names)


def test_a_footnote_stays_at_its_word(tmp_path: Path) -> None:
    inner = run("The company Contoso") + FOOTNOTE + run(" grew. It is good.") + FOOTNOTE + run(" So is this.")
    known = {
        "The company Contoso grew.": "Das Unternehmen Contoso wuchs.",
        "It is good.": "Es ist gut.",
        "So is this.": "Dies auch.",
    }
    assert seen(translated(tmp_path, inner, known)) == "Das Unternehmen Contoso[1] wuchs. Es ist gut.[1] Dies auch."


def test_a_reference_stays_a_field(tmp_path: Path) -> None:
    inner = run("See ") + field("REF x", "Figure 3") + run(" for more.")
    new = translated(tmp_path, inner, {"See Figure 3 for more.": "Siehe Abbildung 3 f\u00fcr mehr."})
    assert seen(new) == "Siehe ||Abbildung 3| f\u00fcr mehr."


def test_a_bookmark_stays_around_its_words(tmp_path: Path) -> None:
    inner = run("One. ") + BOOKMARK.format(run("Two words.")) + run(" Three.")
    known = {"One.": "Eins.", "Two words.": "Zwei Worte.", "Three.": "Drei."}
    assert seen(translated(tmp_path, inner, known)) == "Eins. {Zwei Worte.} Drei."


def test_a_place_of_the_last_edit_cuts_no_word(tmp_path: Path) -> None:
    content = with_body(f'<w:p>{run("wo")}<w:bookmarkStart w:id="1" w:name="_GoBack"/>{run("rds")}</w:p>')
    assert units_of(tmp_path, "a.docx", content) == ["words"]


def test_a_hyphen_that_does_not_break_is_part_of_the_text(tmp_path: Path) -> None:
    inner = "<w:r><w:t>A co</w:t><w:noBreakHyphen/><w:t>op</w:t><w:softHyphen/><w:t>eration</w:t></w:r>"
    new = translated(tmp_path, inner, {"A co\u2011operation": "Ein Zusammen\u2011wirken"})
    assert seen(new) == "Ein Zusammen\u2011wirken"
    assert not list(new.iter(f"{W}noBreakHyphen", f"{W}softHyphen"))


def test_a_hyphen_at_the_start_of_a_text(tmp_path: Path) -> None:
    new = translated(tmp_path, "<w:r><w:noBreakHyphen/><w:t>year plan</w:t></w:r>", {"\u2011year plan": "Plan"})
    assert seen(new) == "Plan"
    assert len(new[0][0][0]) == 2


def test_moved_text_is_translated_where_it_has_gone(tmp_path: Path) -> None:
    inner = f"<w:moveFrom w:id='1'>{run('old place')}</w:moveFrom><w:moveTo w:id='2'>{run('new place')}</w:moveTo>"
    assert seen(translated(tmp_path, inner, {"new place": "neuer Ort"})) == "old placeneuer Ort"


def test_a_text_box_is_translated_in_both_ways_and_counted_once(tmp_path: Path) -> None:
    content = with_body(f"<w:p>{run('Around it')}{box('in the box')}</w:p>")
    assert texts_of(tmp_path, "a.docx", content) == ["Around it", "in the box"]
    used = budget()
    with target_at(tmp_path / "b.docx") as target:
        open_document(tmp_path / "a.docx", LIMITS).rewrite(
            target, lambda texts: [text.upper() for text in texts], used, "en"
        )
    assert seen(body_of((tmp_path / "b.docx").read_bytes())) == "AROUND ITIN THE BOXIN THE BOX"
    assert used.characters == len("Around it" + "in the box")


def test_notes_and_comments_are_translated(tmp_path: Path) -> None:
    content = simple_document("words")
    for kind, element in (("footnotes", "footnote"), ("endnotes", "endnote"), ("comments", "comment")):
        content = with_part(content, kind, f'<w:{element} w:id="1"><w:p>{run(f"a note of {kind}")}</w:p></w:{element}>')
    notes = {f"a note of {kind}" for kind in ("footnotes", "endnotes", "comments")}
    assert set(units_of(tmp_path, "a.docx", content)) == {"words", *notes}


def test_parts_may_have_any_name(tmp_path: Path) -> None:
    """Word on the web calls the body `document2.xml`."""
    renamed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(full_document())) as old, zipfile.ZipFile(renamed, "w") as new:
        for name in old.namelist():
            content = old.read(name).replace(b"word/document.xml", b"word/document2.xml")
            new.writestr(name.replace("word/document.xml", "word/document2.xml"), content)
    new = rewrite(tmp_path, "a.docx", renamed.getvalue(), str.upper)
    assert "THE ANNUAL REPORT" in seen(body_of(new, "word/document2.xml"))


@pytest.mark.parametrize(("declared", "is_refused"), [(500, True), (399, False)])
def test_pages_that_word_has_counted(tmp_path: Path, declared: int, is_refused: bool) -> None:
    content = changed(
        simple_document("words"),
        lambda name, part: (
            part.replace(b"<Pages>1</Pages>", b"<Pages>%d</Pages>" % declared) if name == "docProps/app.xml" else part
        ),
    )
    (tmp_path / "a.docx").write_bytes(content)
    document = open_document(tmp_path / "a.docx", Limits(10**9, WordLimits(10**9, 400)))
    if not is_refused:
        assert list(document.paragraphs(budget())) == ["words"]
        return
    with pytest.raises(DocumentError, match="about 500 pages; at most 400 are allowed"):
        list(document.paragraphs(budget()))
