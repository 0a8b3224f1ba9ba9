"""Jobs that translate with a model of one's own: where the model is, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.handlers.api.harness import NAMES, Api, User


def test_marian_needs_its_model(api: Api, ann: User) -> None:
    project = ann.ready()
    body = {"kind": "translate", "options": {"target": "de", "source": "fi", "engine": "marian"}}
    assert ann("jobs_create", project, body=body).wrong == ["options.engine"]
    api.s3.put_object(Bucket=NAMES["DOCUMENTS_BUCKET"], Key="models/opus-mt-fi-de/config.json", Body=b"{}")
    job = ann.job(project, body)
    model = json.loads(api.execution(job, "translate")["input"])["model"]
    assert model == f"s3://{NAMES['DOCUMENTS_BUCKET']}/models/opus-mt-fi-de/"


def test_jobs_that_reach_no_network_are_translated_by_marian_alone(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.modules["jobs_create"].starter, "_isolated", True)
    project = ann.ready()
    amazon = {"kind": "translate", "options": {"target": "de", "source": "en"}}
    assert ann("jobs_create", project, body=amazon).wrong == ["options.engine"]
    marian = {"kind": "translate", "options": {"target": "pl", "source": "en", "engine": "marian"}}
    assert ann("jobs_create", project, body=marian).wrong == ["options.target"]
    ann.job(project, {"kind": "analyse"})
