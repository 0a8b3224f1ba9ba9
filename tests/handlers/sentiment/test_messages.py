"""Messages of the work queue, and ids of runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.common.chunks import chunks
from handlers.sentiment.messages import CompanyMessage, encode_message, new_run, parse_message, validation_message
from tests.handlers.sentiment.pipeline import RUN

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))


def test_run_is_named_by_utc_time_and_what_asked_for_it() -> None:
    time = datetime(2026, 11, 21, 8, 52, tzinfo=timezone(timedelta(hours=2)))
    # The digits are those of `printf event | sha256sum`.
    assert new_run(time, "event") == "20261121T065200Z-b8e1f80b"


@given(TIMES, st.uuids())
def test_same_start_delivered_twice_gives_the_same_run(time: datetime, seed: object) -> None:
    assert new_run(time, str(seed)) == new_run(time, str(seed))
    assert parse_message(json.dumps({"run": new_run(time, str(seed)), "company": "a"}), time).company == "a"


@given(TIMES, st.lists(st.uuids(), min_size=2, max_size=20, unique=True))
def test_starts_at_the_same_second_have_different_runs(time: datetime, seeds: list[object]) -> None:
    assert len({new_run(time, str(seed)) for seed in seeds}) == len(seeds)


@given(TIMES, TIMES, st.uuids(), st.uuids())
def test_runs_sort_by_time_and_below_latest(one: datetime, other: datetime, seed: object, other_seed: object) -> None:
    first, second = sorted([one, other])
    if second - first >= timedelta(seconds=1):
        assert new_run(first, str(seed)) < new_run(second, str(other_seed)) < "latest"


@given(NAMES, st.none() | NAMES)
def test_every_name_survives_the_queue(company: str, page: str | None) -> None:
    message = CompanyMessage(RUN, company, page)
    assert parse_message(encode_message(message)) == message


def test_message_is_what_the_contract_says() -> None:
    assert json.loads(encode_message(CompanyMessage(RUN, "Meta", "Meta Platforms"))) == {
        "run": RUN,
        "company": "Meta",
        "page": "Meta Platforms",
    }
    assert json.loads(encode_message(CompanyMessage(RUN, "Meta"))) == {"run": RUN, "company": "Meta"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "truncated"),
        ("no JSON", "JSON"),
        ("null", "null"),
        ("[]", "array"),
        ("7", "int"),
        ('"text"', "str"),
        ("{}", "run"),
        (json.dumps({"run": RUN}), "company"),
        (json.dumps({"company": "a"}), "run"),
        (json.dumps({"run": RUN, "company": None}), "$.company"),
        (json.dumps({"run": RUN, "company": 7}), "$.company"),
        (json.dumps({"run": RUN, "company": ["a"]}), "$.company"),
        (json.dumps({"run": RUN, "company": ""}), "$.company"),
        (json.dumps({"run": RUN, "company": "a" * 201}), "$.company"),
        (json.dumps({"run": RUN, "company": "a", "page": ""}), "$.page"),
        (json.dumps({"run": RUN, "company": "a", "page": "a" * 201}), "$.page"),
        (json.dumps({"run": RUN, "company": "a", "page": 7}), "$.page"),
        (json.dumps({"run": "", "company": "a"}), "$.run"),
        (json.dumps({"run": "latest", "company": "a"}), "$.run"),
        (json.dumps({"run": RUN.upper(), "company": "a"}), "$.run"),
        (json.dumps({"run": "x" + RUN, "company": "a"}), "$.run"),
        (json.dumps({"run": RUN + "0", "company": "a"}), "$.run"),
        (json.dumps({"run": "20261332T065200Z-1a2b3c4d", "company": "a"}), "$.run"),
        (json.dumps({"run": "99991231T235959Z-1a2b3c4d", "company": "a"}), "that has started"),
        ("[" * 100_000, "array"),
    ],
)
def test_wrong_message_is_refused_with_the_reason(body: str, reason: str) -> None:
    with pytest.raises(msgspec.MsgspecError) as caught:
        parse_message(body)
    assert reason in validation_message(caught.value)
    assert "\n" not in validation_message(caught.value)


def test_longest_name_passes() -> None:
    assert parse_message(json.dumps({"run": RUN, "company": "😀" * 200})).company == "😀" * 200


@pytest.mark.parametrize("run", [RUN + "\n", "٢" + RUN[1:]])
def test_run_with_line_end_or_foreign_digits_is_refused(run: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        parse_message(json.dumps({"run": run, "company": "a"}))


def test_reason_is_one_line_and_never_empty() -> None:
    assert validation_message(ValueError("first\n  second")) == "first second"
    assert validation_message(ValueError()) == "ValueError"


@given(st.lists(st.integers()), st.integers(1, 50))
def test_chunks_lose_nothing_and_are_full(items: list[int], size: int) -> None:
    cut = chunks(items, size)
    assert [item for chunk in cut for item in chunk] == items
    assert all(len(chunk) == size for chunk in cut[:-1])
    assert all(1 <= len(chunk) <= size for chunk in cut)


def test_a_field_of_a_later_version_is_ignored() -> None:
    """Messages are under way while a new version is deployed."""
    assert parse_message(json.dumps({"run": RUN, "company": "a", "later": 1})) == CompanyMessage(RUN, "a")
