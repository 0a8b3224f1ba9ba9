"""States that keep a job's record in a table: whether it runs, how it ended, and which job is the latest.

A job's status changes in one transaction with the lock that keeps a second job of the kind from running, so they never
disagree. Every change is conditional: a job that was cancelled stays cancelled.

Keys and attributes are those of `schema/projects.py` and `schema/jobs.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.blocks.access.permissions import Permission
from components.blocks.storage.table import Table, TableAction
from components.blocks.workflow.execution import CAUSE, ERROR, EXECUTION, JOB, NOW
from components.blocks.workflow.expressions import Expression, joined, jsonata, template, text
from components.blocks.workflow.states import ANY_ERROR, Call, Catch, Retry
from schema import jobs, projects

UPDATE = "arn:aws:states:::dynamodb:updateItem"
TRANSACT = "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems"
# The two integrations spell the service's name differently.
CONDITION_FAILED = "DynamoDB.ConditionalCheckFailedException"
TRANSACTION_CANCELLED = "DynamoDb.TransactionCanceledException"
_TIMEOUT_SECONDS = 30
_RETRY = Retry([ANY_ERROR], attempts=6, first_seconds=1, longest_seconds=30)
# A failed condition cancels a transaction, and so does a conflict with another transaction on the same items.
_RETRY_CONFLICT = Retry([TRANSACTION_CANCELLED], attempts=2, first_seconds=1, longest_seconds=5)
_NO_RETRY = Retry([CONDITION_FAILED], attempts=0)
# Actions of a transaction, and the permissions that they need.
_ACTIONS: Mapping[str, TableAction] = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


class JobRecords:
    """States that record the jobs of a kind; the variable `$job` holds the input of the execution.

    Parameters
    ----------
    table
        Table of the records.
    kind
        Kind of the jobs.
    """

    def __init__(self, *, table: Table, kind: str) -> None:
        self._table = table
        # Values for the fields of all templates, except the status.
        self._values = {
            "project": JOB.field("project"),
            "job": JOB.field("job"),
            "kind": text(kind),
            "options": JOB.field("environment", jobs.OPTIONS_VARIABLE),
            "requested_by": text(jobs.SCHEDULE),
            "requested_at": NOW,
            "execution": EXECUTION,
        }

    def mark_running(self, *, then: str, nothing_to_do: str, failed: str) -> Call:
        """Record the start of a job that is running and that no other execution has started."""
        started = jobs.STARTED_AT
        return Call(
            "Records the start. A job that was cancelled, has ended or belongs to another execution stays unchanged.",
            resource=UPDATE,
            arguments={
                "TableName": self._table.name,
                "Key": self._key(projects.JOB),
                "UpdateExpression": f"SET {started} = if_not_exists({started}, :now), #execution = :execution",
                "ConditionExpression": f"#status = :running AND #kind = :kind "
                f"AND attribute_not_exists({jobs.FINISHED_AT}) "
                f"AND (attribute_not_exists({started}) OR #execution = :execution)",
                "ExpressionAttributeNames": {"#status": "status", "#kind": "kind", "#execution": "execution"},
                "ExpressionAttributeValues": {
                    ":now": _text(NOW),
                    ":running": {"S": jobs.RUNNING},
                    **self._items({":execution": jobs.RECORD["execution"], ":kind": jobs.RECORD["kind"]}),
                },
            },
            permissions=self._permissions("UpdateItem"),
            next=then,
            timeout_seconds=_TIMEOUT_SECONDS,
            retry=[_NO_RETRY, _RETRY],
            catch=[Catch([CONDITION_FAILED], next=nothing_to_do), _not_recorded(failed, "start")],
        )

    def mark_completed(self, *, then: str, failed: str) -> Call:
        """Complete the job, make it the latest and release the lock, all or nothing."""
        finished = jobs.FINISHED_AT
        latest = {
            "Update": {
                "TableName": self._table.name,
                "Key": self._key(projects.LATEST),
                "UpdateExpression": f"SET job = :job, {finished} = :now",
                "ConditionExpression": f"attribute_not_exists({finished}) OR {finished} <= :now",
                "ExpressionAttributeValues": {":job": _text(JOB.field("job")), ":now": _text(NOW)},
            }
        }
        return self._transact(
            "Completes the job, makes it the latest of its kind and releases the lock, all or nothing. The transaction "
            "fails if the job was cancelled meanwhile, and the next state finds that out.",
            [self._end_job(jobs.COMPLETED), latest, self._release_lock()],
            then=then,
            catch=[_not_recorded(failed, "end")],
        )

    def mark_failed(self, *, then: str, nothing_to_do: str) -> Call:
        """Record the variable `$cause` with the job, and release the lock."""
        return self._transact(
            "Records why the job failed, and releases the lock. A job that was cancelled meanwhile stays cancelled.",
            [self._end_job(jobs.FAILED, CAUSE), self._release_lock()],
            then=then,
            catch=[Catch([TRANSACTION_CANCELLED], next=nothing_to_do)],
        )

    def register(self, *, then: str, refused: str) -> Call:
        """Record a job that a schedule started, and take the lock."""
        lock = {
            "Put": {
                "TableName": self._table.name,
                "Item": {**self._key(projects.LOCK), "job": _text(JOB.field("job"))},
                # When an answer was lost and the transaction is repeated, the lock is there already.
                "ConditionExpression": f"attribute_not_exists({projects.PARTITION_KEY}) OR job = :job",
                "ExpressionAttributeValues": {":job": _text(JOB.field("job"))},
            }
        }
        return self._transact(
            "Records a job that the schedule started, if the project is active and runs no other job of the kind.",
            [self._check_project(), self._register_job(), lock],
            then=then,
            catch=[Catch([TRANSACTION_CANCELLED], next=refused)],
        )

    def record_refusal(self, *, then: str) -> Call:
        """Record that a job of a schedule was not started, since another one of its kind was running."""
        words = "Another job of this kind was running in the project when the schedule was to start this one."
        return self._transact(
            "Records that the job of the schedule was rejected. If the project does not exist, the schedule is wrong: "
            "the execution fails, which raises an alarm.",
            [
                self._check_project(),
                self._put_job(jobs.REJECTED, {jobs.CAUSE: {"S": words}, jobs.FINISHED_AT: _text(NOW)}),
            ],
            then=then,
            catch=[],
        )

    def _transact(self, reason: str, items: list[dict[str, Any]], *, then: str, catch: list[Catch]) -> Call:
        actions: list[TableAction] = [_ACTIONS[action] for action in _ACTIONS if any(action in item for item in items)]
        return Call(
            reason,
            resource=TRANSACT,
            arguments={"TransactItems": items},
            permissions=self._permissions(*actions),
            next=then,
            timeout_seconds=_TIMEOUT_SECONDS,
            retry=[_RETRY_CONFLICT, _RETRY],
            catch=catch,
        )

    def _permissions(self, *actions: TableAction) -> list[Permission]:
        """Make one permission per action, so that no action is granted twice."""
        return [permission for action in actions for permission in self._table.grant(action).permissions]

    def _items(self, templates: Mapping[str, str], **values: Expression) -> dict[str, Any]:
        """Fill templates of attributes."""
        known = {**self._values, **values}
        return {name: _text(template(one, known)) for name, one in templates.items()}

    def _key(self, sort_key: str) -> dict[str, Any]:
        return self._items({projects.PARTITION_KEY: projects.PROJECT_PARTITION, projects.SORT_KEY: sort_key})

    def _end_job(self, status: jobs.Status, cause: Expression | None = None) -> dict[str, Any]:
        changed = [*jobs.STATUS_RECORD, jobs.FINISHED_AT, *([jobs.CAUSE] if cause else [])]
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": self._key(projects.JOB),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changed),
                "ConditionExpression": "#status = :running",
                "ExpressionAttributeNames": {f"#{name}": name for name in changed},
                "ExpressionAttributeValues": {
                    ":running": {"S": jobs.RUNNING},
                    **{f":{name}": item for name, item in self._items(jobs.STATUS_RECORD, status=text(status)).items()},
                    f":{jobs.FINISHED_AT}": _text(NOW),
                    **({f":{jobs.CAUSE}": _text(cause)} if cause else {}),
                },
            }
        }

    def _release_lock(self) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self._table.name,
                "Key": self._key(projects.LOCK),
                "ConditionExpression": f"attribute_not_exists({projects.PARTITION_KEY}) OR job = :job",
                "ExpressionAttributeValues": {":job": _text(JOB.field("job"))},
            }
        }

    def _check_project(self) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self._table.name,
                "Key": self._key(projects.PROJECT),
                "ConditionExpression": "active = :yes",
                "ExpressionAttributeValues": {":yes": {"Bool": True}},
            }
        }

    def _register_job(self) -> dict[str, Any]:
        """Put a new job's record; when an answer was lost, it is there already, and may have been cancelled since."""
        once = {
            "ConditionExpression": f"attribute_not_exists({projects.PARTITION_KEY}) OR #status = :running",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":running": {"S": jobs.RUNNING}},
        }
        return {"Put": {**self._put_job(jobs.RUNNING)["Put"], **once}}

    def _put_job(self, status: jobs.Status, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        item = {**self._items(jobs.RECORD, status=text(status)), **(more or {})}
        return {"Put": {"TableName": self._table.name, "Item": item}}


def _text(expression: Expression) -> dict[str, str]:
    return {"S": jsonata(expression)}


def _not_recorded(failed: str, moment: str) -> Catch:
    cause = joined(text(f"The job could not be recorded at its {moment}: "), ERROR.field("Error"))
    return Catch([ANY_ERROR], next=failed, assign={"cause": jsonata(cause)})
