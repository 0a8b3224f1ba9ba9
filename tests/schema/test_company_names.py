"""Names of companies that are stored already, whether or not today's rule accepts them."""

from __future__ import annotations

import re
import sys

import pytest

from schema.names import STORED_COMPANY_NAME_PATTERN, is_company_key, is_company_name, stored_company_name


@pytest.mark.parametrize("text", ["Nike", "  Nestle\u0301 ", "two\nlines", "a\x7f", "\x01"])
def test_a_stored_name_is_normalised_where_todays_rule_accepts_it(text: str) -> None:
    expected = {"  Nestle\u0301 ": "Nestl\u00e9"}.get(text, text)
    assert stored_company_name(text) == expected
    assert is_company_key(expected)
    assert is_company_name(expected) is (text in ("Nike", "  Nestle\u0301 "))


@pytest.mark.parametrize("text", ["", "   ", "\n", "a\ud800", "x" * 201])
def test_what_is_no_key_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 200 characters, without control characters and invisible"):
        stored_company_name(text)
    assert not is_company_key(text)


def test_the_pattern_refuses_white_space_alone() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    refused = {character for character in characters if not re.search(STORED_COMPANY_NAME_PATTERN, character)}
    assert refused == {character for character in characters if not character.strip()}
