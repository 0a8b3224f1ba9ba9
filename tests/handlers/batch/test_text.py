"""Plain text: lines, columns and encodings."""

from __future__ import annotations

import codecs
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.batch.documents.encodings import Encoding, detect
from handlers.batch.documents.registry import open_document
from handlers.batch.documents.rewriting import MAX_PARAGRAPH, WINDOW
from handlers.batch.errors import DocumentError
from tests.handlers.batch.support import LIMITS, backwards, budget, rewrite, target_at, texts_of, units_of

lines = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=200)


@given(lines)
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    content = text.encode()
    assert rewrite(tmp_path_factory.getbasetemp(), "a.txt", content) == content


@given(st.binary(min_size=1, max_size=100).filter(lambda content: b"\0" not in content))
def test_any_bytes_come_out_as_they_were(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    try:
        written = rewrite(tmp_path_factory.getbasetemp(), "a.txt", content)
    except DocumentError:
        return  # it has the mark of an encoding it is not in, or the first bytes of another format
    assert written == content


def test_lines_columns_and_indents_stay(tmp_path: Path) -> None:
    content = b"Hello there you.\r\n\r\n  Indented line\twith tab    and column  \nlast 3.50\r"
    assert rewrite(tmp_path, "a.txt", content, str.upper) == content.upper()
    assert units_of(tmp_path, "a.txt", content) == [
        "Hello there you.",
        "Indented line",
        "with tab",
        "and column",
        "last 3.50",
    ]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_an_encoding_is_found_and_kept(tmp_path: Path, mark: bytes, encoding: str) -> None:
    content = mark + "Größe und Ärger ☃\nzwei Wörter".encode(encoding)
    expected = mark + "☃ Ärger und Größe\nWörter zwei".encode(encoding)
    assert rewrite(tmp_path, "a.txt", content, backwards) == expected


def test_western_european_is_kept_while_it_can_be(tmp_path: Path) -> None:
    content = "“Größe” und Ärger".encode("cp1252")
    assert rewrite(tmp_path, "a.txt", content, backwards) == "Ärger und “Größe”".encode("cp1252")


def test_western_european_becomes_utf8_where_it_has_no_such_character(tmp_path: Path) -> None:
    many = "Größe der Welt\n" * 18_000  # several windows, so that a part is written before
    source, target = tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_bytes((many + "Ende der Welt").encode("cp1252"))
    used = budget()
    with target_at(target) as opened:
        open_document(source, LIMITS).rewrite(
            opened, lambda texts: [text.replace("Ende", "конец") for text in texts], used, "de"
        )
    assert target.read_bytes() == (many + "конец der Welt").encode()
    assert used.notes[0] == "It does not say its encoding and is not UTF-8, so it was read as cp1252."
    assert used.notes[1:] == ["Written in UTF-8: cp1252 does not have all characters of the translation."]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_bytes_that_windows_does_not_define_are_latin_1(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 \x81")
    assert detect(tmp_path / "a.txt") == Encoding("latin-1", is_guessed=True)


def test_one_such_byte_anywhere_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 \x81" + b"caf\xe9" * 20_000)
    assert detect(tmp_path / "a.txt") == Encoding("latin-1", is_guessed=True)


def test_a_character_may_lie_across_two_reads(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a" * 65_535 + "ä".encode() * 2)
    assert detect(tmp_path / "a.txt") == Encoding("utf-8")
    (tmp_path / "a.txt").write_bytes(b"a" * 65_535 + "ä".encode()[:1])
    assert detect(tmp_path / "a.txt") == Encoding("cp1252", is_guessed=True)


@pytest.mark.parametrize("content", [b"text\0more", codecs.BOM_UTF16_LE + b"odd"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DocumentError, match=r"not a text|corrupt"):
        rewrite(tmp_path, "a.txt", content)


def test_a_line_without_end_is_cut_between_sentences(tmp_path: Path) -> None:
    sentence = "Dr. Smith paid 3.50 dollars for it. "
    content = (sentence * 5000).encode()
    assert rewrite(tmp_path, "a.txt", content) == content
    units = units_of(tmp_path, "a.txt", content)
    assert len(units) > 5
    assert max(map(len, units)) <= 2 * MAX_PARAGRAPH
    assert all(unit.endswith("it.") and unit.startswith("Dr.") for unit in units)


def test_a_word_without_end_is_cut_anyway(tmp_path: Path) -> None:
    content = b"a" * (3 * WINDOW)
    assert rewrite(tmp_path, "a.txt", content, str.upper) == content.upper()


def test_paragraphs_for_analysis(tmp_path: Path) -> None:
    assert texts_of(tmp_path, "a.txt", b"  One.\n\n Two\twords. \n12\n") == ["One.", "Two", "words.", "12"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440"),
        ("shift_jis", "\u4eca\u65e5\u306f\u5929\u6c17\u3067\u3059"),
        ("gb18030", "\u4f60\u597d\u4e16\u754c"),
        ("iso-8859-7", "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1"),
    ],
)
def test_other_scripts_are_not_taken_for_western_europe(tmp_path: Path, encoding: str, text: str) -> None:
    (tmp_path / "a.txt").write_bytes((text + " (OK)\n").encode(encoding) * 10_000)
    with pytest.raises(DocumentError, match=r"Its encoding cannot be told\. Save it as UTF-8"):
        detect(tmp_path / "a.txt")
    assert detect(tmp_path / "a.txt", encoding).name == codecs.lookup(encoding).name


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("iso-8859-1", "cp1252"),
        ("Windows-1252", "cp1252"),
        ("ISO-8859-15", "iso8859-15"),
        ("koi8-r", "koi8-r"),
        ("hex", "cp1252"),
        ("rot13", "cp1252"),
        ("unicode_escape", "cp1252"),
        ("iso-8859-99", "cp1252"),
        ("utf-8", "cp1252"),
    ],
)
def test_what_a_document_says_of_its_encoding(tmp_path: Path, declared: str, name: str) -> None:
    (tmp_path / "a.html").write_bytes("sch\u00f6ne Gr\u00f6\u00dfe".encode("cp1252"))
    assert detect(tmp_path / "a.html", declared).name == name


SENTENCES = [
    "The company grew by 3.5 percent in the last year, because the markets were good and energy prices fell.",
    "It will grow next year as well, says Dr. Smith, who has been its president since 2019.",
]
LETTER = ["Dear Mr. Miller,", "thank you for your letter.", "Yours", "A. Smith"]


@pytest.mark.parametrize("width", [60, 65, 72, 80])
def test_a_sentence_over_several_lines_is_translated_as_one(tmp_path: Path, width: int) -> None:
    text = textwrap.fill(" ".join(SENTENCES), width) + "\n\n" + "\n".join(LETTER)
    content = text.encode()
    assert "".join(units_of(tmp_path, "a.txt", content)).replace(" ", "") == text.replace("\n", "").replace(" ", "")
    assert texts_of(tmp_path, "a.txt", content) == [" ".join(SENTENCES), *LETTER]
    assert rewrite(tmp_path, "a.txt", content, str.upper) == text.upper().encode()
    new = rewrite(tmp_path, "a.txt", content, backwards).decode()
    assert [bool(line) for line in new.split("\n")] == [bool(line) for line in text.split("\n")]


@pytest.mark.parametrize(
    "second",
    [
        "a) another point of the list, which is long as well and goes on",
        "  set in, which begins something else than what was before it",
        "2019 was another year, and this line is about that one alone, not",
        "a column   and another column, which together are a table of old",
        "",
        "so",
    ],
)
def test_lines_that_are_meant_to_be_lines_stay_apart(tmp_path: Path, second: str) -> None:
    first = "A line of some length that has no end of a sentence at its end"
    content = f"{first}\n{second}\nA third one, which is longer than all the others and says how wide\n"
    assert units_of(tmp_path, "a.txt", content.encode())[0] == first


def test_titles_of_their_own_stay_apart(tmp_path: Path) -> None:
    titles = [
        "A very long title of a book that somebody has written about energy",
        "Another title, longer than the one before",
    ]
    titles += ["The third and by far the longest title of all the titles that there are in this list of titles"] * 2
    content = "\n".join(titles).encode()
    assert units_of(tmp_path, "a.txt", content)[:2] == titles[:2]
