"""Limits on requests, as Wikimedia enforces them."""

from __future__ import annotations

import pytest

from local.aws.request_limits import Limiter, Limits, has_contact

CONTACT = "CloudNLP/1.0 (ops@example.com)"


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def pass_through(limiter: Limiter, user_agent: str = CONTACT) -> int | None:
    retry_after = limiter.enter(user_agent)
    if retry_after is None:
        limiter.leave()
    return retry_after


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (CONTACT, True),
        ("CloudNLP/1.0 (https://example.com/contact)", True),
        ("CloudNLP/1.0 (no contact given)", False),
        ("python-requests/2.32", False),
        ("", False),
    ],
)
def test_contact_is_an_address_or_a_page(user_agent: str, expected: bool) -> None:
    assert has_contact(user_agent) is expected


def test_a_minute_holds_so_many_requests() -> None:
    clock = Clock()
    limiter = Limiter(clock)
    limiter.set(Limits(per_minute_with_contact=3))
    for _ in range(3):
        assert pass_through(limiter) is None
        clock.time += 10
    assert pass_through(limiter) == 30
    clock.time += 30
    assert pass_through(limiter) is None
    assert pass_through(limiter) == 10


def test_minutes_can_be_shorter() -> None:
    clock = Clock()
    limiter = Limiter(clock)
    limiter.set(Limits(per_minute=1, minute_seconds=0.5))
    assert [pass_through(limiter, ""), pass_through(limiter, "")] == [None, 1]
    clock.time += 0.5
    assert pass_through(limiter, "") is None


def test_only_so_many_requests_are_under_way_at_once() -> None:
    limiter = Limiter()
    limiter.set(Limits(at_once=2))
    assert [limiter.enter(CONTACT) for _ in range(3)] == [None, None, 1]
    limiter.leave()
    assert limiter.enter(CONTACT) is None
    assert limiter.most_at_once == 2


def test_without_limits_everything_passes() -> None:
    limiter = Limiter()
    assert {pass_through(limiter) for _ in range(1000)} == {None}
