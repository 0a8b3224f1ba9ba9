"""`nlp observations`: latest observations and histories."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from cli.ui.text import parse_duration, printable, relative_time, spoken_duration
from schema.companies import RESULT_COLUMNS
from tests.support.cli_aws import Product

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def ago(**age: float) -> str:
    return (datetime.now(UTC) - timedelta(**age)).strftime("%Y-%m-%dT%H:%M:%SZ")


def run_ago(**age: float) -> str:
    return (datetime.now(UTC) - timedelta(**age)).strftime("%Y%m%dT%H%M%SZ-00000000")


def test_latest_of_every_company(product: Product) -> None:
    product.add("Nike", "Apple", "Puma")
    product.observe("Nike", "latest", "NEGATIVE", ago(minutes=5), unchanged={"BOOL": True}, snippet={"S": "a\nb"})
    product.observe("Apple", "latest", at=ago(hours=3))
    product.observe("Not watched", "latest")
    result = product.invoke("observations")
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["company", "label", "pos", "neg", "neu", "mix", "observed", "text", "snippet"]
    assert rows[0].split() == ["Apple", "POSITIVE", "0.88", "3", "h", "ago", "new"]
    assert rows[1].split() == [r"Nike", r"NEGATIVE", r"0.88", r"5", r"min", r"ago", r"same", r"a\nb"]
    assert len(rows) == 2
    assert "1 company without an observation yet" in result.stderr


def test_latest_tells_when_the_company_was_last_looked_at(product: Product) -> None:
    product.add("Nike", "Puma")
    product.observe("Nike", "latest", at=ago(days=30), looked_at={"S": ago(minutes=5)}, text_hash={"S": "ab"})
    product.observe("Puma", "latest", "AMBIGUOUS", at=ago(hours=2), candidates={"L": [{"S": "Puma (cat)"}]})
    assert "5 min ago" in product.invoke("observations").stdout
    nike, puma = product.json("observations", "--since", "1d")
    assert (nike["text_hash"], nike["candidates"]) == ("ab", [])
    assert nike["looked_at"] > nike["observed_at"]
    assert puma["candidates"] == ["Puma (cat)"]
    assert puma["looked_at"] == puma["observed_at"], "as versions wrote it that wrote each observation anew"


def test_companies_without_a_text_have_the_reason_in_its_place(product: Product) -> None:
    product.add("Nobody", "Puma")
    product.observe("Nobody", "latest", "NOT_FOUND", reason={"S": "no such page"})
    product.observe("Puma", "latest", "AMBIGUOUS", candidates={"L": [{"S": "Puma (cat)"}, {"S": "Puma (brand)"}]})
    _, nobody, puma = product.invoke("observations").stdout.splitlines()
    assert nobody.endswith("no such page")
    assert puma.endswith("Puma (cat), Puma (brand)")


def test_latest_of_more_companies_than_one_request_holds(product: Product) -> None:
    names = [f"Company {number:03}" for number in range(130)]
    product.add(*names)
    for name in names:
        product.observe(name, "latest")
    assert [one["company"] for one in product.json("observations")] == names
    assert [one["company"] for one in product.json("observations", "--limit", "2")] == names[:2]


def test_latest_since(product: Product) -> None:
    product.add("Nike", "Apple")
    product.observe("Nike", "latest", at=ago(days=8))
    product.observe("Apple", "latest", at=ago(days=6))
    assert [one["company"] for one in product.json("observations", "--since", "7d")] == ["Apple"]
    result = product.invoke("observations", "--since", "1h")
    assert result.stdout == ""
    assert "Nothing was observed since" in result.stderr


def test_history_is_newest_first_and_without_the_copy(product: Product) -> None:
    product.add("Nike")
    runs = [run_ago(days=days) for days in (10, 6, 1)]
    for run in runs:
        product.observe("Nike", run)
    product.observe("Nike", "latest")
    claim = {"company": {"S": "Nike"}, "record": {"S": run_ago(hours=1)}, "claimed_until": {"N": "1"}}
    product.client("dynamodb").put_item(TableName=product.outputs["observations_table"], Item=claim)
    history = product.json("observations", "--company", "Nike")
    assert [one["run"] for one in history] == runs[::-1]
    assert [one["run"] for one in product.json("observations", "--company", "Nike", "--since", "7d")] == runs[:0:-1]
    assert [one["run"] for one in product.json("observations", "--company", "Nike", "--limit", "1")] == runs[:1:-1]
    assert "3 observations of Nike" in product.invoke("observations", "--company", " Nike ").stdout


def test_since_a_date(product: Product) -> None:
    product.add("Nike")
    product.observe("Nike", "20261120T120000Z-00000000")
    assert len(product.json("observations", "--company", "Nike", "--since", "2026-11-20T11:59:59Z")) == 1
    assert product.json("observations", "--company", "Nike", "--since", "2026-11-20T12:00:01Z") == []
    assert len(product.json("observations", "--company", "Nike", "--since", "2026-11-01")) == 1


@pytest.mark.parametrize("when", ["yesterday", "7", "d", "2026-13-01", "999999999w"])
def test_bad_since(product: Product, when: str) -> None:
    assert "is not a time" in product.invoke("observations", "--since", when, code=2).stderr


def test_unknown_company(product: Product) -> None:
    product.add("Amazon")
    error = product.invoke("observations", "--company", "amazn", code=1).stderr
    assert "There is no company 'amazn' (did you mean 'Amazon'?)" in error
    assert error.count("\n") == 1


def test_company_without_observations(product: Product) -> None:
    product.add("Nike")
    assert "No observation of Nike yet" in product.invoke("observations", "--company", "Nike").stderr
    product.observe("Nike", run_ago(days=2))
    assert "No observation of Nike since" in product.invoke("observations", "--company", "Nike", "--since", "1d").stderr


def test_removed_company_keeps_its_history(product: Product) -> None:
    product.observe("Gone", run_ago(days=2))
    assert len(product.json("observations", "--company", "Gone")) == 1
    assert "since" in product.invoke("observations", "--company", "Gone", "--since", "1d").stderr


def test_csv(product: Product) -> None:
    name = 'A, "B"\nC'
    product.add(name)
    product.observe(name, "latest", snippet={"S": "Größe 🙂"}, mixed={"N": "0.5"})
    content = product.invoke("observations", "--csv").stdout_bytes.decode()
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert tuple(row) == RESULT_COLUMNS
    assert (row["company"], row["snippet"], row["unchanged"], row["mixed"], row["negative"]) == (
        name,
        "Größe 🙂",
        "false",
        "0.5",
        "",
    )
    product.invoke("observations", "--csv", "--json", code=2)


def test_csv_runs_no_formulas(product: Product) -> None:
    name = "=HYPERLINK(A1)"
    product.add(name)
    product.observe(name, "latest", snippet={"S": "@SUM(1)"}, candidates={"L": [{"S": "-1"}, {"S": "B"}]})
    content = product.invoke("observations", "--csv").stdout_bytes.decode()
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert (row["company"], row["snippet"], row["candidates"]) == ("'=HYPERLINK(A1)", "'@SUM(1)", "'-1|B")


def test_no_companies(product: Product) -> None:
    result = product.invoke("observations")
    assert result.stdout == ""
    assert "nlp companies add" in result.stderr


def test_on_a_terminal_lines_are_cut_and_labels_coloured(product: Product) -> None:
    product.add("Nike")
    product.observe("Nike", "latest", "NEGATIVE", snippet={"S": "word " * 100})
    terminal = {"FORCE_COLOR": "1", "COLUMNS": "90", "NO_COLOR": None, "TERM": "xterm"}
    shown = product.invoke("observations", env=terminal, color=True).stdout
    assert "\x1b[31mNEGATIVE" in shown
    assert "…" in shown
    row = next(line for line in shown.splitlines() if "NEGATIVE" in line)
    assert len(row.replace("\x1b[31m", "").replace("\x1b[0m", "")) <= 90
    plain = product.invoke("observations", env=terminal | {"NO_COLOR": "1"}, color=True).stdout
    assert "\x1b[3" not in plain


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-11-21T11:59:30Z", "30 s ago"),
        ("2026-11-21T11:01:00Z", "59 min ago"),
        ("2026-11-20T00:00:00Z", "36 h ago"),
        ("2026-11-11T12:00:00Z", "10 days ago"),
        ("2026-11-21T12:00:05Z", "0 s ago"),
        ("odd\x1b", r"odd\x1b"),
        ("2026-11-21T11:59:30", "2026-11-21T11:59:30"),
    ],
)
def test_relative_time(timestamp: str, expected: str) -> None:
    assert relative_time(timestamp, NOW) == expected


def test_old_times_are_dates() -> None:
    assert relative_time("2026-10-01T12:00:00Z", NOW).startswith("2026-10-01 ")


def test_durations() -> None:
    assert parse_duration("2w") == timedelta(days=14)
    assert [spoken_duration(seconds) for seconds in (0.84, 42, 197)] == ["0.8 s", "42 s", "3 min 17 s"]


def test_printable_keeps_what_is_harmless() -> None:
    assert printable("Æ 日本 أرامكو 👩‍👩‍👧 back\\slash") == "Æ 日本 أرامكو 👩‍👩‍👧 back\\slash"
    assert printable("\r\n\t\x00\x9b\u2028\u2066") == r"\r\n\t\x00\x9b\u2028\u2066"
