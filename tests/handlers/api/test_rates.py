"""How often one user may call an endpoint: in one function instance, and in all of them together."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handlers.api.support import rates
from handlers.api.support.endpoint import endpoint
from handlers.api.support.rates import RateCheck
from handlers.api.support.requests import Request
from handlers.common.problems import Problem
from handlers.common.table import Table
from schema.endpoints import ENDPOINTS
from schema.quotas import QUOTAS_VARIABLE, rate_key
from tests.handlers.api.harness import NAMES, Api, User

ROUTE = "POST /sentiment"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(api: Api) -> Table:
    return Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"])


def request_of(user: str) -> Request:
    claims = {"sub": user}
    return Request({"routeKey": ROUTE, "requestContext": {"authorizer": {"jwt": {"claims": claims}}}})


def check_with(clock: Clock, costly: Table | None = None, **quotas: float) -> Callable[[str], Problem | None]:
    check = RateCheck(costly, {QUOTAS_VARIABLE: json.dumps(quotas)}, clock)

    def ask(user: str) -> Problem | None:
        try:
            check(request_of(user))
        except Problem as problem:
            return problem
        return None

    return ask


def passed(ask: Callable[[str], Problem | None], user: str, requests: int) -> int:
    return sum(ask(user) is None for _ in range(requests))


def test_a_burst_passes_and_then_the_sustained_rate(clock: Clock) -> None:
    ask = check_with(clock, requests_per_second=10)
    assert passed(ask, "ann", 100) == 20
    clock.now += 1
    assert passed(ask, "ann", 100) == 10
    clock.now += 3600
    assert passed(ask, "ann", 100) == 20


def test_one_user_leaves_the_others_their_share(clock: Clock) -> None:
    ask = check_with(clock, requests_per_second=10)
    passed(ask, "ann", 1000)
    assert passed(ask, "bob", 20) == 20


def test_a_refusal_says_when_to_try_again(clock: Clock) -> None:
    ask = check_with(clock, requests_per_second=0.1)
    assert ask("ann") is None
    problem = ask("ann")
    assert problem
    assert (problem.status, problem.retry_after) == (429, 10)
    assert (problem.details.quota, problem.details.limit, problem.details.left) == ("requests_per_second", 0.1, 0)
    assert problem.details.renews_at == "2027-01-15T08:00:10Z"
    clock.now += problem.retry_after
    assert ask("ann") is None


def test_only_so_many_users_are_remembered(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MOST_USERS", 3)
    ask = check_with(clock, requests_per_second=0.5)
    for number in range(10):
        assert ask(f"user {number}") is None
    assert ask("user 9") is not None
    assert ask("user 0") is None


def test_instances_share_the_limit_of_costly_requests(clock: Clock, table: Table, ann: User, bob: User) -> None:
    instances = [check_with(clock, table, costly_requests_per_second=2) for _ in range(20)]
    assert sum(ask(ann.sub) is None for ask in instances) == 10
    assert instances[0](bob.sub) is None
    clock.now += 1.5
    assert sum(ask(ann.sub) is None for ask in instances) == 3
    problem = instances[7](ann.sub)
    assert problem
    assert (problem.retry_after, problem.details.quota) == (1, "costly_requests_per_second")
    clock.now += 3600
    assert sum(ask(ann.sub) is None for ask in instances) == 10


def test_requests_at_the_same_time_do_not_exceed_the_limit(
    clock: Clock, table: Table, ann: User, threads: ThreadPoolExecutor
) -> None:
    instances = [check_with(clock, table, costly_requests_per_second=1) for _ in range(40)]
    answers = list(threads.map(lambda ask: ask(ann.sub), instances))
    assert sum(answer is None for answer in answers) == 5


def test_a_flood_of_costly_requests_is_refused_without_a_write(clock: Clock, api: Api, ann: User) -> None:
    class Counting(Table):
        writes = 0

        def _update(self, action: dict[str, Any]) -> dict[str, Any]:
            Counting.writes += 1
            return super()._update(action)

    ask = check_with(clock, Counting(api.dynamodb, NAMES["DOCUMENTS_TABLE"]), costly_requests_per_second=2)
    assert passed(ask, ann.sub, 1000) == 10
    assert Counting.writes <= 20


def test_calm_users_cost_one_write(clock: Clock, table: Table, ann: User) -> None:
    ask = check_with(clock, table, costly_requests_per_second=2)
    for _ in range(3):
        assert ask(ann.sub) is None
        clock.now += 1
    stored = table.get(rate_key(ann.sub, ROUTE))
    assert stored
    assert stored["spent_until"] == int((clock.now - 1) * 1000) + 500
    assert stored["expires_at"] > clock.now


def test_a_public_endpoint_has_no_user_to_limit() -> None:
    handler = endpoint(lambda _: pytest.fail("not reached"), public=False)
    assert handler({"routeKey": "GET /x"}, None)["statusCode"] == 401


@pytest.mark.parametrize("one", [one for one in ENDPOINTS if one.costly], ids=lambda one: one.script)
def test_costly_endpoints_limit_users_in_the_table(api: Api, ann: User, table: Table, one: Any) -> None:
    ann(one.script, *(["x"] if "{project}" in one.path else []), body={})
    assert table.get(rate_key(ann.sub, one.route))
