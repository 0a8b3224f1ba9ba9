"""HTML: only texts and some attributes change."""

from __future__ import annotations

import html.parser
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.batch.documents.html import html_pieces
from handlers.batch.documents.pieces import Text
from handlers.batch.errors import DocumentError
from tests.handlers.batch.support import hostile, rewrite, texts_of, units_of

PAGE = b"""<!DOCTYPE html>\r
<html lang="en"><head><title>A title</title><meta charset=utf-8><style>p > b { color: red }</style>
<script>if (a<b) document.write("<p>no</p>")</script></head>
<body class="x" data-text="keep me"><!-- a comment --><h1>Main &amp; heading</h1>
<p>Hello <b>bold <i>word</i></b>, it&rsquo;s 3 &lt; 4. Next sentence.</p>
<img src="a.png" alt="A picture" title='Say "hi"'><a href="/x?a=1&amp;b=2" title="A link">go there</a>
<pre>keep <b>this</b></pre><p>Run <code>make test</code> now.</p><p translate="no">Keep <b>that</b> too</p>
<textarea>form text</textarea><ul><li>one item<li>two items</ul><br/><input placeholder=x value="keep">
</body></html>"""
SNIPPETS = (
    "<p>|</p>|<b class='x'>|</b>|<!--|-->|<script>|</script>|<pre>|</pre>|<|>|&amp;|&|text |Wörter |\"|'|=|<a href="
    "|<br/>|\n| |<![CDATA[|]]>|</|<?x?>|<!x>"
)
parts = st.sampled_from(SNIPPETS.split("|"))


class Skeleton(html.parser.HTMLParser):
    """The tags of a page, without texts and translated attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[object] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [(name, value) for name, value in attrs if name not in ("alt", "title", "placeholder")]))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        self.tags.append(data)


@given(st.lists(parts, max_size=40))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, page: list[str]) -> None:
    content = ("<html>" + "".join(page)).encode()
    assert rewrite(tmp_path_factory.getbasetemp(), "a.html", content) == content


@given(st.lists(parts, max_size=40), st.integers(1, 7))
def test_the_size_of_reads_does_not_matter(page: list[str], size: int) -> None:
    text = "".join(page)
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    assert _joined(html_pieces(chunks)) == _joined(html_pieces([text]))


def _joined(pieces: object) -> list[str]:
    """Pieces, those of the same kind that follow each other as one."""
    joined: list[list[str]] = []
    last: type | None = None
    for piece in pieces:  # type: ignore[attr-defined]
        kind = type(piece)
        if piece.raw and kind is last:
            joined[-1].append(piece.raw)
        elif piece.raw:
            joined.append([piece.raw])
            last = kind
    return ["".join(part) for part in joined]


def test_only_texts_are_translated(tmp_path: Path) -> None:
    assert rewrite(tmp_path, "a.html", PAGE) == PAGE
    assert units_of(tmp_path, "a.html", PAGE) == [
        "A title",
        "Main & heading",
        "Hello bold word, it\u2019s 3 < 4.",
        "Next sentence.",
        "A picture",
        'Say "hi"',
        "A link",
        "go there",
        "Run",
        "now.",
        "one item",
        "two items",
    ]


def test_markup_survives_any_translation(tmp_path: Path) -> None:
    new = rewrite(tmp_path, "a.html", PAGE, hostile)
    assert Skeleton(new).tags == Skeleton(PAGE).tags
    assert b"&lt;b&gt;" in new


good = st.recursive(
    st.sampled_from(
        [
            "some words",
            "3.50 &lt; 4 &amp; more",
            "<br>",
            "<!-- <b>no</b> -->",
            "<script>if (a < b) { '<p>no words</p>' }</script>",
            "<style>p > b { color: red }</style>",
            "<code>no <b>words</b></code>",
            "<img src='a.png' alt=\"a 'picture'\" title='x &quot;y&quot;'>",
            "<span translate=no>no words</span>",
            "<input value='no words' placeholder='some words'>",
        ]
    ),
    lambda inner: st.tuples(
        st.sampled_from(
            ["p", "b", "i class='x'", "a href='/x?a=1&amp;b=2' title='a title'", "li", "td", "div data-x='<b>'"]
        ),
        st.lists(inner, min_size=1, max_size=4),
    ).map(lambda pair: f"<{pair[0]}>{' '.join(pair[1])}</{pair[0].split()[0]}>"),
    max_leaves=12,
)


@given(good, st.sampled_from([hostile, str.upper, lambda _: "", lambda _: "ein"]))
def test_markup_of_any_page_survives(
    tmp_path_factory: pytest.TempPathFactory, page: str, translate: Callable[[str], str]
) -> None:
    content = f"<html><body>{page}</body></html>".encode()
    new = rewrite(tmp_path_factory.getbasetemp(), "a.html", content, translate)
    assert Skeleton(new).tags == Skeleton(content).tags
    assert new.count(b"no words") == content.count(b"no words")


def test_an_attribute_cannot_be_left(tmp_path: Path) -> None:
    new = rewrite(tmp_path, "a.html", b"""<html><img alt='it is'><img alt="it is">""", lambda _: """a' onerror="x" """)
    assert new == b"""<html><img alt='a&#x27; onerror=&quot;x&quot;'><img alt="a&#x27; onerror=&quot;x&quot;">"""


def test_a_page_keeps_its_encoding(tmp_path: Path) -> None:
    page = "<html><meta charset='iso-8859-1'><p>Größe".encode("latin-1")
    assert rewrite(tmp_path, "a.html", page, lambda text: text + " ☃") == page + b" &#9731;"


def test_a_page_says_its_encoding_as_xml_does(tmp_path: Path) -> None:
    page = '<?xml version="1.0" encoding="ISO-8859-2"?><html><p>Za\u017c\u00f3\u0142\u0107'.encode("iso-8859-2")
    assert units_of(tmp_path, "a.xhtml", page) == ["Za\u017c\u00f3\u0142\u0107"]
    assert rewrite(tmp_path, "a.xhtml", page, lambda text: text[::-1]).endswith(
        "<p>\u0107\u0142\u00f3\u017caZ".encode("iso-8859-2")
    )


def test_texts_for_analysis(tmp_path: Path) -> None:
    page = b"<html><p>One <b>bold</b>\n  word &amp; more.</p><script>x</script><p>Two</p>"
    assert [" ".join(text.split()) for text in texts_of(tmp_path, "a.html", page)] == ["One bold word & more.", "Two"]


@pytest.mark.parametrize("opening", ["<", "<a ", "<a b='", "<!--", "<script>", "</", "&", "<pre>", "<a =", "a<"])
def test_time_is_linear(opening: str) -> None:
    start = time.perf_counter()
    text = opening * (400_000 // len(opening))
    pieces = html_pieces(text[at : at + 65_536] for at in range(0, len(text), 65_536))
    assert sum(len(piece.raw) for piece in pieces) == len(text)
    assert time.perf_counter() - start < 8


def test_a_tag_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.batch.documents.html._MAX_MARKUP", 1000)
    with pytest.raises(DocumentError, match="does not end"):
        list(html_pieces(iter(["<a b='"] + ["x" * 100] * 100)))


def test_a_long_text_comes_in_parts() -> None:
    text = "word " * 50_000
    pieces = list(html_pieces(text[at : at + 1000] for at in range(0, len(text), 1000)))
    assert all(isinstance(piece, Text) and len(piece.raw) <= 20_000 for piece in pieces)
    assert all(piece.raw.endswith(" ") for piece in pieces)
