"""Declarations of job kinds."""

from __future__ import annotations

import re

import pytest

from schema import jobs, projects
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
