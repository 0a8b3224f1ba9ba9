"""`nlp companies` against the API's own logic on an emulated DynamoDB."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from tests.support.cli_aws import Product

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
    "🙂 GmbH 👩",
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
    file.write_text("".join(f"Company {number}\n" for number in range(150)), encoding="utf-8")
    removed = product.json("companies", "remove", "-f", str(file))
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
    assert len(product.json("observations", "--company", "Nike")) == 30
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
