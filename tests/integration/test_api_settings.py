"""A second deployment with other settings: schedules, two instances, a short time limit, throttling, notifications.

Its jobs are started at once, so that the tests wait for the time limit and for the schedules' minute only once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from handlers.common.ids import new_id
from handlers.common.table import Table
from handlers.projects.project_models import NewProject
from handlers.projects.projects import Projects
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
from tests.integration.api_story import TO_GERMAN, Backstage, jobs_of, processing, run, subject, without_accents
from tests.integration.harness import Pipeline, wait_until
from tests.integration.processing import received, subscribed_queue

# Long enough for jobs of a busy machine, and over before the schedule's minute is.
TIME_LIMIT = 40
COSTLY_BURST = 8
HELD = "Held until the time limit"
WATCHED = "Watched on schedule"
TEXTS = {
    "first.txt": "The service was wonderful. It costs only 3.5 euros a month. Customers are happy with it.",
    "second.md": "# Delay\n\nThe delivery was a **terrible** failure. Customers complain of the delay.",
    "third.html": "<html><body><p>The delivery was a <b>terrible</b> failure, they say.</p></body></html>",
    "fourth.txt": "The service was wonderful. It costs only 3.5 euros a month. Customers are happy with it, too.",
    "blank.txt": " ",
}


@dataclass(frozen=True)
class Deployed:
    """The second deployment, somebody who uses it, and what was begun in it."""

    stack: LocalStack
    user: ApiUser
    backstage: Backstage
    notices: str
    scheduled: str
    late: str
    late_job: str

    def scheduled_input(self, kind: str) -> str:
        """What the schedule of a kind starts executions with."""
        events, machine = self.stack.aws.client("events"), self.backstage.machine(kind)
        [rule] = events.list_rule_names_by_target(TargetArn=machine)["RuleNames"]
        [target] = events.list_targets_by_rule(Rule=rule)["Targets"]
        return target["Input"]

    def start(self, kind: str, execution_input: str) -> dict[str, Any]:
        """Start an execution as a schedule does, and return it when it has ended."""
        name = new_id()
        with self.backstage.hurried():
            self.stack.aws.client("stepfunctions").start_execution(
                stateMachineArn=self.backstage.machine(kind), name=name, input=execution_input
            )
            return self.backstage.ended(kind, name)


@pytest.fixture(scope="module")
def deployed(stack: LocalStack) -> Iterator[Deployed]:
    scheduled, late = new_id(), new_id()
    schedules = [
        {
            "label": "often",
            "kind": "analyse",
            "schedule": "rate(1 minute)",
            "project": scheduled,
            "options": {"topics": 2},
        },
        {"label": "daily", "kind": "translate", "schedule": "rate(1 day)", "project": late, "options": TO_GERMAN},
    ]
    settings = {
        "notify_emails": ["jobs@example.com"],
        "sentiment": {"scheduled": True, "schedule": "rate(1 minute)"},
        "api": {"costly_requests_per_second": 0.5, "costly_burst": COSTLY_BURST},
        "jobs": {"instance_count": 2, "time_limit_seconds": TIME_LIMIT, "schedules": schedules},
    }
    second = deploy_to(stack.aws, settings)
    Pipeline(second).add([WATCHED])
    user, backstage = ApiUser(second, "other-settings@example.com"), Backstage(second)
    for project in (scheduled, late):
        create_project(second, user, project)
    for name, text in TEXTS.items():
        user.upload(scheduled, name, text.encode())
    user.upload(late, "late.txt", HELD.encode())
    [topic] = [one.id for one in second.deployment.resources if one.type == "aws:sns/topic:Topic"]
    notices = subscribed_queue(stack.aws, topic)
    with backstage.held(HELD):
        yield Deployed(second, user, backstage, notices, scheduled, late, processing(user, backstage, late))


def create_project(stack: LocalStack, user: ApiUser, project: str) -> None:
    """Create a project whose id the settings named before; the API would choose one."""
    table = Table(stack.aws.client("dynamodb"), stack.outputs["documents_table"])
    Projects(table).create(project, NewProject("Of the settings"), subject(user))


# Schedules, by hand; the first of them while the job that was begun runs


def test_a_schedule_does_not_start_a_second_job(deployed: Deployed) -> None:
    execution = deployed.start("translate", deployed.scheduled_input("translate"))

    assert execution["status"] == "SUCCEEDED"
    rejected, running = jobs_of(deployed.user, deployed.late)
    assert (running["job"], running["status"]) == (deployed.late_job, "running")
    assert (rejected["status"], rejected["requested_by"], rejected["options"]) == ("rejected", "schedule", TO_GERMAN)
    assert "was running" in rejected["cause"]
    assert deployed.backstage.processing_jobs(rejected["job"]) == {}


def test_a_schedule_for_a_project_that_is_not_there_fails(deployed: Deployed) -> None:
    wrong = {**json.loads(deployed.scheduled_input("translate")), "project": new_id()}

    assert deployed.start("translate", json.dumps(wrong))["status"] == "FAILED"


# Several instances


@pytest.mark.parametrize("kind", ["analyse", "translate"])
def test_two_instances_make_what_one_makes(ann: ApiUser, deployed: Deployed, kind: str) -> None:
    options = {"analyse": {"topics": 2}, "translate": TO_GERMAN}[kind]
    made: list[dict[str, Any]] = []
    for instances, user in ((1, ann), (2, deployed.user)):
        project = user.create_project("As many instances as there are")
        names = {user.upload(project, name, text.encode()): name for name, text in TEXTS.items()}
        job = run(user, project, kind, options)
        assert (job["status"], job["cause"]) == ("completed", None)
        files = user.results(project, job["job"])
        report = json.loads(files["report.json"])
        assert report["instances"] == instances
        assert (report["totals"]["completed"], report["totals"]["failed"]) == (len(TEXTS) - 1, 1)
        made.append({known(name, names): comparable(content, names) for name, content in files.items()})

    alone, together = made
    assert set(together) == set(alone)
    assert together == alone


def known(text: str, names: dict[str, str]) -> str:
    """Write a document's name where its id stands."""
    for document, name in names.items():
        text = text.replace(document, name)
    return text


def comparable(content: bytes, names: dict[str, str]) -> str:
    """Leave out of a result what differs from run to run: ids, times and numbers of instances."""
    text = known(content.decode(), names)
    text = re.sub(r'"(job|started_at|finished_at)": "[^"]*"', r'"\1": ""', text)
    return re.sub(r'"(instances|seconds|document_seconds)": [\d.]+', r'"\1": 0', text)


# Throttling


def test_costly_requests_are_throttled(deployed: Deployed) -> None:
    texts = {"texts": ["A wonderful day."]}
    answers = [deployed.user.request("POST", "/sentiment", texts) for _ in range(COSTLY_BURST + 3)]

    assert [answer.status_code for answer in answers[:COSTLY_BURST]] == [200] * COSTLY_BURST
    assert answers[-1].status_code == 429
    assert answers[-1].json() == {"message": "Too Many Requests"}
    assert deployed.user.request("GET", "/projects").status_code == 200


# Time limit and notifications


def test_a_job_that_takes_too_long_fails_and_says_so(deployed: Deployed) -> None:
    job = deployed.user.follow_job(deployed.late, deployed.late_job)

    assert job["status"] == "failed"
    assert job["cause"].startswith("The job had to end before all its documents were done. Of 1, 0 are done;")
    name = f"translate-{job['job']}"
    assert deployed.backstage.processing_jobs(job["job"]) == {name: "Completed", f"{name}-merge": "Completed"}
    [document] = json.loads(deployed.user.results(deployed.late, job["job"])["report.json"])["documents"]
    assert (document["status"], document["reason"]) == ("failed", "The job was stopped before it was done.")
    execution = deployed.backstage.ended("translate", job["job"])
    assert (execution["status"], execution["cause"]) == ("FAILED", job["cause"])
    assert deployed.backstage.lock(deployed.late, "translate") is None
    notice = received(deployed.stack.aws, deployed.notices)
    assert notice["Subject"] == "A job of kind translate failed"
    assert notice["Message"] == f"Job {job['job']} in project {deployed.late} failed: {job['cause']}"


def test_the_schedules_next_job_runs(deployed: Deployed) -> None:
    deployed.user.upload(deployed.late, "news.txt", b"Good news.")
    for document in deployed.user.call("GET", f"/projects/{deployed.late}/documents")["documents"]:
        if document["name"] == "late.txt":
            deployed.user.call("DELETE", f"/projects/{deployed.late}/documents/{document['document']}")

    assert deployed.start("translate", deployed.scheduled_input("translate"))["status"] == "SUCCEEDED"

    job = jobs_of(deployed.user, deployed.late)[0]
    assert (job["status"], job["requested_by"]) == ("completed", "schedule")
    [text] = [one for name, one in deployed.user.results(deployed.late, job["job"]).items() if name.endswith(".txt")]
    assert without_accents(text.decode()) == "Good news."


# Schedules, by themselves


def test_the_schedule_starts_jobs(deployed: Deployed) -> None:
    jobs = wait_until(lambda: jobs_of(deployed.user, deployed.scheduled), 90, "a job started by the schedule")

    job = deployed.user.follow_job(deployed.scheduled, jobs[-1]["job"])

    assert (job["status"], job["kind"], job["requested_by"], job["options"]) == (
        "completed", "analyse", "schedule", {"topics": 2},
    )  # fmt: skip
    report = json.loads(deployed.user.results(deployed.scheduled, job["job"])["report.json"])
    assert (report["instances"], report["totals"]["documents"]) == (2, len(TEXTS))
    latest = deployed.user.call("GET", f"/projects/{deployed.scheduled}/jobs/latest?kind=analyse")
    assert latest["status"] == "completed"


def test_the_schedule_starts_runs(deployed: Deployed) -> None:
    pipeline = Pipeline(deployed.stack)
    history = wait_until(lambda: pipeline.history(WATCHED), 75, "a run started by the schedule")

    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", history[0]["run"])
    assert history[0]["label"] == "NOT_FOUND"
