"""What `nlp companies` asks of the API, and what becomes of requests that fail."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.api import backoff
from tests.support.cli_api import DROPPED, ApiServer, Request, problem
from tests.support.cli_aws import Product
from tests.support.cli_companies import serve_companies

pytestmark = pytest.mark.usefixtures("companies_api")


def write_names(folder: Path, count: int) -> str:
    file = folder / "names.txt"
    file.write_text("".join(f"Company {number}\n" for number in range(count)), encoding="utf-8")
    return str(file)


def changes_of(request: Request) -> list[str]:
    return [change["name"] for change in request.json["changes"]]


def failing_for(server: ApiServer, *names: str, **headers: str) -> None:
    """Have the API fail for requests about some companies."""
    proper = server.answering("POST", "/companies")

    def fail(request: Request) -> Any:
        refused = problem("unavailable", 503, "Try again.", **headers)
        return refused if set(names) & set(changes_of(request)) else proper(request)

    server.on("POST", "/companies", fail)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BACKOFF", replace(backoff.BACKOFF, first_seconds=0.001))


def test_changes_are_sent_a_hundred_at_a_time_and_read_a_thousand_at_a_time(
    product: Product, companies_api: ApiServer, tmp_path: Path
) -> None:
    product.invoke("companies", "add", "-f", write_names(tmp_path, 250))
    sizes = [len(changes_of(request)) for request in companies_api.received("POST", "/companies")]
    assert sorted(sizes) == [50, 100, 100]
    queries = [request.query for request in companies_api.received("GET", "/companies")]
    assert queries == [{"latest": "false", "limit": "1000"}] * 2  # before, and after
    assert len(product.names()) == 250


def test_companies_that_need_no_change_are_not_sent(product: Product, companies_api: ApiServer) -> None:
    product.add("Nike")
    product.invoke("companies", "add", "-i", "Nike")
    product.invoke("companies", "remove", "-i", "Puma")
    assert companies_api.received("POST", "/companies") == []


@pytest.mark.usefixtures("quick")
def test_a_change_whose_answer_is_lost_is_sent_again(product: Product, companies_api: ApiServer) -> None:
    proper = companies_api.answering("POST", "/companies")

    def lost(request: Request) -> Any:
        proper(request)
        return DROPPED

    companies_api.on("POST", "/companies", lost, proper)
    assert product.json("companies", "add", "-i", "Nike")["added"] == ["Nike"]
    companies_api.on("POST", "/companies", lost, proper)
    assert product.json("companies", "remove", "-i", "Nike")["removed"] == ["Nike"]


def test_a_rename_whose_answer_is_lost_is_not_sent_again(product: Product, companies_api: ApiServer) -> None:
    product.add("Facebook")
    companies_api.on("POST", "/companies", DROPPED)
    assert "not reachable" in product.invoke("companies", "update", "-o", "Facebook", "-n", "Meta", code=1).stderr
    assert len(companies_api.received("POST", "/companies")) == 1


@pytest.mark.usefixtures("quick")
def test_a_request_that_fails_ends_the_command_and_says_what_is_left(
    product: Product, companies_api: ApiServer, tmp_path: Path
) -> None:
    file = write_names(tmp_path, 950)
    failing_for(companies_api, "Company 949")  # in the last request, which begins when others have ended
    failed = product.invoke("companies", "add", "-f", file, code=1).stderr.splitlines()[-1]
    left = 950 - len(product.names())
    assert 50 <= left < 950
    assert failed.startswith(f"nlp: {left} of 950 changes not made: The API failed even after retries (503)")
    assert failed.endswith("run the command again.")
    serve_companies(companies_api, product)
    assert len(product.json("companies", "add", "-f", file)["added"]) == left
    assert len(product.names()) == 950


def test_a_refused_change_is_named_by_its_company(product: Product, companies_api: ApiServer) -> None:
    wrong = [{"field": "changes[0].name", "expected": "a shorter name"}]
    companies_api.on("POST", "/companies", problem("invalid-fields", 422, errors=wrong))
    assert "'Nike': a shorter name" in product.invoke("companies", "add", "-i", "Nike", code=1).stderr


def test_who_is_not_signed_in_is_told_how(product: Product, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NLP_TOKEN")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for command in (("list",), ("add", "-i", "Nike"), ("remove", "-i", "Nike"), ("update", "-o", "A", "-n", "B")):
        assert "run `nlp login`" in product.invoke("companies", *command, code=1).stderr


def test_no_aws_credentials_are_needed_but_for_observations(
    product: Product, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    product.add("Nike")
    product.observe("Nike", "latest")
    file = tmp_path / "dev.json"
    file.write_text(json.dumps(product.outputs), encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps credentials
    dev = {"NLP_OUTPUTS": str(file)}
    assert product.json("--stack", "dev", "companies", "add", "-i", "Asics", env=dev)["after"] == 2
    assert product.json("--stack", "dev", "companies", "update", "-o", "Asics", "-n", "ASICS", env=dev)["renamed"]
    assert product.json("--stack", "dev", "companies", "remove", "-i", "ASICS", env=dev)["after"] == 1
    purge = product.invoke("--stack", "dev", "companies", "remove", "-i", "Nike", "--purge", code=1, env=dev)
    assert "No AWS credentials were found" in purge.stderr


@pytest.mark.parametrize("name", ["two\nlines", "clear\x1b[2J", "delete\x7f"])
def test_companies_from_before_the_rule_can_be_renamed_and_removed(product: Product, name: str) -> None:
    product.add(name, f"{name} 2")
    product.invoke("companies", "update", "-o", name, "-n", "Proper")
    assert product.json("companies", "remove", "-i", f"{name} 2")["removed"] == [f"{name} 2"]
    assert product.names() == {"Proper"}
