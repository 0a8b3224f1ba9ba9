"""Options of jobs: the types of the API and the schema's own check refuse the same ones."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.common.job_options import OPTIONS_OF_KIND
from schema.jobs import KINDS

NAMES = sorted({option.name for kind in KINDS.values() for option in kind.options})
VALUES = st.sampled_from(["auto", "en", "de", "af", "amazon", "marian", "xx", "", None, True, -1, 0, 1, 10, 11, 20, 21])
OPTIONS = st.dictionaries(st.sampled_from([*NAMES, "to"]), VALUES, max_size=4)


def accepted_by_the_api(kind: str, options: dict[str, Any]) -> bool:
    try:
        msgspec.convert(options, OPTIONS_OF_KIND[kind])
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
@given(options=OPTIONS)
def test_the_check_without_msgspec_accepts_the_same_options(kind: str, options: dict[str, Any]) -> None:
    assert (KINDS[kind].mistakes(options) == []) == accepted_by_the_api(kind, options)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("translate", {"target": "de"}),
        ("translate", {"target": "de", "source": "en", "engine": "marian"}),
        ("analyse", {"language": "en", "topics": 20, "summary_sentences": 1}),
        ("analyse", {"language": None, "topics": None}),
    ],
)
def test_both_accept_good_options(kind: str, options: dict[str, Any]) -> None:
    assert KINDS[kind].mistakes(options) == []
    assert accepted_by_the_api(kind, options)
