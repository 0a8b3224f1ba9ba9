"""What the pipeline makes of companies: every kind of name and every size of watch-list."""

from __future__ import annotations

from collections import Counter

import pytest

from local.demo.walkthrough import read_names
from local.deploy.deployer import ROOT
from tests.integration.harness import Pipeline, new_run

ODD_NAMES = [
    'Toys "R" Us',
    "Yahoo, Inc.; and, others",
    "two\nlines",
    "carriage\r\nreturn",
    "AC/DC & Sons",
    "100% Ünïcode #1?",
    "Emoji 😀👩‍👩‍👧",
    "شركة أرامكو",
    "../../etc/passwd",
    "=1+1",
    "x" * 200,
    "字" * 200,
]
# What no page can be called: Wikipedia has a limit of 255 bytes, and characters of its own.
NO_TITLES = ["100% Ünïcode #1?", "../../etc/passwd", "字" * 200]


def test_an_empty_table_is_a_run_of_nothing(pipeline: Pipeline) -> None:
    answer = pipeline.start()

    assert answer["companies"] == 0
    assert pipeline.waiting() == 0
    assert pipeline.rows(answer["run"]) == []


def test_real_companies_are_analysed_and_analysed_again_only_when_their_text_changes(pipeline: Pipeline) -> None:
    companies = read_names(ROOT / "companies.txt")
    pipeline.add(companies)

    first = pipeline.start()["run"]
    observations = pipeline.follow(first, companies)

    labels = Counter(observation["label"] for observation in observations.values())
    assert labels["POSITIVE"] >= 5
    assert labels["NEGATIVE"] >= 5
    assert labels["MIXED"] >= 5
    assert labels["NEUTRAL"] >= 5
    assert observations["Mercury"]["label"] == "AMBIGUOUS"
    assert observations["Acme Rocket Skates"]["label"] == "NOT_FOUND"
    boeing = observations["Boeing"]
    scores = [boeing[name] for name in ("positive", "negative", "neutral", "mixed")]
    assert sum(scores) == pytest.approx(1, abs=1e-5)
    assert boeing["label"] == "NEGATIVE"
    assert boeing["negative"] == max(scores)
    assert boeing["language"] == "en"
    assert boeing["revision"]
    assert not boeing["unchanged"]
    assert boeing["snippet"].startswith("Boeing is")

    calls = pipeline.comprehend_calls()
    assert 3 <= calls <= 8  # 65 texts in batches of at most 25
    assert pipeline.control.text_requests() <= 0.15 * len(companies)
    pipeline.control.reset_text_counts()
    second = pipeline.start()["run"]
    observations = pipeline.follow(second, companies)
    assert pipeline.comprehend_calls() == calls
    assert pipeline.control.text_requests() <= 0.05 * len(companies)
    assert observations["Boeing"]["unchanged"]
    assert [observations["Boeing"][name] for name in ("positive", "negative", "neutral", "mixed")] == scores

    pipeline.control.set_text("Boeing", "Boeing is wonderful. Everybody loves its excellent, beautiful planes.")
    third = pipeline.start()["run"]
    observations = pipeline.follow(third, companies)
    assert pipeline.comprehend_calls() == calls + 1
    assert observations["Boeing"]["label"] == "POSITIVE"
    assert not observations["Boeing"]["unchanged"]
    assert sum(observation["unchanged"] for observation in observations.values()) == len(companies) - 1

    assert pipeline.latest("Boeing")["run"] == third
    assert [observation["run"] for observation in pipeline.history("Boeing")] == [first, third]
    pipeline.idle()
    assert [row["company"] for row in pipeline.rows(third)] == ["Boeing"]
    assert pipeline.rows(second) == []
    counted = pipeline.counted(third)
    assert (counted["looked_at"], counted["changed"], counted["unchanged"]) == (len(companies), 1, len(companies) - 1)
    assert (counted["calls_made"], counted["calls_saved"]) == (1, len(companies) - 3)


def test_odd_names_come_out_as_they_went_in(pipeline: Pipeline) -> None:
    for name in ODD_NAMES:
        if name not in NO_TITLES:
            pipeline.control.set_text(" ".join(name.split()), f"All is well with {name[:20]!r}. It is great.")
    pipeline.add(ODD_NAMES)

    run = pipeline.start()["run"]
    observations = pipeline.follow(run, ODD_NAMES)

    assert {name: observations[name]["label"] for name in ODD_NAMES} == {
        name: "NOT_FOUND" if name in NO_TITLES else "POSITIVE" for name in ODD_NAMES
    }
    rows = pipeline.rows_of(run, len(ODD_NAMES))
    assert Counter(row["company"] for row in rows) == Counter(ODD_NAMES)
    assert all(pipeline.latest(name)["run"] == run for name in ODD_NAMES)
    assert all(row["reason"].startswith("not a title: ") for row in rows if row["company"] in NO_TITLES)


def test_a_row_has_everything(pipeline: Pipeline) -> None:
    pipeline.control.set_text("Row, Inc.", 'Great, "wonderful" company. ' * 5, revision="7")
    pipeline.add(["Row, Inc."])

    run = pipeline.start()["run"]
    [row] = pipeline.rows_of(run, 1)

    scores = ["positive", "negative", "neutral", "mixed"]
    before = ["run", "observed_at", "company", "label"]
    after = ["language", "revision", "unchanged", "snippet", "text_hash", "page", "candidates", "reason"]
    assert list(row) == [*before, *scores, *after]
    assert row["run"] == run
    assert row["observed_at"].endswith("Z")
    assert (row["company"], row["label"], row["language"], row["revision"]) == ("Row, Inc.", "POSITIVE", "en", "7")
    assert row["unchanged"] == "false"
    assert row["snippet"].startswith('Great, "wonderful" company. Great,')
    assert sum(float(row[name]) for name in scores) == pytest.approx(1, abs=1e-5)
    assert (row["page"], row["candidates"], row["reason"]) == ("Row, Inc.", "", "")
    assert pipeline.text(row["text_hash"]).startswith('Great, "wonderful" company. Great,')


def test_a_company_can_have_a_page_of_another_name(pipeline: Pipeline) -> None:
    item = {"name": {"S": "the orange one"}, "page": {"S": "Boeing"}, "added_at": {"S": "2026-01-01T00:00:00Z"}}
    pipeline.client("dynamodb").put_item(TableName=pipeline.outputs["companies_table"], Item=item)

    run = pipeline.start()["run"]

    assert pipeline.follow(run, ["the orange one"])["the orange one"]["snippet"].startswith("Boeing is")


def test_metrics_and_logs_tell_of_the_run(pipeline: Pipeline) -> None:
    pipeline.control.set_text("Measured", "A fine company.")
    pipeline.add(["Measured", "Not measured anywhere"])

    run = pipeline.start()["run"]
    pipeline.follow(run, ["Measured", "Not measured anywhere"])
    pipeline.idle()

    lines = [line for line in pipeline.logs("analyse") if run in line.get("runs", "")]
    totals = Counter()
    for line in lines:
        names = [metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        assert {"Companies", "Analysed", "Unchanged", "NotFound", "Failed", "ComprehendCalls"} <= set(names)
        totals.update({name: line[name] for name in names})
    assert (totals["Companies"], totals["Analysed"], totals["NotFound"], totals["Failed"]) == (2, 1, 1, 0)
    [dispatched] = [
        line for line in pipeline.logs("dispatch") if line.get("message") == "dispatched" and line["run"] == run
    ]
    assert dispatched["companies"] == 2
    assert dispatched["request_id"]


def test_ten_thousand_companies(pipeline: Pipeline) -> None:
    companies = [f"Company {number:05d}" for number in range(10_000)]
    pipeline.control.generate_texts()
    pipeline.add(companies)

    answer = pipeline.start()

    assert answer["segments"] == 5  # of about 2,000 companies each
    run = answer["run"]
    pipeline.follow(run, companies, seconds=240)
    pipeline.idle()
    rows = Counter(row["company"] for row in pipeline.rows(run))
    assert rows == Counter(companies)
    assert pipeline.waiting("dead_letter_queue_url") == 0


def test_a_retried_start_shows_nothing_twice(pipeline: Pipeline) -> None:
    companies = [f"Company {number:05d}" for number in range(20_000, 20_040)]
    pipeline.control.generate_texts()
    pipeline.add(companies)
    run = new_run()

    pipeline.start(run)
    pipeline.start(run)
    pipeline.follow(run, companies)
    pipeline.idle()

    assert Counter(row["company"] for row in pipeline.rows(run)) == Counter(companies)
    assert [observation["run"] for observation in pipeline.history(companies[0])] == [run]
