"""Declarations of job kinds."""

from __future__ import annotations

import re

import pytest

from schema import jobs, projects
from schema.job_kind import OptionError
from schema.prices import COMPREHEND_UNITS, PRICES, comprehend_units
from schema.templates import fields

each = pytest.mark.parametrize("kind", jobs.KINDS.values(), ids=lambda kind: kind.name)


@each
def test_names_leave_room_for_a_jobs_name(kind: jobs.JobKind) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,19}", kind.name)


@each
def test_options_without_a_default_say_what_happens_without_them(kind: jobs.JobKind) -> None:
    for option in kind.options:
        assert option.required != bool(option.when_absent), option.name
        assert not option.choices or option.default is None or option.default in option.choices


@each
def test_flags_are_unique(kind: jobs.JobKind) -> None:
    assert len({option.flag for option in kind.options}) == len(kind.options)


def test_record_of_a_job() -> None:
    record = jobs.job_record(
        project="p",
        job="j",
        kind="translate",
        options='{"target":"de"}',
        max_characters="1000",
        status="running",
        requested_by="u",
        requested_at="2026-11-21T06:52:00Z",
        execution="arn",
    )
    assert (record["pk"], record["sk"]) == projects.job_key("p", "j")
    assert record["project_status"] == projects.project_status("p", "running")
    assert record["results"] == projects.results_prefix("p", "j")
    assert (record["options"], record["max_characters"]) == ('{"target":"de"}', "1000")


@pytest.mark.parametrize("model", [None, "m"])
def test_input_of_an_execution(model: str | None) -> None:
    given = jobs.execution_input(
        jobs.TRANSLATE_JOB,
        bucket="b",
        project="p",
        job="j",
        options='{"target":"de"}',
        max_characters="1000",
        model=model,
    )
    assert given == {
        "project": "p",
        "job": "j",
        "kind": "translate",
        "bucket": "b",
        "input": f"s3://b/{projects.documents_prefix('p')}",
        "output": f"s3://b/{projects.results_prefix('p', 'j')}",
        "environment": {"JOB_OPTIONS": '{"target":"de"}', "MAX_CHARACTERS": "1000"},
        **({"model": f"s3://b/{projects.model_prefix(model)}"} if model else {}),
    }


def test_isolated_jobs_need_a_model() -> None:
    with pytest.raises(OptionError, match="`engine`: expected `marian`"):
        jobs.TRANSLATE_JOB.model({"target": "de", "source": "en", "engine": "amazon"}, True)
    options = {"target": "de", "source": "en", "engine": "marian"}
    missing = [jobs.TRANSLATE_JOB.model(options, isolated) for isolated in (True, False)]
    assert [model.missing.option for model in missing if model] == ["target", "engine"]


def test_models() -> None:
    marian = {"target": "de", "source": "en", "engine": "marian"}
    assert jobs.model_of("translate", marian) == "opus-mt-en-de"
    assert jobs.model_of("translate", {"target": "de"}) is None
    assert jobs.model_of("analyse", {}) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "de", "source": "auto", "engine": "marian"}, "`source`: expected the language of the model"),
        ({"target": "de", "source": "de", "engine": "amazon"}, "`target`: expected another language than `source`"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        jobs.TRANSLATE_JOB.check(options)


def test_channels_are_addressed_by_what_an_execution_knows() -> None:
    known = {"project", "job", "model"}
    assert {name for kind in jobs.KINDS.values() for one in kind.channels for name in fields(one.prefix)} <= known


@each
def test_only_jobs_with_paid_services_use_some(kind: jobs.JobKind) -> None:
    options = kind.with_defaults({option.name: option.examples[0] for option in kind.options if option.required})
    assert kind.is_paid(options)
    usage = kind.most_usage(options, 0, 0)
    assert usage.keys() <= PRICES.keys()
    assert set(usage.values()) == {0}


def test_the_model_of_one_s_own_costs_nothing() -> None:
    assert not jobs.TRANSLATE_JOB.is_paid({"target": "de", "source": "en", "engine": "marian"})


@pytest.mark.parametrize("documents", [[1], [300], [5000], [12, 40, 4999], [1] * 30, [9990, 20_001]])
@pytest.mark.parametrize("options", [{"language": None}, {"language": "en"}])
def test_an_analysis_uses_no_more_units_than_the_bound(documents: list[int], options: dict[str, str | None]) -> None:
    """A document of one line is cut into parts of up to 5,000 bytes, of one byte or of four per character."""
    for bytes_per_character in (1, 4):
        part = 5000 // bytes_per_character
        parts = [min(part, size - start) for size in documents for start in range(0, size, part)]
        units = 2 * sum(comprehend_units("x" * length) for length in parts)
        units += sum(comprehend_units("x" * min(size, 5000)) for size in documents) * (options["language"] is None)
        most = jobs.ANALYSE_JOB.most_usage(options, sum(documents), len(documents))
        assert units <= most[COMPREHEND_UNITS]
