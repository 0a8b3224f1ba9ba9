"""The table of observations."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.sentiment.observations import BACKOFF
from handlers.sentiment.records import Claim, Observation, Previous, text_hash
from handlers.sentiment.sentiments import Scores, Sentiment
from handlers.sentiment.texts import Text
from tests.handlers.aws_fakes import TABLE, client_error
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN
from tests.handlers.sentiment.store import SCORES, UNTIL, Store, claim


def test_unknown_company_has_no_past(store: Store) -> None:
    assert store.table.previous([("a", RUN)]) == {("a", RUN): Previous()}
    assert store.table.previous([]) == {}


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
    st.none() | st.builds(Scores, *[st.floats(0, 1).map(lambda share: round(share, 6))] * 4),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=3),
)
def test_what_is_written_is_read_back(
    threads: ThreadPoolExecutor, text: str, scores: Scores | None, candidates: list[str]
) -> None:
    store = Store(threads)
    observation = Observation(
        RUN, "2026-11-21T06:52:00Z", "a", "MIXED", scores, "en", text[:9], False, text, text, text, tuple(candidates)
    )
    store.write(Claim(observation, "key", "batch", UNTIL))
    past = store.table.previous([("a", RUN)])["a", RUN]
    assert past.claim == Claim(observation, "key", "batch", UNTIL)
    assert past.latest
    assert past.latest.run == RUN


def test_items_are_what_the_contract_says(store: Store) -> None:
    before = int(time.time())
    text = Text("Meta is good", "en", "12", "Meta Platforms")
    name = text_hash(text)
    written = claim("Meta", language="en", revision="12", snippet="Meta is", text_hash=name, page="Meta Platforms")
    store.write(written, texts={name: text})
    history = dict(store.dynamodb.items["Meta", RUN])
    expires_at = int(history.pop("expires_at")["N"])
    assert before + 90 * 86_400 <= expires_at <= time.time() + 90 * 86_400
    assert history.pop("claimed_until") == {"N": str(UNTIL)}
    assert history.pop("object") == {"S": "object 1"}
    scores = {"positive": {"N": "0.7"}, "negative": {"N": "0.1"}, "neutral": {"N": "0.15"}, "mixed": {"N": "0.05"}}
    assert history == {
        "company": {"S": "Meta"},
        "record": {"S": RUN},
        "run": {"S": RUN},
        "observed_at": {"S": "2026-11-21T06:52:00Z"},
        "label": {"S": "POSITIVE"},
        **scores,
        "language": {"S": "en"},
        "revision": {"S": "12"},
        "unchanged": {"BOOL": False},
        "snippet": {"S": "Meta is"},
        "text_hash": {"S": name},
        "page": {"S": "Meta Platforms"},
        "batch": {"S": "batch 1"},
    }
    moved = {"record": {"S": "latest"}, "looked_at": {"S": "2026-11-21T06:52:00Z"}, "claimed_until": {"N": str(UNTIL)}}
    assert store.dynamodb.items["Meta", "latest"] == history | moved
    assert store.dynamodb.items[f"text#{name}", "text"] == {
        "company": {"S": f"text#{name}"},
        "record": {"S": "text"},
        "content": {"S": "Meta is good"},
        "language": {"S": "en"},
        "label": {"S": "POSITIVE"},
        "analysed_at": {"S": "2026-11-21T06:52:00Z"},
        **scores,
    }


def test_company_without_a_text_has_no_figures(store: Store) -> None:
    store.write(Claim(Observation(RUN, "2026-11-21T06:52:00Z", "a", "NOT_FOUND"), "key", "batch", UNTIL))
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


def test_text_of_several_companies_is_stored_once(store: Store) -> None:
    text = Text("good", "en", "1")
    name = text_hash(text)
    store.write(claim("a", text_hash=name), claim("b", text_hash=name), texts={name: text})
    assert [record for record in store.records() if record[1] == "text"] == [(f"text#{name}", "text")]
    assert store.table.analyses([name, "0" * 64]) == {name: Sentiment("POSITIVE", SCORES)}
    assert store.table.analyses([]) == {}


def test_text_is_stored_though_a_claim_beside_it_is_refused(store: Store) -> None:
    text = Text("good", "en", "1")
    name = text_hash(text)
    store.write(claim("a"))
    written = store.attempt(claim("a", text_hash=name), claim("b"), texts={name: text}, latest={})
    assert [one.observation.company for one in written.claims] == ["b"]
    assert (f"text#{name}", "text") in store.records()


def test_changes_of_a_batch_are_charged_as_a_transaction(store: Store) -> None:
    text = Text("x" * 3000, "en", "1")
    name = text_hash(text)
    store.write(claim("a", text_hash=name), texts={name: text})
    assert store.table.charged_units() == 2 * (1 + 1 + 4)
    assert store.table.charged_units() == 0


def test_conflict_is_tried_again_and_nothing_is_lost(store: Store, log_lines: LogLines) -> None:
    store.dynamodb.cancellations = [{0: "TransactionConflict"}, {3: "TransactionConflict", 1: "ThrottlingError"}]
    assert store.write(claim("a"), claim("b")) == ["a", "b"]
    assert len(store.waits) == 2
    assert store.waits[0] <= 0.1
    assert len(store.records()) == 4
    assert log_lines()[0]["codes"] == ["None", "TransactionConflict"]


def test_conflict_beside_lost_conditions(store: Store) -> None:
    store.write(claim("b"))
    store.dynamodb.cancellations = [{0: "TransactionConflict"}, {1: "TransactionConflict"}]
    assert store.write(*map(claim, "abc")) == ["a", "c"]
    assert store.dynamodb.items["a", "latest"]["run"] == {"S": RUN}


def test_reasons_that_come_one_by_one_are_all_taken_in(store: Store) -> None:
    store.write(*map(claim, "abc"))
    # DynamoDB does not promise to check the other conditions when one has failed.
    store.dynamodb.cancellations = [{2: "None", 3: "None", 4: "None", 5: "None"}, {2: "None", 3: "None"}]
    assert store.write(*map(claim, "abcd")) == ["d"]


def test_endless_conflict_is_an_error_and_nothing_is_written(store: Store) -> None:
    store.dynamodb.cancellations = [{0: "TransactionConflict"}] * 99
    assert "TransactionConflict" in str(store.attempt(claim("a")).errors["a"])
    assert store.dynamodb.count("TransactWriteItems") == BACKOFF.attempts == 6
    assert store.records() == []


def test_transaction_in_progress_is_tried_again_but_not_for_ever(store: Store) -> None:
    error = client_error("TransactionInProgressException")
    store.dynamodb.failures["TransactWriteItems"] = [error, error]
    assert store.write(claim("a")) == ["a"]
    store.dynamodb.failures["TransactWriteItems"] = [error] * 99
    assert "TransactionInProgress" in str(store.attempt(claim("b")).errors["b"])
    assert store.dynamodb.count("TransactWriteItems") == BACKOFF.attempts


def test_other_errors_are_not_tried_again(store: Store) -> None:
    store.dynamodb.failures["TransactWriteItems"] = [client_error("AccessDeniedException")]
    assert "AccessDenied" in str(store.attempt(claim("a")).errors["a"])
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
    store.dynamodb.unprocessed = [2, 1]
    found = store.table.previous([(company, RUN) for company in "abc"])
    assert all(past.claim and past.latest for past in found.values())
    # The latest items in three requests, then the claims.
    reads = [parameters["RequestItems"][TABLE]["Keys"] for name, parameters in store.dynamodb.calls[1:]]
    assert [len(keys) for keys in reads] == [3, 2, 1, 3]
    assert len(store.waits) == 2


def test_companies_that_the_run_has_not_looked_at_are_read_once(store: Store) -> None:
    store.write(*map(claim, "abc"))
    store.table.previous([(company, NEWER_RUN) for company in "abcd"])
    [(_, read)] = store.dynamodb.calls[1:]
    assert [key["record"] for key in read["RequestItems"][TABLE]["Keys"]] == [{"S": "latest"}] * 4


def test_keys_that_stay_unread_are_an_error_and_not_a_company_without_a_past(store: Store) -> None:
    store.write(claim("a"))
    store.dynamodb.unprocessed = [1] * 99
    with pytest.raises(TimeoutError, match="1 keys unread in 6 attempts"):
        store.table.previous([("a", RUN)])
