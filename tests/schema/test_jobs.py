"""Declarations of job kinds."""

from __future__ import annotations

import re

import pytest

from schema import jobs, projects
from schema.job_kind import OptionError
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
        status="running",
        requested_by="u",
        requested_at="2026-11-21T06:52:00Z",
        execution="arn",
    )
    assert (record["pk"], record["sk"]) == projects.job_key("p", "j")
    assert record["project_status"] == projects.project_status("p", "running")
    assert record["results"] == projects.results_prefix("p", "j")
    assert record["options"] == '{"target":"de"}'


@pytest.mark.parametrize("model", [None, "m"])
def test_input_of_an_execution(model: str | None) -> None:
    given = jobs.execution_input(
        jobs.TRANSLATE_JOB, bucket="b", project="p", job="j", options='{"target":"de"}', model=model
    )
    assert given == {
        "project": "p",
        "job": "j",
        "kind": "translate",
        "bucket": "b",
        "input": f"s3://b/{projects.documents_prefix('p')}",
        "output": f"s3://b/{projects.results_prefix('p', 'j')}",
        "environment": {"JOB_OPTIONS": '{"target":"de"}'},
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
