"""Rules for names."""

from __future__ import annotations

import re

import pytest

from schema import names


@pytest.mark.parametrize("name", ["SAP", "A" * 200, "AC/DC", "Crédit Agricole", "日本電産", "🙂", "a b"])
def test_company_names(name: str) -> None:
    assert names.normalise_company_name(name) == name
    assert re.search(names.COMPANY_NAME_PATTERN, name)


@pytest.mark.parametrize(
    "name", ["", "  ", "A" * 201, "a\x00b", "a\nb", "\x1f", "a\x7fb", "a\ufffeb", "a\uffffb", "a\ud800b", "\u3000"]
)
def test_what_is_no_company_name(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(names.COMPANY_NAME_EXPECTED)):
        names.normalise_company_name(name)


def test_company_names_are_stored_composed_and_without_spaces_around() -> None:
    assert names.normalise_company_name("  Cre\u0301dit ") == "Cr\u00e9dit"


@pytest.mark.parametrize("name", ["a.docx", "A.TXT", "my notes.Md", "x" * 195 + ".html"])
def test_file_names(name: str) -> None:
    assert re.search(names.FILE_NAME_PATTERN, name)


@pytest.mark.parametrize("name", [".txt", "a.pdf", "a/b.txt", "a\\b.txt", "a\nb.txt", "a.txt.exe", "atxt"])
def test_what_is_no_file_name(name: str) -> None:
    assert not re.search(names.FILE_NAME_PATTERN, name)


def test_every_ending_is_named_in_the_rule() -> None:
    assert all(ending in names.FILE_NAME_EXPECTED for ending in names.CONTENT_TYPES)
