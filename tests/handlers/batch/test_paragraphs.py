"""Division of a translated sentence among the spans it came from."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.batch.documents.paragraphs import Paragraph, divide

texts = st.text(alphabet="ab Z1.,!? \t\u00a0äß漢字", max_size=30)


def translated(spans: list[str], translate: dict[str, str]) -> list[str]:
    paragraph = Paragraph(spans, [""] * (len(spans) - 1), "en")
    return paragraph.spans_of([translate[unit.text] for unit in paragraph.units])


def test_one_span_is_exact() -> None:
    assert translated(["  Hello world. "], {"Hello world.": "Hallo Welt."}) == ["  Hallo Welt. "]


def test_a_sentence_inside_a_span_is_translated_by_itself() -> None:
    spans = ["First one. Second ", "bold", " end. Third one."]
    paragraph = Paragraph(spans, ["", ""], "en")
    assert [unit.text for unit in paragraph.units] == ["First one.", "Second bold end.", "Third one."]
    assert paragraph.spans_of(["Erster.", "Zweites fettes Ende.", "Dritter."]) == [
        "Erster. Zweites ",
        "fettes",
        " Ende. Dritter.",
    ]


def test_same_words_are_fixed_points() -> None:
    sources = ["Yesterday the company ", "Contoso", " announced a very good result."]
    target = "Gestern gab Contoso ein sehr gutes Ergebnis bekannt."
    assert divide(sources, [False, False], target) == ["Gestern gab ", "Contoso", " ein sehr gutes Ergebnis bekannt."]


def test_a_sign_is_not_torn_from_its_word() -> None:
    assert divide(["See ", "this", ", please."], [False, False], "Siehe dies, bitte.") == ["Siehe ", "dies", ", bitte."]


def test_a_border_moves_to_where_the_sentence_has_one() -> None:
    divided = divide(["See this", ", please wait here."], [False], "Bitte siehe dies, warte hier.")
    assert divided == ["Bitte siehe dies", ", warte hier."]


def test_scripts_without_spaces_are_divided_too() -> None:
    divided = divide(["I like ", "green tea", " a lot."], [False, False], "私は緑茶がとても好きです。")
    assert "".join(divided) == "私は緑茶がとても好きです。"
    assert all(divided)


def test_numbers_alone_cost_nothing() -> None:
    assert Paragraph(["12.50 € \u2013 3"], [], "en").units == []


def test_white_space_of_all_kinds_is_one_space_for_the_engine_except_the_one_that_does_not_break() -> None:
    paragraph = Paragraph(["10\u00a0km\n  to\tgo"], [], "en")
    assert [unit.text for unit in paragraph.units] == ["10\u00a0km to go"]


@given(st.lists(texts, min_size=1, max_size=5))
def test_what_is_not_changed_stays_exactly(spans: list[str]) -> None:
    paragraph = Paragraph(spans, [""] * (len(spans) - 1), "en")
    assert paragraph.spans_of([unit.text for unit in paragraph.units]) == spans


@given(st.lists(texts.filter(str.strip), min_size=1, max_size=5), st.data())
def test_no_character_of_a_translation_is_lost(sources: list[str], data: st.DataObject) -> None:
    glued = data.draw(st.lists(st.booleans(), min_size=len(sources) - 1, max_size=len(sources) - 1))
    translation = data.draw(texts).strip()
    divided = divide(sources, glued, translation)
    assert len(divided) == len(sources)
    assert "".join("".join(divided).split()) == "".join(translation.split())


@given(st.lists(st.sampled_from(["one", "two.", "3", "four,"]), min_size=2, max_size=6), st.integers(0, 30))
def test_every_span_gets_a_word(words: list[str], more: int) -> None:
    sources = [word + " " for word in words]
    divided = divide(sources, [False] * (len(words) - 1), "wort " * (2 * len(words) + more) + "ende")
    assert all(part.strip() for part in divided)


@pytest.mark.parametrize("length", [10_000])
def test_a_long_sentence_is_divided_in_linear_time(length: int) -> None:
    sources = ["a b c " * length, "d e f " * length, "g h i"]
    divided = divide(sources, [False, False], "x y z " * length + "end")
    assert [len(left) > 0 for left, _ in pairwise([*divided, ""])] == [True] * 3
