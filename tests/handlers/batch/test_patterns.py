"""Regular expressions of the batch program take time in proportion to the text, whatever the text is."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import handlers.batch
from handlers.batch.sentences import split_sentences

# Looked at in a text of bounded length: the first 4,096 bytes of a file, the name of an encoding, a part's type.
BOUNDED = {
    ("handlers.batch.documents.registry", "_CHARSET"): 4096,
    ("handlers.batch.documents.registry", "_HTML_START"): 4096,
}
# Longer texts are never looked at in one go: paragraphs and lines are cut at some 20,000 characters.
SIZES = (2000, 8000)
# Four times the text may take so much longer: linear is 4, quadratic 16. Short times are noise.
GROWTH = 8
NOISE_SECONDS = 0.01
# What hostile texts are made of, besides each printable character.
PARTS = (
    *string.printable,
    *(
        "\u2028",
        "\u00e4",
        "\u3042",
        "\U0001f600",
        "&amp;",
        "&#1;",
        "](",
        "](<",
        '](a "',
        "](a (",
        "](  ",
        "[^",
        "[a]: ",
        "![",
        "\\\\",
    ),
    *(
        "<!--",
        "-->",
        "<!-- -->",
        "<code>",
        "</code>",
        "<a ",
        "<a b=",
        "<a b='",
        '<a b="',
        "<br/>",
        "<a:",
        "<a@b",
        "</",
        "<?",
        "<![CDATA[",
    ),
    *(
        "`",
        "``",
        "a`",
        "*a_",
        "_a",
        "a_",
        "__a",
        "~~",
        "~a",
        "http://",
        "www.a",
        "- ",
        "> ",
        "1. ",
        "-|",
        "|-",
        ":-",
        " -",
        "  \\",
        "# #",
    ),
    *(
        "alt='",
        'alt="',
        "alt =",
        " translate=",
        "translate = no",
        "<meta charset=",
        "<meta ",
        "<?xml encoding=",
        "a.",
        "a. ",
        "Dr. ",
    ),
    *(
        "a.b",
        ".'",
        "'.",
        "\t ",
        " \t",
        "   x",
        "a b",
        "aA",
        "1.",
        "1) ",
        "<Pages>",
        "<w:Pages>1",
        "word.",
        "=== ",
        "\n\n",
        "a\n",
        "\r\n",
    ),
)
ENDINGS = ("", "x", ">\n")


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(handlers.batch.__path__, "handlers.batch."):
        if not found.name.endswith((".run",)):
            yield importlib.import_module(found.name)


def patterns() -> dict[tuple[str, str], re.Pattern[str]]:
    """All compiled expressions of the program, as they are for texts."""
    return {
        (module.__name__, name): value
        if isinstance(value.pattern, str)
        else re.compile(value.pattern.decode(), value.flags | re.ASCII)
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


PATTERNS = patterns()


SOURCES = "\n".join(Path(str(module.__file__)).read_text() for module in modules())
ACTIONS: dict[str, Callable[[re.Pattern[str]], Callable[[str], object]]] = {
    "match": lambda pattern: pattern.match,
    "fullmatch": lambda pattern: pattern.fullmatch,
    "search": lambda pattern: pattern.search,
    "sub": lambda pattern: lambda text: pattern.sub("", text),
    "split": lambda pattern: pattern.split,
    "findall": lambda pattern: pattern.findall,
    "finditer": lambda pattern: lambda text: [found.end() for found in pattern.finditer(text)],
}


def uses(place: tuple[str, str]) -> dict[str, Callable[[str], object]]:
    """How an expression is used; one that is searched from many positions is looked for everywhere."""
    module, name = place
    found = set(re.findall(rf"\b{name}\.(\w+)\(", SOURCES))
    if f"{name}.search(text, position)" in SOURCES:
        found.add("finditer")
    assert found, f"{module}.{name} is not used"
    return {use: ACTIONS[use](PATTERNS[place]) for use in found}


def seconds(action: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    action(text)
    return time.process_time() - started


def grows(action: Callable[[str], object], make: Callable[[int], str], sizes: tuple[int, int]) -> bool:
    """Tell whether an action takes more than its share on a longer text, three times out of three."""
    for _ in range(3):
        long = seconds(action, make(sizes[1]))
        if long < NOISE_SECONDS or long < GROWTH * max(seconds(action, make(sizes[0])), NOISE_SECONDS / 10):
            return False
    return True


def hostile_texts() -> Iterator[tuple[str, Callable[[int], str]]]:
    for part in PARTS:
        for ending in ENDINGS:
            yield f"{part!r} {ending!r}", lambda size, part=part, ending=ending: part * (size // len(part)) + ending


def test_all_expressions_are_known() -> None:
    """Those made while the program runs would not be found here."""
    compiled = sum(
        Path(str(module.__file__)).read_text().count("re.compile(") for module in modules() if module.__file__
    )
    # One is made for the end of an element whose name is known.
    assert compiled == len({(m, n) for m, n in PATTERNS if PATTERNS[m, n]}) + 1 > 30


@pytest.mark.parametrize("place", PATTERNS, ids=lambda place: ".".join(place))
def test_an_expression_takes_time_in_proportion(place: tuple[str, str]) -> None:
    bound = BOUNDED.get(place)
    for use, action in uses(place).items():
        for what, make in hostile_texts():
            if bound:
                assert seconds(action, make(bound)) < 1, (use, what)
            else:
                assert not grows(action, make, SIZES), (use, what)


def test_sentences_are_found_in_proportion() -> None:
    """The library is not ours, and looks at texts of strangers as well."""
    for part in PARTS:
        sizes = (20_000, 80_000)
        assert not grows(split_sentences, lambda size, part=part: part * (size // len(part)), sizes), part
