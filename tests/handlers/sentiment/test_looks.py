"""Looks at companies: claims that are written, refused, and taken over."""

from __future__ import annotations

import pytest

from handlers.sentiment.observations import Written
from handlers.sentiment.records import Claim
from tests.handlers.aws_fakes import client_error
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN
from tests.handlers.sentiment.store import UNTIL, Store, claim, look


def test_run_that_was_overtaken_since_the_read_writes_nothing(store: Store) -> None:
    assert store.write(claim("a", NEWER_RUN)) == ["a"]
    before = dict(store.dynamodb.items)
    assert store.attempt(claim("a"), look("b", RUN), latest={"b": claim("b").observation}) == Written()
    assert store.dynamodb.items == before


def test_run_writes_nothing_on_what_has_changed_since_the_read(store: Store) -> None:
    store.write(claim("a"))
    newest = "20261121T070200Z-00000002"
    assert store.attempt(claim("a", newest), latest={}) == Written()
    assert store.attempt(look("a", newest), latest={"a": claim("a", NEWER_RUN).observation}) == Written()
    assert store.attempt(claim("a", newest), latest={"a": claim("a", NEWER_RUN).observation}) == Written()
    assert store.records() == [("a", RUN), ("a", "latest")]


def test_newer_run_becomes_the_latest(store: Store) -> None:
    store.write(claim("a", RUN))
    store.write(claim("a", NEWER_RUN))
    assert store.dynamodb.items["a", "latest"]["run"] == {"S": NEWER_RUN}
    assert store.records() == [("a", RUN), ("a", NEWER_RUN), ("a", "latest")]


def test_look_that_finds_nothing_new_is_one_update_of_one_write_unit(store: Store) -> None:
    store.write(claim("a", snippet="字" * 300, page="字" * 85, revision="7", text_hash="0" * 64))
    before = dict(store.dynamodb.items["a", "latest"])
    store.table.charged_units()
    assert store.write(look("a", NEWER_RUN, revision="8", batch="batch 2", until=UNTIL + 300)) == ["a"]
    assert store.table.charged_units() == 1
    assert [name for name, _ in store.dynamodb.calls] == ["UpdateItem"]
    after = store.dynamodb.items["a", "latest"]
    assert after.pop("looked_at")["S"] > "2026-11-21T06:52:00Z"
    before.pop("looked_at")
    assert after == before | {
        "run": {"S": NEWER_RUN},
        "revision": {"S": "8"},
        "unchanged": {"BOOL": True},
        "batch": {"S": "batch 2"},
        "claimed_until": {"N": str(UNTIL + 300)},
    }
    assert store.records() == [("a", RUN), ("a", "latest")]


def test_look_is_the_claim_of_its_run(store: Store) -> None:
    store.write(claim("a"))
    store.write(look("a", NEWER_RUN, batch="batch 2"))
    past = store.table.previous([("a", RUN), ("a", NEWER_RUN)])
    claims = {run: past["a", run].claim for run in (RUN, NEWER_RUN)}
    assert [(one.object, one.batch) for one in claims.values() if one] == [("object 1", "batch 1"), ("", "batch 2")]


def test_looks_beside_each_other_fail_alone(store: Store) -> None:
    for name in "abc":
        store.write(claim(name))
    store.dynamodb.failures["UpdateItem"] = [TimeoutError("no answer"), client_error("ThrottlingException")]
    written = store.attempt(*(look(name, NEWER_RUN) for name in "abc"))
    assert len(written.claims) == 1
    assert len(written.errors) == 2


def test_abandoned_claim_is_replaced_once(store: Store) -> None:
    abandoned = claim("a")
    store.write(abandoned)
    assert store.take_over(abandoned, claim("a", key="object 2", batch="batch 2", until=UNTIL + 60))
    assert not store.take_over(abandoned, claim("a", key="object 3", batch="batch 3", until=UNTIL + 60))
    item = store.dynamodb.items["a", RUN]
    assert (item["object"], item["batch"], item["claimed_until"]["N"]) == (
        {"S": "object 2"},
        {"S": "batch 2"},
        str(UNTIL + 60),
    )


def test_abandoned_look_is_replaced_once(store: Store) -> None:
    store.write(claim("a"))
    abandoned = look("a", NEWER_RUN)
    store.write(abandoned)
    assert store.take_over(abandoned, look("a", NEWER_RUN, batch="batch 2", until=UNTIL + 60))
    assert not store.take_over(abandoned, look("a", NEWER_RUN, batch="batch 3", until=UNTIL + 60))
    assert store.dynamodb.items["a", "latest"]["batch"] == {"S": "batch 2"}


def test_abandoned_look_that_was_overtaken_is_not_replaced(store: Store) -> None:
    store.write(claim("a"))
    abandoned = look("a", NEWER_RUN)
    store.write(abandoned)
    store.write(look("a", "20261121T070200Z-00000002"))
    assert not store.take_over(abandoned, look("a", NEWER_RUN, batch="batch 2"))


@pytest.mark.parametrize(
    "other", [claim("a", key="object 9"), claim("a", until=UNTIL + 1), claim("a", batch="batch 9")]
)
def test_claim_that_changed_meanwhile_is_not_replaced(store: Store, other: Claim) -> None:
    store.write(claim("a"))
    assert not store.take_over(other, claim("a", key="object 2"))
    assert store.dynamodb.items["a", RUN]["object"] == {"S": "object 1"}


def test_claim_that_expired_meanwhile_is_not_replaced(store: Store) -> None:
    assert not store.take_over(claim("a"), claim("a", key="object 2"))
    assert store.records() == []


def test_claim_of_a_version_without_summaries_is_replaced(store: Store) -> None:
    store.write(claim("a"))
    del store.dynamodb.items["a", RUN]["batch"]
    past = store.table.previous([("a", RUN)])["a", RUN]
    assert past.claim
    assert past.claim.batch == ""
    assert store.take_over(past.claim, claim("a", key="object 2", batch=""))
    assert store.dynamodb.items["a", RUN]["object"] == {"S": "object 2"}
    assert "batch" not in store.dynamodb.items["a", RUN]
