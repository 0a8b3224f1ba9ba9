"""Limits on requests to the text source: what fits in them, and what a deployment warns of."""

from __future__ import annotations

from typing import Any

import pytest

from components.text_limits import TextLimits, interval_seconds


def limits(**changes: Any) -> TextLimits:
    usual = {
        "per_minute": None,
        "contact": True,
        "is_wikipedia": True,
        "schedule": "rate(5 minutes)",
        "companies": 67,
        "batches": 3,
        "batch_seconds": 120,
    }
    return TextLimits(**{**usual, **changes})


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(2 hours)", 7200),
        ("rate(1 day)", 86_400),
        ("cron(0 6 * * ? *)", 86_400),
        ("cron(0 6,18 ? * MON-FRI *)", 43_200),
        ("cron(0/5 * * * ? *)", 300),
        ("cron(*/15 8-17 * * ? *)", 900),
        ("cron(10-40/10,55 3 * * ? *)", 600),
        ("cron(50 23 * * ? *)", 86_400),
        ("cron(0,55 0,23 * * ? *)", 300),
        ("cron(x 6 * * ? *)", None),
        ("cron(0/0 * * * ? *)", None),
        ("", None),
    ],
)
def test_interval_of_a_schedule(schedule: str, seconds: int | None) -> None:
    assert interval_seconds(schedule) == seconds


@pytest.mark.parametrize(
    ("changes", "per_minute", "fitting"),
    [
        ({}, 200, 18_000),
        ({"contact": False}, 10, 900),
        ({"contact": False, "schedule": "rate(1 hour)"}, 10, 10_800),
        ({"per_minute": 50}, 50, 4500),
        ({"schedule": "cron(0/5 * * * ? *)"}, 200, 18_000),
        ({"schedule": ""}, 200, None),
    ],
)
def test_what_fits(changes: dict[str, Any], per_minute: int, fitting: int | None) -> None:
    found = limits(**changes)
    assert (found.per_minute, found.companies_that_fit) == (per_minute, fitting)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"companies": 18_000},
        {"companies": None},
        {"companies": 10**6, "schedule": "cron(0 6 * * ? *)"},
        {"is_wikipedia": False, "contact": False},
        {"is_wikipedia": False, "per_minute": 60_000, "companies": 10_000},
    ],
)
def test_what_fits_is_not_warned_of(changes: dict[str, Any]) -> None:
    assert list(limits(**changes).warnings()) == []


def test_missing_contact_is_warned_of() -> None:
    [warning] = limits(contact=False).warnings()
    assert warning == (
        "Wikipedia is not told whom to contact, so it allows 10 requests per minute instead of 200. "
        "Set sentiment.contact to your e-mail address or web page."
    )


@pytest.mark.parametrize(("contact", "per_minute", "allowed"), [(True, 201, 200), (False, 11, 10)])
def test_limit_above_wikipedias_is_warned_of(contact: bool, per_minute: int, allowed: int) -> None:
    *_, warning = limits(contact=contact, per_minute=per_minute).warnings()
    assert warning.startswith(f"sentiment.text_requests_per_minute is {per_minute}, but Wikipedia allows {allowed}:")


def test_companies_that_do_not_fit_are_warned_of_with_what_does() -> None:
    [warning] = limits(per_minute=10, companies=5000).warnings()
    assert warning == (
        "5,000 companies do not fit in rate(5 minutes): at 10 requests to the text source per minute, a run takes "
        "about 28 minutes, and only 900 companies fit. Some runs will be left out. Set sentiment.schedule to "
        "rate(28 minutes) or longer, or get a higher limit "
        "(Wikimedia Enterprise sells more: https://enterprise.wikimedia.com)."
    )


def test_batches_that_end_before_their_turn_are_warned_of() -> None:
    [warning] = limits(per_minute=10, batch_seconds=30).warnings()
    assert warning == (
        "sentiment.analyse_timeout_seconds is 30. At 10 requests to the text source per minute, for 3 batches at once, "
        "changed pages may wait for ever: set it to at least 80."
    )
    assert list(limits(per_minute=10, batch_seconds=80).warnings()) == []


def test_own_text_source_is_not_told_of_wikimedia() -> None:
    [warning] = limits(per_minute=10, companies=5000, is_wikipedia=False).warnings()
    assert warning.endswith("or get a higher limit.")
