"""Audit lines: who changed what and with which outcome, for each request that may change something."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from handlers.api.support.answers import Answer
from handlers.api.support.audit import audit
from handlers.api.support.requests import Request
from handlers.common.ids import new_id
from handlers.common.logs import logger
from tests.handlers.api.harness import Api, User, gateway_event
from tests.handlers.conftest import LogLines
from tests.support.operations import BY_SCRIPT


def audited(log_lines: LogLines) -> list[dict[str, Any]]:
    return [line for line in log_lines() if line.get("audit")]


def test_a_change_says_who_what_and_how_it_ended(ann: User, log_lines: LogLines) -> None:
    project = ann.project(name="Secret plans")
    [line] = audited(log_lines)
    assert line["user"] == ann.sub
    assert line["route"] == "POST /projects"
    assert line["resource"] == {"made": f"/projects/{project}"}
    assert (line["outcome"], line["status"]) == ("done", 201)
    assert line["request_id"] == "request-1"
    assert line["gateway_request"] == "gateway-1"
    assert line["timestamp"]
    assert "problem" not in line
    assert "Secret plans" not in json.dumps(line)


def test_facts_are_ids_and_counts(ann: User, log_lines: LogLines) -> None:
    project = ann.project()
    document = ann.document(project)
    job = ann.job(project)
    ann.ok("project_change", project, body={"description": "Hidden words"})
    ann.ok(
        "companies_change", body={"changes": [{"action": "add", "name": new_id()}, {"action": "remove", "name": "X"}]}
    )
    ann.ok("company_put", new_id(), body={})
    ann.ok("sentiment", body={"texts": ["Hidden words", "Good."]})
    facts = {line["route"]: line["facts"] for line in audited(log_lines)}
    assert facts["POST /projects/{project}/documents"] == {"document": document}
    assert facts["POST /projects/{project}/jobs"] == {"kind": "analyse"}
    assert facts["PATCH /projects/{project}"] == {"fields": ["description"]}
    assert facts["POST /companies"] == {"added": 1, "missing": 1}
    assert facts["PUT /companies/{name+}"] == {"new": True}
    assert facts["POST /sentiment"] == {"texts": 2}
    assert "Hidden words" not in json.dumps(audited(log_lines))
    resources = {line["route"]: line["resource"] for line in audited(log_lines)}
    made = {"project": project, "made": f"/projects/{project}/jobs/{job}"}
    assert resources["POST /projects/{project}/jobs"] == made


def test_refusals_are_there_and_reading_is_not(api: Api, ann: User, log_lines: LogLines) -> None:
    reader = api.user("[reader]")
    assert reader("companies_change", body={"changes": []}).status == 403
    assert ann("project_archive", new_id()).status == 404
    assert api.call("companies_change", body={}).status == 401
    ann.ok("projects_list")
    ann.ok("companies_list")
    lines = [(line["user"], line["outcome"], line["problem"]) for line in audited(log_lines)]
    assert lines == [
        (reader.sub, "refused", "role-needed"),
        (ann.sub, "refused", "not-found"),
        ("", "refused", "not-signed-in"),
    ]


def request(**claims: str) -> Request:
    operation = BY_SCRIPT["company_delete"]
    event = gateway_event(operation, ("Spotify",), sub="ann")
    event["requestContext"]["authorizer"]["jwt"]["claims"] |= claims
    return Request(event)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({}, ""),
        ({"username": "id-1"}, "id-1"),
        ({"username": "id-1", "email": "ann@example.com"}, "ann@example.com"),
        ({"preferred_username": "ann"}, "ann"),
    ],
)
def test_the_name_in_the_token_is_there(claims: dict[str, str], name: str, log_lines: LogLines) -> None:
    audit(request(**claims), Answer(204))
    [line] = audited(log_lines)
    assert (line["user"], line["user_name"], line["resource"]) == ("ann", name, {"name": "Spotify"})


@pytest.mark.parametrize(("status", "outcome"), [(200, "done"), (409, "refused"), (500, "failed"), (503, "failed")])
def test_outcomes(status: int, outcome: str, log_lines: LogLines) -> None:
    audit(request(), Answer(status, '{"type": "urn:cloud-nlp:problem:unexpected"}'))
    [line] = audited(log_lines)
    assert (line["outcome"], line["status"]) == (outcome, status)


def test_lines_are_written_at_every_log_level(log_lines: LogLines) -> None:
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        audit(request(), Answer(204))
    finally:
        logger.setLevel(before)
    assert len(audited(log_lines)) == 1
