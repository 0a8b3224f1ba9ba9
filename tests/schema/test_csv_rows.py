"""CSV that a spreadsheet can open safely."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.csv_rows import guard, read_rows, unguard, write_rows

# NUL is left out: not every reader of CSV takes it.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.text("'=+-@\t\r\n ＝a")  # noqa: RUF001


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=3), max_size=4))
def test_every_text_comes_back(rows: list[list[str]]) -> None:
    assert [row for _, row in read_rows(write_rows(rows).decode())] == rows


@given(TEXTS)
def test_no_cell_begins_as_a_formula(text: str) -> None:
    cell = guard(text)
    assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))  # noqa: RUF001
    assert not cell.startswith(("\t", "\r", "\n"))
    assert unguard(cell) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("'=1", "''=1"),
        ("＝1", "'＝1"),  # noqa: RUF001
        ("'80s", "'80s"),
        ("Marks & Spencer", "Marks & Spencer"),
        ("", ""),
    ],
)
def test_only_formulas_are_marked(text: str, cell: str) -> None:
    assert guard(text) == cell


def test_cells_other_than_texts() -> None:
    assert write_rows([[None, True, False, 0.5, -1, "a,b"]]) == b',true,false,0.5,-1,"a,b"\r\n'


def test_rows_have_the_number_of_their_last_line() -> None:
    assert list(read_rows('a,"b\nc"\nd,e\n')) == [(2, ["a", "b\nc"]), (3, ["d", "e"])]


def test_what_is_no_csv_is_an_error() -> None:
    with pytest.raises(csv.Error):
        list(read_rows('"a" b\n'))


def test_other_readers_of_csv_understand_it() -> None:
    text = write_rows([["name"], ["=1"]]).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["name"], ["'=1"]]
