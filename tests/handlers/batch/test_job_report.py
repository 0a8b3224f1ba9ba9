"""Options, environment, report, prices, files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.batch.errors import JobError
from handlers.batch.job import read_job
from handlers.batch.outputs import new_file
from handlers.batch.prices import comprehend_units, estimate
from handlers.batch.report import DocumentReport, completed, failed, make_report, undelivered, write_report
from handlers.batch.sentences import pack, split_sentences
from handlers.batch.translate.translator import target_name
from handlers.common.job_options import OPTIONS_OF_KIND
from tests.handlers.batch.support import budget

START = datetime(2026, 11, 21, 6, 52, tzinfo=UTC)
ENVIRONMENT = {"JOB_KIND": "translate", "JOB_ID": "j", "JOB_OPTIONS": '{"target": "de"}'}


def report_of(documents: list[DocumentReport]) -> Any:
    return make_report(
        job="j", kind="translate", options={}, documents=documents, started=START, finished=START + timedelta(seconds=5)
    )


def document(name: str, status: Any, usage: int = 0) -> DocumentReport:
    return DocumentReport(name=name, status=status, seconds=1.5, characters=10, usage={"translate_characters": usage})


def test_defaults() -> None:
    job = read_job(ENVIRONMENT)
    assert job.options == OPTIONS_OF_KIND["translate"](target="de", source="auto", engine="amazon")
    assert str(job.output) == "/opt/ml/processing/output"
    assert job.is_alone
    assert read_job({**ENVIRONMENT, "JOB_KIND": "analyse", "JOB_OPTIONS": "{}"}).options == OPTIONS_OF_KIND["analyse"]()
    assert read_job({**ENVIRONMENT, "JOB_KIND": "merge"}).options is None


def test_the_files_of_the_container(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    config = tmp_path / "config" / "resourceconfig.json"
    environment = {**ENVIRONMENT, "PROCESSING_ROOT": str(tmp_path / "processing")}
    config.write_text(json.dumps({"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "instance_groups": []}))
    job = read_job(environment)
    assert (job.resources.current_host, job.is_alone) == ("algo-2", False)
    for wrong in ("{", '{"hosts": "algo-1"}', '{"current_host": "x", "hosts": ["algo-1"]}'):
        config.write_text(wrong)
        with pytest.raises(JobError, match=r"resourceconfig\.json"):
            read_job(environment)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"JOB_ID": ""}, "`str` of length >= 1 - at `\\$.job_id`"),
        ({"DOCUMENT_SECONDS": "0"}, "`\\$.document_seconds`"),
        ({"REQUEST_WORKERS": "65"}, "`\\$.request_workers`"),
        ({"JOB_OPTIONS": "[]"}, "Expected `object`, got `array`"),
        ({"JOB_OPTIONS": '{"target": "de", "tone": 1}'}, "unknown field `tone`"),
        ({"JOB_OPTIONS": '{"target": "de", "source": "de"}'}, "`target`: expected another language than `source`"),
        ({"JOB_OPTIONS": '{"target": "de", "engine": "marian"}'}, "`source`: expected the language of the model"),
        ({"JOB_OPTIONS": '{"target": "de", "engine": "x"}'}, "'x' - at `\\$.engine`"),
        ({"JOB_OPTIONS": '{"target": "auto"}'}, "`target`: expected a language code of Amazon Translate"),
        ({"JOB_OPTIONS": '{"target": "de", "source": "qq"}'}, "`source`: expected a language code of Amazon Translate"),
        ({"JOB_KIND": "analyse", "JOB_OPTIONS": '{"language": "sv"}'}, "`language`: expected .* Amazon Comprehend"),
        ({"JOB_KIND": "analyse", "JOB_OPTIONS": '{"summary_sentences": 0}'}, "`\\$.summary_sentences`"),
        ({"JOB_KIND": "analyse", "JOB_OPTIONS": '{"topics": true}'}, "`\\$.topics`"),
    ],
)
def test_mistakes_name_their_field(changes: dict[str, str], message: str) -> None:
    with pytest.raises(JobError, match=message):
        read_job({**ENVIRONMENT, **changes})


def test_totals_and_cost() -> None:
    documents = [document("b", "completed", 1_000_000), document("a", "failed", 500), document("c", "completed", 500)]
    report = report_of(documents)
    assert [found.name for found in report.documents] == ["a", "b", "c"]
    totals = report.totals
    assert (totals.documents, totals.completed, totals.failed, totals.characters) == (3, 2, 1, 30)
    assert (totals.document_seconds, totals.usage) == (4.5, {"translate_characters": 1_001_000})
    assert report.estimated_cost.amount == 15.015
    assert report.estimated_cost.items[0].source == "https://aws.amazon.com/translate/pricing/"
    assert (report.started_at, report.finished_at, report.seconds) == (
        "2026-11-21T06:52:00Z",
        "2026-11-21T06:52:05Z",
        5,
    )


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    used = budget()
    used.use("translate_characters", 3)
    used.note("a note")
    used.note("a note")
    report = report_of([completed("ä", used, "documents/ä"), failed("b", budget(), "It is empty.")])
    write_report(tmp_path, report)
    assert msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=type(report)) == report
    assert report.documents[1].notes == ["a note"]


def test_delivery() -> None:
    assert undelivered(report_of([])) is None
    assert undelivered(report_of([document("a", "failed"), document("b", "completed")])) is None
    reports = [failed(f"{number}.txt", budget(), "It is empty.") for number in range(5)]
    assert undelivered(report_of(reports[:1])) == "No document could be processed. 0.txt: It is empty."
    assert undelivered(report_of(reports)) == (
        "No document could be processed. 0.txt: It is empty. 1.txt: It is empty. 2.txt: It is empty. and 2 more, "
        "see report.json"
    )


@pytest.mark.parametrize(("length", "units"), [(1, 3), (300, 3), (301, 4), (5000, 50)])
def test_units_of_comprehend(length: int, units: int) -> None:
    assert comprehend_units("x" * length) == units


def test_costs() -> None:
    assert estimate({}).amount == 0
    cost = estimate({"comprehend_units": 10_000, "translate_characters": 100})
    assert cost.amount == 1.0015
    assert {item.service: item.amount for item in cost.items} == {"Amazon Translate": 0.0015, "Amazon Comprehend": 1.0}


def test_a_file_is_complete_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.txt"
    path.parent.mkdir()
    path.write_text("old")

    def fail() -> None:
        with new_file(path) as file:
            file.write(b"half")
            file.flush()
            assert path.read_text() == "old"
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        fail()
    assert [found.name for found in path.parent.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"
    with new_file(path) as file:
        file.write(b"new")
    assert (path.read_text(), len(list(path.parent.iterdir()))) == ("new", 1)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("1/a.txt", "1/a.de.txt"),
        ("a.b.docx", "a.b.de.docx"),
        ("README", "README.de"),
        ("ä" * 125 + ".html", "ä" * 123 + ".de.html"),
    ],
)
def test_names_of_translated_documents(name: str, target: str) -> None:
    assert target_name(name, "de") == target
    assert len(Path(target).name.encode()) <= 255


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("en", "Dr. Smith paid 3.50 dollars, e.g. to Mr. Jones. He left.", 2),
        ("de", "Das ist z. B. gut. Am 3. Oktober kam Dr. Meier. Er ging.", 3),
        ("fr", "Il a payé 3,50 euros. Puis il est parti.", 2),
        ("es", "El Sr. García pagó 3.50 euros. Se fue.", 2),
        ("ja", "今日は。元気ですか\uff1fはい。", 3),
        ("zh-TW", "你好。謝謝。", 2),
        ("xx", "One. Two.", 2),
    ],
)
def test_sentences_know_decimals_and_abbreviations(language: str, text: str, count: int) -> None:
    assert len(split_sentences(text, language)) == count


def test_spaces_that_do_not_break_are_no_obstacle() -> None:
    assert split_sentences("Plan\u00a0Z\u00a0. And so on.") == ["Plan\u00a0Z\u00a0. ", "And so on."]


def test_a_library_that_fails_costs_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def fail(*_: object) -> list[str]:
        raise PanicException

    monkeypatch.setattr("sentencex.segment", fail)
    assert split_sentences("One. Two.") == ["One. Two."]
    monkeypatch.setattr("sentencex.segment", lambda *_: ["lost"])
    assert split_sentences("One. Two.") == ["One. Two."]


@given(st.text(), st.sampled_from(["en", "de", "ja", "qq"]))
def test_sentences_lose_nothing(text: str, language: str) -> None:
    assert "".join(split_sentences(text, language)) == text


@given(st.lists(st.text(max_size=50), max_size=20), st.integers(4, 60))
def test_packs_lose_nothing_and_are_within_the_limit(parts: list[str], limit: int) -> None:
    packs = list(pack(parts, limit))
    assert "".join(packs) == "".join(parts)
    assert all(len(packed.encode()) <= limit for packed in packs)
