"""The budget of requests: no minute has too many, however many functions share it."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.sentiment.request_budget import LONGEST_PAUSE_SECONDS, RequestBudget
from handlers.sentiment.texts import BudgetError, RateLimitError
from schema.wikipedia import burst, companies_that_fit, seconds_for, seconds_per_request
from tests.handlers.aws_fakes import Fake, client_error, real_client

TABLE = "budget"
_COMPARISON = re.compile(r"(#\w+) (<=|>=|<|>) (:\w+)")
_ABSENT = re.compile(r"attribute_not_exists\((#\w+)\)")


class FakeTable(Fake):
    """A table with the budget's item."""

    service = "dynamodb"
    exceptions = real_client("dynamodb").exceptions

    def __init__(self) -> None:
        super().__init__()
        self.item: dict[str, Any] = {}

    def get_item(self, **parameters: Any) -> dict[str, Any]:
        self.begin("GetItem", parameters)
        assert parameters["ConsistentRead"] is True
        assert (parameters["TableName"], parameters["Key"]) == (TABLE, {"name": {"S": "text-source"}})
        return {"Item": dict(self.item)} if self.item else {}

    def update_item(self, **parameters: Any) -> dict[str, Any]:
        self.begin("UpdateItem", parameters)
        assert (parameters["TableName"], parameters["Key"]) == (TABLE, {"name": {"S": "text-source"}})
        names, values = parameters["ExpressionAttributeNames"], parameters["ExpressionAttributeValues"]
        condition, change = parameters["ConditionExpression"], parameters["UpdateExpression"]
        assert set(re.findall(r"[#:]\w+", f"{condition} {change}")) == {*names, *values}
        if not self._holds(condition, names, values):
            answer: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "of the test"}}
            if self.item and parameters.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                answer["Item"] = dict(self.item)
            raise self.exceptions.ConditionalCheckFailedException(answer, "UpdateItem")
        [name, value, *more] = re.findall(r"[#:]\w+", change)
        amount = self._number(value, names, values) + (self._number(more[0], names, values) if more else 0)
        self.item[names[name]] = {"N": f"{amount:.6f}"}
        return {"Attributes": dict(self.item)}

    def _holds(self, condition: str, names: dict[str, str], values: dict[str, Any]) -> bool:
        text = _ABSENT.sub(lambda found: str(names[found[1]] not in self.item), condition)
        text = _COMPARISON.sub(lambda found: str(self._compare(found[1], found[2], found[3], names, values)), text)
        return eval(text.replace("AND", "and").replace("OR", "or"), {"__builtins__": {}})  # noqa: S307 - True and False

    def _compare(self, name: str, sign: str, value: str, names: dict[str, str], values: dict[str, Any]) -> bool:
        if names[name] not in self.item:
            return False
        left, right = self._number(name, names, values), self._number(value, names, values)
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]

    def _number(self, name: str, names: dict[str, str], values: dict[str, Any]) -> float:
        return float((values[name] if name in values else self.item[names[name]])["N"])


class World:
    """Time that passes only while somebody waits, and when requests were made."""

    def __init__(self) -> None:
        self.time = 1_795_000_000.0
        self.table = FakeTable()
        self.slept: list[float] = []

    def budget(self, per_minute: int) -> RequestBudget:
        return RequestBudget(self.table, TABLE, per_minute, self.now, self.now, self.sleep)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def world() -> World:
    return World()


def most_in_a_minute(times: list[float]) -> int:
    return max(sum(start <= time < start + 60 for time in times) for start in times)


@pytest.mark.parametrize("per_minute", [1, 2, 9, 10, 11, 60, 200, 1000])
def test_no_minute_has_more_requests_than_the_limit(world: World, per_minute: int) -> None:
    budgets = [world.budget(per_minute) for _ in range(3)]
    times = []
    for number in range(3 * per_minute + 3):
        budgets[number % 3].take(world.time + 3600)
        times.append(world.time)
    assert most_in_a_minute(times) <= per_minute
    assert len(times) / (times[-1] - times[0]) >= 0.9 * per_minute / 60, "most of the limit is used"


@given(st.integers(2, 300), st.integers(0, 1000))
def test_no_minute_has_more_requests_than_the_limit_however_they_come(per_minute: int, seed: int) -> None:
    world, chance = World(), random.Random(seed)  # noqa: S311 - a test
    budgets = [world.budget(per_minute) for _ in range(4)]
    times = []
    for _ in range(150):
        world.time += chance.choice([0, 0, 0, 0.01, 1, 30, 100])
        try:
            chance.choice(budgets).take(world.time + chance.choice([0.1, 5, 60]))
        except RateLimitError:
            continue
        times.append(world.time)
    assert most_in_a_minute(times) <= per_minute


def test_idle_budget_allows_a_burst_of_a_tenth(world: World) -> None:
    budget = world.budget(200)
    for _ in range(burst(200)):
        budget.take(world.time + 60)
    assert world.slept == []
    budget.take(world.time + 60)
    assert world.slept == [pytest.approx(seconds_per_request(200), abs=0.01)]


def test_request_that_cannot_be_made_in_time_says_when_it_can(world: World) -> None:
    budget = world.budget(10)
    budget.take(world.time + 60)
    with pytest.raises(RateLimitError, match="limit on requests reached") as caught:
        budget.take(world.time + 5)
    assert caught.value.retry_after == pytest.approx(seconds_per_request(10), abs=0.01)
    assert world.slept == []
    budget.take(world.time + 7)
    assert world.slept == [pytest.approx(seconds_per_request(10), abs=0.01)]


def test_refused_request_takes_nothing_from_the_others(world: World) -> None:
    budget = world.budget(10)
    budget.take(world.time + 60)
    for _ in range(20):
        with pytest.raises(RateLimitError):
            budget.take(world.time + 1)
    world.time += seconds_per_request(10)
    budget.take(world.time + 1)
    assert world.slept == []


def test_each_request_is_one_write(world: World) -> None:
    budget = world.budget(200)
    for _ in range(30):
        budget.take(world.time + 60)
    assert world.table.count("UpdateItem") <= 32
    assert world.table.count("GetItem") <= len(world.slept)


def test_no_time_left_is_no_request(world: World) -> None:
    with pytest.raises(RateLimitError, match="no time left"):
        world.budget(10).take(world.time)
    assert world.table.calls == []


def test_pause_holds_for_everybody(world: World) -> None:
    first, second = world.budget(200), world.budget(200)
    first.take(world.time + 60)
    first.pause(30)
    with pytest.raises(RateLimitError, match="asked for a pause") as caught:
        second.take(world.time + 20)
    assert caught.value.retry_after == pytest.approx(30, abs=0.01)
    second.take(world.time + 60)
    assert world.slept == [pytest.approx(30, abs=0.01)]


def test_nobody_hurries_after_a_pause(world: World) -> None:
    budgets = [world.budget(200) for _ in range(3)]
    budgets[0].pause(30)
    world.time += 30
    times = []
    for number in range(9):
        budgets[number % 3].take(world.time + 60)
        times.append(world.time)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) == pytest.approx(seconds_per_request(200), abs=0.01)


def test_longest_pause_counts(world: World) -> None:
    budget = world.budget(200)
    budget.pause(30)
    budget.pause(5)
    with pytest.raises(RateLimitError) as caught:
        budget.take(world.time + 20)
    assert caught.value.retry_after == pytest.approx(30, abs=0.01)


def test_pause_has_an_end(world: World) -> None:
    budget = world.budget(200)
    budget.pause(10**9)
    world.time += LONGEST_PAUSE_SECONDS + 1
    budget.take(world.time + 1)


def test_whoever_waits_for_a_turn_hears_of_a_pause(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    budget, other = world.budget(10), world.budget(10)
    budget.take(world.time + 60)

    def sleep(seconds: float) -> None:
        if not world.slept:
            other.pause(40)
        world.sleep(seconds)

    monkeypatch.setattr(budget, "_sleep", sleep)
    started = world.time
    with pytest.raises(RateLimitError, match="asked for a pause"):
        budget.take(world.time + 20)
    budget.take(world.time + 60)
    assert world.time - started >= 40


def test_table_that_cannot_be_reached_is_a_failure(world: World) -> None:
    world.table.failures["UpdateItem"] = [client_error("InternalServerError")]
    with pytest.raises(BudgetError, match="request budget not available"):
        world.budget(10).take(world.time + 60)


def test_pause_that_cannot_be_written_is_logged(world: World) -> None:
    world.table.failures["UpdateItem"] = [client_error("InternalServerError")] * 2
    world.budget(10).pause(5)
    assert world.table.count("UpdateItem") == 2


def test_functions_that_take_at_the_same_moment_get_different_turns(world: World) -> None:
    budgets = [world.budget(10) for _ in range(3)]
    turns = sorted(budget._reserve(world.time + 60) for budget in budgets)
    step = seconds_per_request(10)
    assert turns == [pytest.approx(world.time + number * step, abs=0.01) for number in range(3)]


@pytest.mark.parametrize(
    ("per_minute", "interval", "companies"), [(10, 300, 900), (10, 3600, 10_800), (200, 300, 18_000), (1, 600, 180)]
)
def test_what_fits(per_minute: int, interval: int, companies: int) -> None:
    assert companies_that_fit(per_minute, interval) == companies
    assert seconds_for(companies, per_minute) == pytest.approx(interval)
