"""Rules for names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import names

NORMALISE: dict[str, Callable[[str], str]] = {
    names.COMPANY_NAME_EXPECTED: names.normalise_company_name,
    names.PROJECT_NAME_EXPECTED: names.normalise_project_name,
    names.FILE_NAME_EXPECTED: names.normalise_file_name,
}
# C0, DEL, C1, zero-width, bidirectional and other invisible characters, halves of pairs, what is no character.
EXCLUDED = (
    "\x00\t\n\r\x1b\x1f\x7f\x80\x85\x9b\x9f\u00ad\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202e"
    "\u2060\u2066\u2069\u3164\ufe0f\ufeff\uffa0\ufffe\uffff\ud800\U0001d173\U000e0020\U000e01ef"
)


@pytest.mark.parametrize("name", ["SAP", "A" * 200, "AC/DC", "Crédit Agricole", "日本電産", "🙂", "a b", "...", "a..b"])
def test_company_names(name: str) -> None:
    assert names.normalise_company_name(name) == name
    assert re.search(names.COMPANY_NAME_PATTERN, name)


@pytest.mark.parametrize("name", ["", "  ", "A" * 201, "a\nb", "\u3000", ".", "..", "../a", "a/../b", "a/."])
def test_what_is_no_company_name(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(names.COMPANY_NAME_EXPECTED)):
        names.normalise_company_name(name)


@pytest.mark.parametrize("normalise", [names.normalise_company_name, names.normalise_project_name])
def test_names_are_stored_composed_and_without_spaces_around(normalise: Callable[[str], str]) -> None:
    assert normalise("  Cre\u0301dit ") == "Cr\u00e9dit"


@pytest.mark.parametrize("name", ["Contracts 2026", "..", "a" * 200, "CON", ".hidden", "日本/電産"])
def test_project_names(name: str) -> None:
    assert names.normalise_project_name(name) == name


@pytest.mark.parametrize("name", ["", " ", "\u3000", "a" * 201])
def test_what_is_no_project_name(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(names.PROJECT_NAME_EXPECTED)):
        names.normalise_project_name(name)


@pytest.mark.parametrize(
    "name",
    ["a.docx", "A.TXT", "my notes.Md", "x" * 195 + ".html", "ü" * 98 + ".txt", "a..md", "$filename.md", "conx.md"],
)
def test_file_names(name: str) -> None:
    assert names.normalise_file_name(name) == name
    assert names.content_type_of(name) in names.CONTENT_TYPES.values()


@pytest.mark.parametrize(
    "name",
    [
        *(
            ".txt",
            "..md",
            "...md",
            ".hidden.md",
            " a.md",
            "\u00a0a.md",
            "a.pdf",
            "a/b.txt",
            "a\\b.txt",
            "a.txt.exe",
            "atxt",
        ),
        *("a.md ", "a.md.", "a.md\n", "a\n.md", "x" * 197 + ".txt", "ü" * 99 + ".txt", "${filename}.txt", ""),
        *("con.txt", "CON.md", "Nul.docx", "aux .txt", "com1.html", "lpt\u00b9.md", "prn.de.txt", "conin$.md"),
    ],
)
def test_what_is_no_file_name(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(names.FILE_NAME_EXPECTED)):
        names.normalise_file_name(name)


def test_file_names_are_stored_composed() -> None:
    assert names.normalise_file_name("Cre\u0301dit.md") == "Cr\u00e9dit.md"


@pytest.mark.parametrize("character", EXCLUDED, ids=lambda character: f"{ord(character):04x}")
@pytest.mark.parametrize("expected", NORMALISE)
def test_no_name_has_characters_that_cannot_be_seen(expected: str, character: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        NORMALISE[expected](f"a{character}b.md")


@given(st.text(max_size=40).map(lambda text: f"{text}.md"))
@pytest.mark.parametrize("normalise", NORMALISE.values())
def test_names_that_are_stored_are_visible_and_stay_what_they_are(normalise: Callable[[str], str], text: str) -> None:
    try:
        name = normalise(text)
    except ValueError:
        return
    assert normalise(name) == name == unicodedata.normalize("NFC", name)
    assert {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"} <= {"Cf"}
    assert not [one for one in name if unicodedata.category(one) == "Cf" and one not in VISIBLE]


# Characters of the category of formatting characters that are seen: signs of number and of end in some scripts.
VISIBLE = "".join(map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD))) + "".join(
    map(chr, range(0x13430, 0x13440))
)


def test_names_of_results_fit_into_a_file_system() -> None:
    longest = "x" * (names.DOCUMENT_NAME_BYTES - 3) + ".md"
    assert names.normalise_file_name(longest) == longest
    assert len(longest.encode()) + len(".zh-TW") + len(".unfinished") < names.FILE_NAME_BYTES


def test_every_ending_is_named_in_the_rule() -> None:
    assert all(ending in names.FILE_NAME_EXPECTED for ending in names.CONTENT_TYPES)
