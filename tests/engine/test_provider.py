"""The recording provider does what the AWS provider does, as far as it is documented; needs no engine."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from tests.engine.provider.account import Account, Recording, RefusedError, Request
from tests.engine.provider.aws_types import AWS_TYPES
from tests.engine.provider.inputs import DEFAULTS, SIGNATURE, NameTooLongError, change, checked

BUCKET = "aws:s3/bucket:Bucket"
FUNCTION = "aws:lambda/function:Function"
QUEUE = "aws:sqs/queue:Queue"
ROLE = "aws:iam/role:Role"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
TABLE = "aws:dynamodb/table:Table"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::cloud-nlp::cloud-nlp:blocks:Any${kind}::{name}"


def check(
    kind: str, logical: str, olds: dict[str, Any] | None = None, seed: bytes = b"1", **news: Any
) -> dict[str, Any]:
    return checked(kind, logical, news, olds or {}, seed, {"stack": "dev"})


def archive(digits: str, path: str) -> dict[str, Any]:
    return {SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "hash": digits, "path": path}


def parameters(kind: str) -> set[str]:
    """Inputs of a type in the provider's SDK, as the engine names them."""
    module, name = kind.removeprefix("aws:").split("/")[0], kind.rpartition(":")[2]
    package = importlib.import_module(f"pulumi_aws.{module}{'_' if module == 'lambda' else ''}")
    names = inspect.signature(getattr(package, name)._internal_init).parameters
    return {re.sub(r"_(\w)", lambda letter: letter.group(1).upper(), one) for one in names}


@pytest.mark.parametrize("kind", AWS_TYPES)
def test_the_table_names_inputs_that_the_sdk_has(kind: str) -> None:
    row, known = AWS_TYPES[kind], parameters(kind)
    assert row.replaced_by <= known
    assert {name for rule in row.unique for name in rule} <= known
    assert row.tagged == ("tags" in known)
    assert bool(row.name) == bool(row.limit)
    assert row.name in known or not row.name
    assert "name" not in known or row.name == "name" or "name" in row.replaced_by


def test_a_new_resource_gets_a_random_name_that_the_seed_gives() -> None:
    first = check(QUEUE, "work")
    assert re.fullmatch(r"work-[0-9a-f]{7}", first["name"])
    assert first[DEFAULTS] == ["name"]
    assert check(QUEUE, "work") == first
    assert check(QUEUE, "work", seed=b"2")["name"] != first["name"]


def test_a_random_name_is_kept_and_a_given_one_is_taken() -> None:
    first = check(QUEUE, "work")
    assert check(QUEUE, "work", first, seed=b"2")["name"] == first["name"]
    assert check(QUEUE, "work", first, name="given")["name"] == "given"
    assert check(QUEUE, "work", check(QUEUE, "work", name="given"))["name"].startswith("work-")


def test_a_name_that_aws_does_not_take_is_refused() -> None:
    assert len(check(ROLE, "a" * 56)["name"]) == 64
    with pytest.raises(NameTooLongError, match="65 characters; AWS takes 64"):
        check(ROLE, "a" * 57)


def test_default_tags_are_beside_those_of_the_resource() -> None:
    assert check(QUEUE, "work", tags={"a": "b"})["tagsAll"] == {"a": "b", "stack": "dev"}
    assert "tagsAll" not in check(ROUTE, "work")


def test_a_type_that_nobody_has_entered_is_refused() -> None:
    with pytest.raises(KeyError, match="Vpc is not in"):
        check("aws:ec2/vpc:Vpc", "network")


@pytest.mark.parametrize(
    ("kind", "olds", "news", "inputs", "replacing"),
    [
        (TABLE, {"hashKey": "a", "billingMode": "x"}, {"hashKey": "a", "billingMode": "y"}, ["billingMode"], []),
        (TABLE, {"hashKey": "a"}, {"hashKey": "b"}, ["hashKey"], ["hashKey"]),
        (TABLE, {"hashKey": "a"}, {"hashKey": "a", "rangeKey": "b"}, ["rangeKey"], ["rangeKey"]),
        (ROUTE, {"apiId": "a", "routeKey": "GET /"}, {"apiId": "a", "routeKey": "GET /a"}, ["routeKey"], []),
        (BUCKET, {"bucket": "a", "tags": {}}, {"bucket": "a"}, [], []),
        (BUCKET, {"bucket": "a"}, {"bucket": "b"}, ["bucket"], ["bucket"]),
        (FUNCTION, {"code": archive("1", "/a")}, {"code": archive("1", "/b")}, [], []),
        (FUNCTION, {"code": archive("1", "/a")}, {"code": archive("2", "/a")}, ["code"], []),
        (QUEUE, {"name": "a", DEFAULTS: ["name"]}, {"name": "a", DEFAULTS: []}, [], []),
    ],
)
def test_changes_are_updates_or_replacements(
    kind: str, olds: dict[str, Any], news: dict[str, Any], inputs: list[str], replacing: list[str]
) -> None:
    found = change(kind, olds, news)
    assert (found.inputs, found.replacing) == (inputs, replacing)


def test_what_keeps_a_given_name_is_deleted_before_it_is_made_anew() -> None:
    olds, news = {"apiId": "a", "name": "v1"}, {"apiId": "b", "name": "v1"}
    assert change(STAGE, olds, news).delete_first
    assert not change(STAGE, olds, {**news, DEFAULTS: ["name"]}).delete_first


def test_the_account_refuses_what_aws_refuses(tmp_path: Path) -> None:
    account = Account(Recording(tmp_path / "requests"))
    first, _ = account.create(urn(ROUTE, "first"), {"apiId": "a", "routeKey": "GET /"})
    with pytest.raises(RefusedError, match="routeKey 'GET /' exists already"):
        account.create(urn(ROUTE, "second"), {"apiId": "a", "routeKey": "GET /"})
    second, _ = account.create(urn(ROUTE, "second"), {"apiId": "a", "routeKey": "GET /a"})
    with pytest.raises(RefusedError, match="exists already"):
        account.update(urn(ROUTE, "second"), second, {"apiId": "a", "routeKey": "GET /"})
    account.delete(urn(ROUTE, "first"), first)
    account.update(urn(ROUTE, "second"), second, {"apiId": "a", "routeKey": "GET /"})
    with pytest.raises(RefusedError, match="does not exist"):
        account.update(urn(ROUTE, "first"), first, {"apiId": "a", "routeKey": "GET /b"})


def test_the_account_is_what_the_recording_says(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "requests")
    account = Account(recording)
    account.create(urn(QUEUE, "work"), {"name": "work-1"})
    gone, outputs = account.create(urn(QUEUE, "gone"), {"name": "gone-1"})
    assert gone == outputs["url"]
    account.delete(urn(QUEUE, "gone"), gone)
    recording.add(Request("Create", urn(QUEUE, "previewed"), preview=True))
    again = Account(Recording(tmp_path / "requests"))
    assert [one.inputs["name"] for one in again.resources()] == ["work-1"]
