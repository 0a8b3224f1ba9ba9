"""Names of companies that are stored already, whether or not today's rule accepts them."""

from __future__ import annotations

import pytest

from schema.names import is_company_key, is_company_name, stored_company_name


@pytest.mark.parametrize("text", ["Nike", "  Nestle\u0301 ", "two\nlines", "a\x7f", "x" * 201])
def test_a_stored_name_is_normalised_where_todays_rule_accepts_it(text: str) -> None:
    expected = {"  Nestle\u0301 ": "Nestl\u00e9"}.get(text, text)
    assert stored_company_name(text) == expected
    assert is_company_key(expected)
    assert is_company_name(expected) is (text in ("Nike", "  Nestle\u0301 "))


@pytest.mark.parametrize("text", ["", "   ", "a\ud800", "x" * 2049, "\U0001f642" * 513])
def test_what_is_no_key_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 200 characters, without control characters"):
        stored_company_name(text)
    assert is_company_key(text) is (text == "   ")
