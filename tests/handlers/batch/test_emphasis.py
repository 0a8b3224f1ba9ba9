"""Emphasis in Markdown survives whatever an engine makes of a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.batch.documents.emphasis import mend_emphasis
from tests.handlers.batch.support import backwards, rewrite
from tests.handlers.batch.test_markdown import structure

JOINER = "\u2060"
# What engines may answer: other words in another order, many, few, of a script without spaces, marks at the edges.
TRANSLATIONS = {
    "upper": str.upper,
    "backwards": backwards,
    "long": lambda _: "wort " * 15 + "ende.",
    "marks": lambda _: "(eins), \u201ezwei\u201c \u2014 drei!",
    "quoted": lambda text: f"\u00ab{text}\u00bb",
    "dense": lambda text: "\u300c\u4eca\u65e5\u300d\u306f\u3001" * (1 + len(text) % 3),
    "one": lambda _: "Eins",
}
words = st.lists(
    st.sampled_from(["the", "company", "snake_case", "3.5", "and,", "it's", "(really)", '"good"']),
    min_size=1,
    max_size=3,
).map(" ".join)
SIGNS = ("{}", "{}", "**{}**", "*{}*", "_{}_", "__{}__", "***{}***", "~~{}~~", "**a {} *b* c**", "_a **{}** b_")
AROUND = ("({})", '"{}"', "[{}](http://x.y/a_b)", "![{}](a.png)", "<b>{}</b>", "{}")
inline = st.builds(
    lambda around, sign, text: around.format(sign.format(text)), st.sampled_from(AROUND), st.sampled_from(SIGNS), words
)
line = st.lists(st.one_of(inline, st.just("`x words`")), min_size=1, max_size=5).flatmap(
    lambda parts: st.lists(st.sampled_from([" ", ", "]), min_size=len(parts), max_size=len(parts)).map(
        lambda between: "".join(part + space for part, space in zip(parts, between, strict=True)).rstrip(", ")
    )
)
block = st.one_of(
    line,
    line.map(lambda text: f"# {text}"),
    st.tuples(line, line).map(lambda lines: f"- {lines[0]}\n  {lines[1]}\n- {lines[0]}"),
    st.tuples(line, line).map(lambda lines: f"> {lines[0]}\n> {lines[1]}"),
    st.tuples(line, line).map(lambda cells: f"| {cells[0]} | x |\n|---|---|\n| {cells[1]} | y |"),
    st.tuples(line, line).map(lambda lines: f"{lines[0]}\\\n{lines[1]}"),
)


@settings(max_examples=150, deadline=None)
@given(block, st.sampled_from(list(TRANSLATIONS)))
def test_a_parser_sees_the_same_structure(tmp_path_factory: pytest.TempPathFactory, text: str, how: str) -> None:
    content = f"{text}\n".encode()
    if how == "one" and not text.startswith("|"):
        content = content.replace(b"\\\n", b" ").replace(b"\n> ", b" ").replace(b"\n  ", b" ")
    new = rewrite(tmp_path_factory.getbasetemp(), "a.md", content, TRANSLATIONS[how])
    assert structure(new) == structure(content)


@pytest.mark.parametrize(
    ("old", "new", "mended"),
    [
        (["a ", "**", "b", "**", " c"], ["x ", "**", " y ", "**", "z"], "x  **y** z"),
        (["a ", "**", "b", "**", " c"], ["", "**", "", "**", "z"], f"**{JOINER}**z"),
        (["a ", "**", "b", "**", " c"], ["x", "**", "(y)", "**", "z"], f"x**{JOINER}(y){JOINER}**z"),
        (["a ", "**", "b", "**", " c"], ["x", "**", "y", "**", "z"], "x**y**z"),
        (["a ", "_", "b", "_", " c"], ["x", "_", "y", "_", "z"], "x _y_ z"),
        (["a ", "*", "b", "*", " c ", "*", "d", "*"], ["x ", "*", "y", "*", "", "*", "z", "*"], "x *y* *z*"),
        (["un", "*", "believ", "*", "able"], ["un", "*", "glaub", "*", "lich"], "un*glaub*lich"),
        (["3 ", "*", " 4 days"], ["3", "*", "4 Tage"], "3\\*4 Tage"),
    ],
)
def test_signs_get_what_they_need(old: list[str], new: list[str], mended: str) -> None:
    signs = [place for place, part in enumerate(old) if not part.strip("*_~")]
    new = list(new)
    mend_emphasis(old, new, signs)
    assert "".join(new) == mended


def test_what_needs_nothing_is_not_touched(tmp_path: Path) -> None:
    content = b"Some **bold** and *light* words, __so__ _it_ is ~~not~~ 3 * 4.\n"
    assert rewrite(tmp_path, "a.md", content, str.upper) == content.upper()


def test_a_text_without_translation_stays(tmp_path: Path) -> None:
    """Seen from an engine: it is asked for everything, and answers nothing for one text."""
    from handlers.batch.translate.translation import Translation
    from tests.handlers.batch.support import budget

    class Engine:
        def translate(self, texts: list[str], source: str, budget: object) -> list[str]:
            return ["" if text == "keep me" else text.upper() for text in texts]

    translation = Translation("en", "de", Engine(), None, budget())  # type: ignore[arg-type]
    assert translation.translate(["one", "keep me"]) == ["ONE", "keep me"]
