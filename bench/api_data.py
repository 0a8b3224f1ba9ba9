"""What requests to the API meet: projects, documents, jobs and companies, made by the API once and then copied."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from local.demo.pipeline_client import add_companies
from local.deploy.stack import LocalStack
from schema.projects import results_prefix

ENTRIES = 12
RESULTS = ("report.html", "report.json", "results.csv")
# Executions wait, or end at once, instead of running a job: its program would take the processors that answers need.
_WAITING = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
_ENDING = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
_WRITE_BATCH = 25

Item = dict[str, Any]


class ApiData:
    """Data of one user.

    Parameters
    ----------
    stack
        The product. Its state machine of `analyse` runs no jobs from now on.

    Attributes
    ----------
    user
        Whose all of it is.
    names
        What is read again and again: a `project` with documents and jobs, a completed `job` with results, and a
        `company` with a history.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._dynamodb, self._s3 = stack.aws.client("dynamodb"), stack.aws.client("s3")
        self._stepfunctions = stack.aws.client("stepfunctions")
        self._table, self._bucket = stack.outputs["documents_table"], stack.outputs["documents_bucket"]
        self._machine = stack.outputs["state_machines"]["analyse"]
        self._numbers = itertools.count()
        self._execute(_WAITING)
        self.user = ApiUser(stack, "bench@example.com")
        self._templates = self._make_templates()
        self.names = {**self._make_lists(), "company": self._make_companies()}

    def projects(self, count: int) -> list[dict[str, str]]:
        """Make projects with nothing in them."""
        return self._copies(count, "PROJECT", "MEMBER")

    def ready_projects(self, count: int) -> list[dict[str, str]]:
        """Make projects with an uploaded document each, and have jobs that are started end at once."""
        self._execute(_ENDING)
        made = self._copies(count, "PROJECT", "MEMBER", "DOCUMENT")
        for names in made:
            self._s3.put_object(Bucket=self._bucket, Key=_document(names), Body=b"Text.")
        return made

    def running_jobs(self, count: int) -> list[dict[str, str]]:
        """Make projects in which a job runs."""
        self._execute(_WAITING)
        made = self._copies(count, "PROJECT", "MEMBER", "JOB", "RUNNING")
        for names in made:
            self._stepfunctions.start_execution(stateMachineArn=self._machine, name=names["job"], input="{}")
        return made

    def documents(self, count: int) -> list[dict[str, str]]:
        """Make documents of one project."""
        return self._copies(count, "DOCUMENT", same=("project",))

    def companies(self, count: int) -> list[dict[str, str]]:
        """Make companies."""
        names = [f"Bench-{next(self._numbers)}" for _ in range(count)]
        add_companies(self._stack, names)
        return [{"company": name} for name in names]

    def _execute(self, definition: dict[str, Any]) -> None:
        self._stepfunctions.update_state_machine(stateMachineArn=self._machine, definition=json.dumps(definition))

    def _make_templates(self) -> tuple[dict[str, str], list[Item]]:
        """Make a project with a document and a running job by the API; returns their ids, and their items."""
        project = self.user.create_project("Template")
        document = self.user.upload(project, "a.txt", b"Text.")
        names = {"project": project, "document": document, "job": self.user.start_job(project, "analyse")}
        found = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"PROJECT#{project}"}},
        )
        return names, found["Items"]

    def _copies(self, count: int, *kinds: str, same: Sequence[str] = ()) -> list[dict[str, str]]:
        """Copy the template's items of some kinds, all ids new but the same ones."""
        names, items = self._templates
        chosen = [item for item in items if item["sk"]["S"].partition("#")[0] in kinds]
        made = [{name: known if name in same else new_id() for name, known in names.items()} for _ in range(count)]
        copied: list[Item] = []
        for new in made:
            text = json.dumps(chosen)
            for name, known in names.items():
                text = text.replace(known, new[name])
            copied += json.loads(text)
        self._write(self._table, copied)
        return made

    def _make_lists(self) -> dict[str, str]:
        """Fill a project; returns its id, and that of a completed job in it."""
        for _ in range(ENTRIES):
            self.user.create_project("Listed")
        project = self._templates[0]["project"]
        for names in self._copies(ENTRIES, "DOCUMENT", same=("project",)):
            self._s3.put_object(Bucket=self._bucket, Key=_document(names), Body=b"Text.")
        jobs = self._copies(ENTRIES, "JOB", same=("project",))
        job = jobs[0]["job"]
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"PROJECT#{project}"}, "sk": {"S": f"JOB#{job}"}},
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": "completed"}},
        )
        for name in RESULTS:
            self._s3.put_object(Bucket=self._bucket, Key=f"{results_prefix(project, job)}{name}", Body=b"x")
        return {"project": project, "job": job}

    def _make_companies(self) -> str:
        """Make companies that were observed; returns the name of one with a history."""
        names = [names["company"] for names in self.companies(ENTRIES)]
        items = [_observation(name, "latest") for name in names]
        items += [_observation(names[0], f"20260101T0000{number:02d}Z-0123abcd") for number in range(ENTRIES)]
        self._write(self._stack.outputs["observations_table"], items)
        return names[0]

    def _write(self, table: str, items: list[Item]) -> None:
        for start in range(0, len(items), _WRITE_BATCH):
            puts = [{"PutRequest": {"Item": item}} for item in items[start : start + _WRITE_BATCH]]
            self._dynamodb.batch_write_item(RequestItems={table: puts})


def _document(names: dict[str, str]) -> str:
    return f"projects/{names['project']}/documents/{names['document']}/a.txt"


def _observation(company: str, record: str) -> Item:
    run = record if record != "latest" else "20260101T000059Z-0123abcd"
    scores = {"positive": "0.9", "negative": "0.02", "neutral": "0.05", "mixed": "0.03"}
    return {
        "company": {"S": company},
        "record": {"S": record},
        "run": {"S": run},
        "observed_at": {"S": "2026-01-01T00:00:00Z"},
        "label": {"S": "POSITIVE"},
        "language": {"S": "en"},
        "revision": {"S": "1"},
        "unchanged": {"BOOL": False},
        "snippet": {"S": f"{company} had a good year."},
        **{name: {"N": score} for name, score in scores.items()},
    }
