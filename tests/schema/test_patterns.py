"""Patterns that texts from outside are checked with: none lets a line break at the end through."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import handlers
import schema
from handlers.api.support.registry import OPERATIONS
from schema.names import STORED_COMPANY_NAME_PATTERN

# Handlers that read their environment when they are imported; their types are in other modules.
_FUNCTIONS = re.compile(
    r"handlers\.(api\.\w+|batch\.(main|run)|people\.provider_roles|sentiment\.(analyse|dispatch)|uploads\.withdraw)\Z"
)
# Patterns for the text of documents, which have several lines.
_OF_DOCUMENTS = "handlers.batch."
# Names of companies that are stored already may have any characters.
_EXCEPTIONS = {STORED_COMPANY_NAME_PATTERN}


def _modules() -> Iterator[Any]:
    for package in (schema, handlers):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not _FUNCTIONS.match(found.name) and not found.name.startswith(_OF_DOCUMENTS):
                yield importlib.import_module(found.name)


def _of_module(module: Any) -> Iterator[str]:
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            yield value.pattern
        elif isinstance(value, str) and name.endswith("_PATTERN"):
            yield value
        else:
            yield from _of_type(value)


def _of_type(kind: Any) -> Iterator[str]:
    """Patterns of an annotated type."""
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.pattern:
            yield meta.pattern
    for part in get_args(kind):
        yield from _of_type(part)


def _of_requests() -> Iterator[str]:
    for operation in OPERATIONS:
        kinds = [operation.request_type, operation.query_type, *operation.parameter_types.values()]
        for kind in kinds:
            yield from _of_type(kind)
            for struct in (kind, *get_args(kind)):
                if isinstance(struct, type) and issubclass(struct, msgspec.Struct):
                    for hint in get_type_hints(struct, include_extras=True).values():
                        yield from _of_type(hint)


PATTERNS = sorted(
    {*_of_requests(), *(pattern for module in _modules() for pattern in _of_module(module))} - _EXCEPTIONS
)
# Those that say what a whole text may be; others find something in a text.
ANCHORED = [pattern for pattern in PATTERNS if pattern.startswith(("^", r"\A"))]


def test_patterns_are_found() -> None:
    assert len(ANCHORED) >= 5


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_ends_with_a_dollar_sign(pattern: str) -> None:
    """In Python, `$` also matches before a line break at the end."""
    assert not re.search(r"(?<!\\)\$\Z", pattern)


@pytest.mark.parametrize("pattern", ANCHORED)
@settings(max_examples=30)
@given(data=st.data())
def test_a_line_break_at_the_end_never_passes(data: st.DataObject, pattern: str) -> None:
    text = data.draw(st.from_regex(pattern))
    assert re.search(pattern, text)
    for ending in ("\n", "\r\n", "\n\n"):
        assert not re.search(pattern, text + ending)
