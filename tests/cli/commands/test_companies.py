"""`nlp companies` against the API's own logic on an emulated DynamoDB."""

from __future__ import annotations

import json
import os
import unicodedata
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
LONG = "ü" * 200
ARABIC = "أرامكو السعودية"
ODD = [
    "Marks & Spencer",
    'Said "so", Inc.',
    "comma, semicolon;",
    "#1 Hosting",
    "'quoted'",
    "=SUM(A1)",
    ARABIC,
    "🙂 GmbH 👩‍👩‍👧",
    "日本電信電話",
    "back\\slash",
    LONG,
]


def test_add_shows_before_change_and_after(product: Product) -> None:
    product.add("Apple", "Nike")
    shown = product.invoke("companies", "add", "-i", "Nike", "-i", "Adidas", "-i", "Adidas").stdout
    assert shown.splitlines() == [
        "Before (2 companies):",
        "  Apple",
        "  Nike",
        "Added: Adidas",
        "Already there: Nike",
        "After (3 companies):",
        "  Adidas",
        "  Apple",
        "  Nike",
    ]


def test_add_does_not_overwrite(product: Product) -> None:
    product.invoke("companies", "add", "-i", "Apple", "--page", "Apple Inc.")
    (before,) = product.json("companies", "list")
    product.invoke("companies", "add", "-i", "Apple", "--page", "Apple (fruit)")
    assert product.json("companies", "list") == [before]
    assert before["page"] == "Apple Inc."
    assert before["added_at"].endswith("Z")
    assert len(before["added_at"]) == 20


def test_add_as_json_prints_nothing_else(product: Product) -> None:
    product.add("Nike")
    assert product.json("companies", "add", "-i", "Nike", "-i", "Asics") == {
        "before": 1,
        "added": ["Asics"],
        "already_there": ["Nike"],
        "after": 2,
    }


def test_names_are_stripped_and_composed(product: Product) -> None:
    product.invoke("companies", "add", "-i", "  Nestlé  ", "-i", unicodedata.normalize("NFD", "Nestlé"))
    assert product.names() == {"Nestlé"}


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 201, "two\nlines", "a\tb", "a\x1b[2J", "a\x7f", "a\ufffe", "a\ud800"]
)
def test_invalid_name_is_refused_with_what_was_expected(product: Product, name: str) -> None:
    error = product.invoke("companies", "add", "-i", name, code=1).stderr
    assert "is not a company's name: expected 1 to 200 characters, without control characters" in error
    assert error.count("\n") == 1
    assert product.names() == set()


def test_200_characters_are_accepted(product: Product) -> None:
    product.invoke("companies", "add", "-i", LONG)
    assert product.names() == {LONG}


@pytest.mark.parametrize("command", ["add", "remove"])
@pytest.mark.parametrize("arguments", [(), ("-i", "Nike", "-f", "names.txt")])
def test_names_come_from_exactly_one_place(product: Product, command: str, arguments: tuple[str, ...]) -> None:
    assert "not both" in product.invoke("companies", command, *arguments, code=2).stderr


def test_page_needs_a_single_name(product: Product) -> None:
    product.invoke("companies", "add", "-i", "A", "-i", "B", "--page", "P", code=2)
    assert product.names() == set()


def test_file_of_names(product: Product, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes("\ufeff# companies\r\n\r\n  Nike  \r\nC# Software\r\nNike\r\n".encode())
    assert product.json("companies", "add", "-f", str(file))["added"] == ["Nike", "C# Software"]


def test_names_from_stdin(product: Product) -> None:
    product.invoke("companies", "add", "-f", "-", input=f"Nike\n{ARABIC}\n".encode())
    assert product.names() == {"Nike", ARABIC}


@pytest.mark.parametrize(
    ("content", "place", "expected"),
    [
        (b"Nike\n\n" + b"x" * 201, ":3: ", "1 to 200 characters"),
        (b"Nike\nA\tB\n", ":2: ", "control characters"),
        (b"Nike\nAdidas\n\xff\xfe", ":3: ", "UTF-8"),
        (b"# nothing\n\n", "", "no name"),
    ],
)
def test_bad_file_changes_nothing(product: Product, tmp_path: Path, content: bytes, place: str, expected: str) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(content)
    error = product.invoke("companies", "add", "-f", str(file), code=1).stderr
    assert f"{file}{place}" in error
    assert expected in error
    assert error.count("\n") == 1
    assert product.names() == set()


def test_missing_file(product: Product) -> None:
    assert "Cannot read missing.txt" in product.invoke("companies", "add", "-f", "missing.txt", code=1).stderr


def test_1000_lines_show_sizes_only(product: Product, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("".join(f"Company {number}\n" for number in range(1000)), encoding="utf-8")
    shown = product.invoke("companies", "add", "-f", str(file))
    assert shown.stdout.splitlines() == [
        "Before: 0 companies",
        "Added: 1,000 companies",
        "Already there: none",
        "After: 1,000 companies",
    ]
    assert len(product.names()) == 1000
    assert "Adding companies: 1,000" in shown.stderr
    removed = product.json("companies", "remove", "-f", write_names(tmp_path, 150))
    assert (removed["before"], len(removed["removed"]), removed["after"]) == (1000, 150, 850)


def test_lists_are_read_past_the_first_page(product: Product) -> None:
    # DynamoDB ends a page of a scan at 1 MB; 300 items of 4 kB are more.
    client = product.client("dynamodb")
    for number in range(300):
        item = {"name": {"S": f"Company {number}"}, "filler": {"S": "x" * 4096}}
        client.put_item(TableName=product.outputs["companies_table"], Item=item)
    assert "LastEvaluatedKey" in client.scan(TableName=product.outputs["companies_table"])
    assert len(product.json("companies", "list")) == 300


def test_remove(product: Product) -> None:
    product.add("Nike", "Apple")
    shown = product.invoke("companies", "remove", "-i", "Nike", "-i", "Puma").stdout
    assert "Removed: Nike\nNot there: Puma\n" in shown
    assert product.names() == {"Apple"}


def test_remove_keeps_observations_unless_purged(product: Product) -> None:
    product.add("Nike", "Apple")
    for record in ("latest", *(f"20261121T{number:06}Z-00000000" for number in range(30))):
        product.observe("Nike", record)
    product.observe("Apple", "latest")
    product.invoke("companies", "remove", "-i", "Nike")
    assert len(product.json("results", "--company", "Nike")) == 30
    shown = product.invoke("companies", "remove", "-i", "Nike", "--purge").stdout
    assert "Not there: Nike\nPurged: 31 records of observations\n" in shown
    left = product.client("dynamodb").scan(TableName=product.outputs["observations_table"])["Items"]
    assert [item["company"]["S"] for item in left] == ["Apple"]


def test_update_keeps_page_and_time(product: Product) -> None:
    product.invoke("companies", "add", "-i", "Facebook", "--page", "Facebook, Inc.")
    (before,) = product.json("companies", "list")
    assert "Renamed Facebook to Meta" in product.invoke("companies", "update", "-o", "Facebook", "-n", "Meta").stdout
    assert product.json("companies", "list") == [before | {"name": "Meta"}]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [("Puma", "Asics", "'Puma' is not in"), ("Nike", "Apple", "'Apple' is already"), ("Nike", "Nike", "already")],
)
def test_update_that_changes_nothing(product: Product, old: str, new: str, reason: str) -> None:
    product.add("Nike", "Apple")
    before = product.json("companies", "list")
    shown = product.invoke("companies", "update", "-o", old, "-n", new).stdout
    assert shown.startswith("Nothing changed: ")
    assert reason in shown
    assert product.json("companies", "list") == before
    assert product.json("companies", "update", "-o", old, "-n", new)["renamed"] is False


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_export_and_import_round_trip(product: Product, tmp_path: Path, kind: str) -> None:
    product.add(*ODD)
    product.invoke("companies", "add", "-i", "Apple", "--page", 'Apple, "Inc."')
    before = product.json("companies", "list")
    file = tmp_path / f"companies.{kind}"
    product.invoke("companies", "export", str(file))
    for name in product.names():
        product.invoke("companies", "remove", "-i", name)
    assert product.names() == set()
    product.invoke("companies", "import", str(file))
    after = product.json("companies", "list")
    assert [(one["name"], one.get("page")) for one in after] == [(one["name"], one.get("page")) for one in before]
    assert len(after) == len(ODD) + 1


def test_export_as_text(product: Product, tmp_path: Path) -> None:
    product.add("Nike", ARABIC)
    assert product.invoke("companies", "export", "--format", "txt").stdout == f"Nike\n{ARABIC}\n"
    product.add("two\nlines")
    error = product.invoke("companies", "export", str(tmp_path / "all.txt"), code=1).stderr
    assert r"two\nlines" in error
    assert not (tmp_path / "all.txt").exists()


def test_export_to_stdout_is_csv_or_json(product: Product) -> None:
    product.add("A, B")
    assert product.invoke("companies", "export").stdout_bytes == b'name,page\r\n"A, B",\r\n'
    assert product.json("companies", "export") == [{"name": "A, B"}]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "company\nNike\n", "a.csv:1: expected the header name,page"),
        ("a.csv", 'name,page\nNike,\n"open', "a.csv:3: expected CSV"),
        ("a.csv", "name,page\nNike,\n ,Page\n", "a.csv:3: not a company's name or page: expected 1 to 200"),
        ("a.csv", 'name,page\nNike,\n"two\nlines",\n', "a.csv:4: not a company's name or page: expected 1 to 200"),
        ("a.json", '["Nike", "a\\u0000"]', "a.json: item 2: not a company's name or page: expected 1 to 200"),
        ("a.json", '{"name": "Nike"}', "a.json: expected a JSON array"),
        ("a.json", '["Nike", {"page": "P"}]', "item 2: expected a name"),
        ("a.json", "[]", "no company"),
        ("a.xlsx", "", ".csv, .json or .txt"),
    ],
)
def test_bad_import(product: Product, tmp_path: Path, name: str, content: str, expected: str) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert expected in product.invoke("companies", "import", str(file), code=1).stderr
    assert product.names() == set()


def test_import_of_names_only(product: Product, tmp_path: Path) -> None:
    file = tmp_path / "names.json"
    file.write_text(json.dumps(["Nike", {"name": "Apple", "page": "Apple Inc."}, "Nike"]), encoding="utf-8")
    assert product.json("companies", "import", str(file))["added"] == ["Nike", "Apple"]


def test_names_are_shown_escaped(product: Product) -> None:
    product.add("two\nlines", "clear\x1b[2J", "reversed\u202e", "👩‍👩‍👧")
    shown = product.invoke("companies", "list").stdout
    assert len(shown.splitlines()) == 5
    assert all(text in shown for text in (r"two\nlines", r"clear\x1b[2J", r"reversed\u202e", "👩‍👩‍👧"))


def test_empty_list(product: Product) -> None:
    result = product.invoke("companies", "list")
    assert result.stdout == ""
    assert "nlp companies add" in result.stderr
    assert product.json("companies", "list") == []


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


def write_names(folder: Path, count: int) -> str:
    file = folder / "names.txt"
    file.write_text("".join(f"Company {number}\n" for number in range(count)), encoding="utf-8")
    return str(file)


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
    failing_for(companies_api, "Company 0")
    failed = product.invoke("companies", "add", "-f", file, code=1).stderr.splitlines()[-1]
    left = 950 - len(product.names())
    assert 100 <= left < 950
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
