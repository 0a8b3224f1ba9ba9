"""The table of observations."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from handlers.sentiment.observations import BACKOFF, Claim, Observation, Observations, Previous
from handlers.sentiment.sentiments import Scores
from tests.handlers.aws_fakes import TABLE, FakeDynamoDB, client_error
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN

SCORES = Scores(0.7, 0.1, 0.15, 0.05)
UNTIL = 1_795_000_030


class Store:
    """The table on a fake, with the waits between attempts."""

    def __init__(self) -> None:
        self.dynamodb = FakeDynamoDB()
        self.waits: list[float] = []
        self.table = Observations(self.dynamodb, TABLE, 90, self.waits.append)

    def write(self, *claims: Claim, replaced: dict[str, Claim] | None = None) -> list[str]:
        return [claim.observation.company for claim in self.table.write(list(claims), replaced or {})]

    def records(self) -> list[tuple[str, str]]:
        return sorted(self.dynamodb.items)


@pytest.fixture
def store() -> Store:
    return Store()


def claim(company: str, run: str = RUN, key: str = "object 1", until: int = UNTIL, **more: Any) -> Claim:
    return Claim(Observation(run, "2026-11-21T06:52:00Z", company, "POSITIVE", SCORES, **more), key, until)


def test_unknown_company_has_no_past(store: Store) -> None:
    assert store.table.previous([("a", RUN)]) == {("a", RUN): Previous()}
    assert store.table.previous([]) == {}


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.none() | st.builds(Scores, *[st.floats(0, 1).map(lambda share: round(share, 6))] * 4),
    st.booleans(),
)
def test_what_is_written_is_read_back(text: str, scores: Scores | None, unchanged: bool) -> None:
    store = Store()
    observation = Observation(RUN, "2026-11-21T06:52:00Z", "a", "MIXED", scores, "en", text, unchanged, text)
    store.write(Claim(observation, "key", UNTIL))
    assert store.table.previous([("a", RUN)]) == {("a", RUN): Previous(observation, Claim(observation, "key", UNTIL))}


def test_items_are_what_the_contract_says(store: Store) -> None:
    before = int(time.time())
    store.write(claim("Meta", language="en", revision="12", snippet="Meta is"))
    history = dict(store.dynamodb.items["Meta", RUN])
    expires_at = int(history.pop("expires_at")["N"])
    assert before + 90 * 86_400 <= expires_at <= time.time() + 90 * 86_400
    assert history.pop("claimed_until") == {"N": str(UNTIL)}
    assert history == {
        "company": {"S": "Meta"},
        "record": {"S": RUN},
        "run": {"S": RUN},
        "observed_at": {"S": "2026-11-21T06:52:00Z"},
        "label": {"S": "POSITIVE"},
        "positive": {"N": "0.7"},
        "negative": {"N": "0.1"},
        "neutral": {"N": "0.15"},
        "mixed": {"N": "0.05"},
        "language": {"S": "en"},
        "revision": {"S": "12"},
        "unchanged": {"BOOL": False},
        "snippet": {"S": "Meta is"},
        "object": {"S": "object 1"},
    }
    assert store.dynamodb.items["Meta", "latest"] == history | {"record": {"S": "latest"}}


def test_company_without_a_text_has_no_figures(store: Store) -> None:
    store.write(Claim(Observation(RUN, "2026-11-21T06:52:00Z", "a", "NOT_FOUND"), "key", UNTIL))
    assert not {"positive", "negative", "neutral", "mixed"} & store.dynamodb.items["a", RUN].keys()


def test_second_claim_of_the_same_run_is_refused_and_changes_nothing(store: Store) -> None:
    assert store.write(claim("a")) == ["a"]
    before = dict(store.dynamodb.items)
    assert store.write(claim("a", key="object 2")) == []
    assert store.dynamodb.items == before


def test_lost_claim_does_not_take_others_along(store: Store) -> None:
    store.write(claim("b"))
    assert store.write(*map(claim, "abcd")) == ["a", "c", "d"]
    assert store.records() == [(company, record) for company in "abcd" for record in (RUN, "latest")]


def test_lost_claim_does_not_touch_latest(store: Store) -> None:
    store.write(claim("a", key="first", snippet="first"))
    store.write(claim("a", key="second", snippet="second"))
    assert store.dynamodb.items["a", "latest"]["snippet"] == {"S": "first"}


def test_older_run_is_kept_as_history_but_latest_does_not_go_back(store: Store) -> None:
    assert store.write(claim("a", NEWER_RUN)) == ["a"]
    assert store.write(claim("a", RUN), claim("b", RUN)) == ["a", "b"]
    assert store.records() == [("a", RUN), ("a", NEWER_RUN), ("a", "latest"), ("b", RUN), ("b", "latest")]
    assert store.dynamodb.items["a", "latest"]["run"] == {"S": NEWER_RUN}


def test_newer_run_becomes_the_latest(store: Store) -> None:
    store.write(claim("a", RUN))
    store.write(claim("a", NEWER_RUN))
    assert store.dynamodb.items["a", "latest"]["run"] == {"S": NEWER_RUN}


def test_abandoned_claim_is_replaced_once(store: Store) -> None:
    abandoned = claim("a")
    store.write(abandoned)
    assert store.write(claim("a", key="object 2", until=UNTIL + 60), replaced={"a": abandoned}) == ["a"]
    assert store.write(claim("a", key="object 3", until=UNTIL + 60), replaced={"a": abandoned}) == []
    assert store.dynamodb.items["a", RUN]["object"] == {"S": "object 2"}
    assert store.dynamodb.items["a", "latest"]["object"] == {"S": "object 2"}


@pytest.mark.parametrize("other", [claim("a", key="object 9"), claim("a", until=UNTIL + 1)])
def test_claim_that_changed_meanwhile_is_not_replaced(store: Store, other: Claim) -> None:
    store.write(claim("a"))
    assert store.write(claim("a", key="object 2"), replaced={"a": other}) == []
    assert store.dynamodb.items["a", RUN]["object"] == {"S": "object 1"}


def test_claim_that_expired_meanwhile_is_not_replaced(store: Store) -> None:
    assert store.write(claim("a", key="object 2"), replaced={"a": claim("a")}) == []
    assert store.records() == []


def test_conflict_is_tried_again_and_nothing_is_lost(store: Store, log_lines: LogLines) -> None:
    store.dynamodb.cancellations = [{0: "TransactionConflict"}, {3: "TransactionConflict", 1: "ThrottlingError"}]
    assert store.write(claim("a"), claim("b")) == ["a", "b"]
    assert len(store.waits) == 2
    assert store.waits[0] <= 0.1
    assert len(store.records()) == 4
    assert log_lines()[0]["codes"] == ["None", "TransactionConflict"]


def test_conflict_beside_lost_conditions(store: Store) -> None:
    store.write(claim("b"), claim("c", NEWER_RUN))
    store.dynamodb.cancellations = [{0: "TransactionConflict"}, {1: "TransactionConflict"}]
    assert store.write(*map(claim, "abc")) == ["a", "c"]
    assert store.dynamodb.items["c", "latest"]["run"] == {"S": NEWER_RUN}
    assert store.dynamodb.items["a", "latest"]["run"] == {"S": RUN}


def test_reasons_that_come_one_by_one_are_all_taken_in(store: Store) -> None:
    store.write(*map(claim, "abc"))
    # DynamoDB does not promise to check the other conditions when one has failed.
    store.dynamodb.cancellations = [{1: "None", 2: "None"}, {1: "None"}]
    assert store.write(*map(claim, "abcd")) == ["d"]


def test_endless_conflict_is_an_error_and_nothing_is_written(store: Store) -> None:
    store.dynamodb.cancellations = [{0: "TransactionConflict"}] * 99
    with pytest.raises(ClientError, match="TransactionConflict"):
        store.write(claim("a"))
    assert store.dynamodb.count("TransactWriteItems") == BACKOFF.attempts == 6
    assert store.records() == []


def test_transaction_in_progress_is_tried_again_but_not_for_ever(store: Store) -> None:
    error = client_error("TransactionInProgressException")
    store.dynamodb.failures["TransactWriteItems"] = [error, error]
    assert store.write(claim("a")) == ["a"]
    store.dynamodb.failures["TransactWriteItems"] = [error] * 99
    with pytest.raises(ClientError, match="TransactionInProgress"):
        store.write(claim("b"))
    assert store.dynamodb.count("TransactWriteItems") == 3 + BACKOFF.attempts


def test_other_errors_are_not_tried_again(store: Store) -> None:
    store.dynamodb.failures["TransactWriteItems"] = [client_error("AccessDeniedException")]
    with pytest.raises(ClientError, match="AccessDenied"):
        store.write(claim("a"))
    assert store.dynamodb.count("TransactWriteItems") == 1


def test_many_companies_stay_inside_dynamodbs_limits(store: Store) -> None:
    companies = [f"company {number}" for number in range(120)]
    assert store.write(*map(claim, companies)) == companies
    found = store.table.previous([(company, RUN) for company in companies])
    assert all(past.claim and past.latest for past in found.values())


def test_runs_of_one_company_are_told_apart(store: Store) -> None:
    store.write(claim("a", RUN, key="older"))
    store.write(claim("a", NEWER_RUN, key="newer"))
    found = store.table.previous([("a", RUN), ("a", NEWER_RUN), ("a", RUN)])
    assert [past.claim.object for past in found.values() if past.claim] == ["older", "newer"]
    assert {past.latest.run for past in found.values() if past.latest} == {NEWER_RUN}


def test_keys_that_dynamodb_left_are_read_again(store: Store) -> None:
    store.write(*map(claim, "abc"))
    store.dynamodb.unprocessed = [5, 2]
    found = store.table.previous([(company, RUN) for company in "abc"])
    assert all(past.claim and past.latest for past in found.values())
    assert [len(parameters["RequestItems"][TABLE]["Keys"]) for name, parameters in store.dynamodb.calls[1:]] == [
        6,
        5,
        2,
    ]
    assert len(store.waits) == 2


def test_keys_that_stay_unread_are_an_error_and_not_a_company_without_a_past(store: Store) -> None:
    store.write(claim("a"))
    store.dynamodb.unprocessed = [1] * 99
    with pytest.raises(TimeoutError, match="1 keys unread in 6 attempts"):
        store.table.previous([("a", RUN)])
