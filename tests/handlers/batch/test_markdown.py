"""Markdown: structure, code, addresses and front matter stay."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.handlers.batch.support import backwards, hostile, rewrite, texts_of, units_of

DOCUMENT = b"""---
title: Front matter stays
---
# Hello *world* here #

Para one with **bold text** and `code x` and [a link](http://x.y/a_b "t") done.
Second line of it.\\
After a hard break, see [the ref], [other][the ref] and [no ref]. More <b>html</b> &amp; text.
![A picture](a_b.png) and <https://auto.link> and https://bare.link/x_y too.

> Quote one
> goes on. Dr. Smith paid 3.50 dollars for snake_case.

- item one
  continued lazily
- [ ] open box **two**
  1. nested number

| Head a | Head b |
|:---|---:|
| one two | `c|` three \\| four |

```python
code = "stays"
```

    indented code stays

Setext heading
--------------

<div>
Text in a block
</div>

<!-- a comment
stays -->
<script>
stays()
</script>
* * *
Foot[^1] and `` code ` with
tick `` end.

[the ref]: http://a.b/c "Title"
[^1]: The foot note.
"""
lines = st.sampled_from(
    [
        "plain words here",
        "# Heading words",
        "- item words",
        "  more of it",
        "1. numbered",
        "> quoted words",
        "```",
        "~~~",
        "    indented words",
        "",
        "",
        "| a b | c d |",
        "|---|---|",
        "---",
        "===",
        "**bold words** and *more* of_it",
        "`code` in [a link](x.y) here",
        "![alt words][ref]",
        "[ref]: http://x.y",
        "<div>",
        "<!-- x",
        "-->",
        "<pre>",
        "</pre>",
        "a `` b ` c",
        "\\* not bold",
        "&amp; <b>t</b>",
        "+ \t tab",
        "hard  ",
        "[x] y",
    ]
)
_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def structure(content: bytes) -> list[str]:
    """What a CommonMark parser sees, without texts and ends of lines."""
    seen: list[str] = []
    for token in _PARSER.parse(content.decode()):
        seen.append(token.type if token.type != "html_block" else re.sub(r"[^<>]+(?=<|$)", "", token.content))
        if token.type in ("fence", "code_block"):
            seen.append(token.content)
        for child in token.children or []:
            if child.type in ("code_inline", "html_inline"):
                seen.append(child.content)
            elif child.type not in ("text", "softbreak", "hardbreak"):
                seen.append(f"{child.type} {child.attrGet('href') or child.attrGet('src') or ''}")
    return seen


@given(st.lists(lines, max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, document: list[str], end: str) -> None:
    content = (end.join(document) + "x").encode()
    assert rewrite(tmp_path_factory.getbasetemp(), "a.md", content) == content


@given(st.text(alphabet="ab *_`[]()<>!#-+|\\~&;:/\n\t1.>=", min_size=1, max_size=200))
@example("a\\**")
def test_any_signs_come_out_as_they_were(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    content = text.encode()
    assert rewrite(tmp_path_factory.getbasetemp(), "a.md", content) == content


def test_only_texts_are_translated(tmp_path: Path) -> None:
    assert rewrite(tmp_path, "a.md", DOCUMENT) == DOCUMENT
    assert units_of(tmp_path, "a.md", DOCUMENT) == [
        "Hello world here",
        "Para one with bold text and",
        "and a link done.",
        "Second line of it.",
        "After a hard break, see",
        ", other and [no ref].",
        "More html & text.",
        "A picture and",
        "and",
        "too.",
        "Quote one goes on.",
        "Dr. Smith paid 3.50 dollars for snake_case.",
        "item one continued lazily",
        "open box two",
        "nested number",
        "Head a",
        "Head b",
        "one two",
        "c",
        "three | four",
        "Setext heading",
        "Text in a block",
        "Foot",
        "and",
        "end.",
        "The foot note.",
    ]


@pytest.mark.parametrize("translate", [str.upper, backwards], ids=["upper", "backwards"])
def test_a_parser_sees_the_same_structure(tmp_path: Path, translate: object) -> None:
    new = rewrite(tmp_path, "a.md", DOCUMENT, translate)  # type: ignore[arg-type]
    assert structure(new) == structure(DOCUMENT)
    assert new.count(b"\n") == DOCUMENT.count(b"\n")


def test_signs_of_a_translation_are_text(tmp_path: Path) -> None:
    content = b"One two.\n\n- three\n\n| a | b |\n|---|---|\n| c | d |\n"
    new = rewrite(tmp_path, "a.md", content, hostile)
    assert structure(new) == structure(content)


@pytest.mark.parametrize(
    "start", ["# a", "- a", "+ a", "1. a", "12) a", "> a", "=== a", "---", "| a", "``` a", "~~~ a"]
)
def test_a_line_that_begins_like_structure_is_text(tmp_path: Path, start: str) -> None:
    assert structure(rewrite(tmp_path, "a.md", b"words", lambda _: start)) == structure(b"words")
    two_lines = rewrite(tmp_path, "a.md", b"some more\nwords here", lambda _: f"one two {start}")
    assert structure(two_lines) == structure(b"some more\nwords here")


def test_a_rule_at_the_top_is_no_front_matter(tmp_path: Path) -> None:
    assert units_of(tmp_path, "a.md", b"---\nwords here\n") == ["words here"]


def test_code_in_a_list_and_a_quote_stays(tmp_path: Path) -> None:
    content = b"- one\n\n  more text\n\n      code stays\n\n> quoted\n>\n>     code stays\n\n1. x y\n\n   para\n"
    assert units_of(tmp_path, "a.md", content) == ["one", "more text", "quoted", "x y", "para"]


@pytest.mark.parametrize(
    "text", ["`" * 99 + "a", "[", "![", "](", "<", "<a ", "**", "\\", "| ", "> ", "- ", "`` `", "_a", "<!--"]
)
def test_time_is_linear(tmp_path: Path, text: str) -> None:
    content = (text * (200_000 // len(text))).encode()
    start = time.perf_counter()
    assert rewrite(tmp_path, "a.md", content) == content
    assert time.perf_counter() - start < 8


def test_paragraphs_for_analysis(tmp_path: Path) -> None:
    content = b"# Head *line*\n\nOne `code` two\n[three](x).\n"
    assert texts_of(tmp_path, "a.md", content) == ["Head line", "One", "two three."]
