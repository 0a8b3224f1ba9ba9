"""Settings of jobs that start on a schedule: their kinds and options are those of the schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schema.languages import TRANSLATE
from tests.test_settings import mistakes, parse

SCHEDULE = "cloud-nlp:jobs.schedules[0]"
TARGET = f"a language code of Amazon Translate, one of {', '.join(TRANSLATE)} (language to translate into)"
TOPICS = "a whole number from 1 up to 20 (number of topics of the corpus)"
ENGINE = "one of amazon, marian (what translates: Amazon Translate, or the MarianMT model of the pair of languages)"
SOURCE = "(language of the documents; `auto` detects it for each document)"


def scheduled(kind: Any, **options: Any) -> dict[str, Any]:
    """A schedule of jobs; one without options leaves the key out."""
    schedule = {"label": "a", "kind": kind, "schedule": "rate(1 day)", "project": "p"}
    return schedule | ({"options": options} if options else {})


def test_options_of_scheduled_jobs_fit_into_a_variable() -> None:
    longest = "x" * (256 - len('{"target":""}'))
    (of_the_option,) = mistakes(jobs={"schedules": [scheduled("translate", target=longest)]})
    assert of_the_option.startswith(f'{SCHEDULE}.options.target: "xxx')
    (mistake,) = mistakes(jobs={"schedules": [scheduled("translate", target=longest + "x")]})
    assert mistake.startswith(f'{SCHEDULE}.options: {{"target": "')
    assert mistake.endswith("; expected at most 256 characters (Options of the jobs, as in the API)")


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("translate", {}, [f"target: not set; expected {TARGET}"]),
        ("translate", {"target": None}, [f"target: null; expected {TARGET}"]),
        (
            "translate",
            {"to": "de", "target": "xx", "engine": ["marian"]},
            [
                'to: "de"; expected an option of translate jobs: target, source, engine',
                f'target: "xx"; expected {TARGET}',
                f'engine: ["marian"]; expected {ENGINE}',
            ],
        ),
        (
            "translate",
            {"target": "de", "engine": "marian"},
            [f"source: not set; expected the language of the model, such as `en`; `marian` cannot detect it {SOURCE}"],
        ),
        (
            "translate",
            {"target": "de", "source": "de"},
            ['target: "de"; expected another language than `source`, which is de too (language to translate into)'],
        ),
        ("analyse", {"topics": 0}, [f"topics: 0; expected {TOPICS}"]),
        ("analyse", {"topics": 21}, [f"topics: 21; expected {TOPICS}"]),
        ("analyse", {"topics": "2"}, [f'topics: "2"; expected {TOPICS}']),
        ("analyse", {"topics": True}, [f"topics: true; expected {TOPICS}"]),
    ],
)
def test_options_that_a_scheduled_job_would_fail_for_are_mistakes(
    kind: str, options: dict[str, Any], expected: list[str]
) -> None:
    lines = mistakes(protect="perhaps", jobs={"schedules": [scheduled(kind, **options)]})
    assert lines[0].startswith("cloud-nlp:protect: ")
    assert lines[1:] == [f"{SCHEDULE}.options.{mistake}" for mistake in expected]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("translate", {"target": "de", "source": "auto", "engine": "amazon"}),
        ("translate", {"target": "zh-TW"}),
        ("analyse", {}),
        ("analyse", {"language": None, "topics": None, "summary_sentences": 10}),
    ],
)
def test_options_are_passed_on_as_they_are_given(kind: str, options: dict[str, Any]) -> None:
    (schedule,) = parse(jobs={"schedules": [scheduled(kind, **options)]}).jobs.schedules
    assert json.loads(schedule.options_json) == options


def test_options_of_an_unknown_kind_are_not_judged() -> None:
    (mistake,) = mistakes(jobs={"schedules": [scheduled("clean", to="de")]})
    assert mistake.startswith(f"{SCHEDULE}.kind: \"clean\"; expected 'analyse' or 'translate' (")


@pytest.mark.parametrize("language", ["xx", None, 3, ["de"], "de,en"])
def test_languages_and_kinds_are_those_of_the_schema(language: Any) -> None:
    lines = mistakes(sentiment={"language": language or "none"}, jobs={"schedules": [scheduled(language)]})
    listed = "'ar', 'de', 'en', 'es', 'fr', 'hi', 'it', 'ja', 'ko', 'pt', 'zh' or 'zh-TW'"
    assert lines == [
        f"cloud-nlp:sentiment.language: {json.dumps(language or 'none')}; expected {listed} (Language of the texts)",
        f"{SCHEDULE}.kind: {json.dumps(language)}; expected 'analyse' or 'translate' (Kind of the jobs)",
    ]


@pytest.mark.parametrize(
    ("options", "channels"),
    [
        ({"target": "de"}, {}),
        ({"target": "de", "source": "en", "engine": "amazon"}, {}),
        ({"target": "de", "source": "en", "engine": "marian"}, {"model": "opus-mt-en-de"}),
    ],
)
def test_scheduled_jobs_of_marian_bring_its_model(options: dict[str, str], channels: dict[str, str]) -> None:
    assert parse(jobs={"schedules": [scheduled("translate", **options)]}).jobs.schedules[0].channels == channels
