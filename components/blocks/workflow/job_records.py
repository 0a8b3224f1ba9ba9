"""States that keep a job's record in a table: what runs, what has ended and how, and which job is the latest.

A change of a job's state is one transaction with the lock that keeps a second job of the kind from running, so that
nobody sees the one without the other. Every change is conditional: a job that was cancelled stays cancelled.

Items, by `pk` and `sk`; `<p>` is a project, `<j>` a job:
`PROJECT#<p>`, `PROJECT` the project; `JOB#<j>` the job; `RUNNING#<kind>` the lock; `LATEST#<kind>` the last completed.
"""

from __future__ import annotations

from typing import Any

from components.blocks.access.permissions import Permission
from components.blocks.storage.table import Table
from components.blocks.workflow.states import ANY_ERROR, Call, Catch, Retry, jsonata

UPDATE = "arn:aws:states:::dynamodb:updateItem"
TRANSACT = "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems"
# The two integrations spell the service's name differently.
CONDITION_FAILED = "DynamoDB.ConditionalCheckFailedException"
TRANSACTION_CANCELLED = "DynamoDb.TransactionCanceledException"
NOW = "$now('[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z')"
_SECONDS = 30
# DynamoDB answers within milliseconds, so that what fails is worth several attempts.
_AGAIN = Retry([ANY_ERROR], attempts=6, first_seconds=1, longest_seconds=30)
# A condition that is not met cancels a transaction, and so does another transaction at work on the same items.
_IN_CONFLICT = Retry([TRANSACTION_CANCELLED], attempts=2, first_seconds=1, longest_seconds=5)
_NEVER = Retry([CONDITION_FAILED], attempts=0)


class JobRecords:
    """States for the jobs of a kind; the variable `$job` holds what the execution was started with.

    Parameters
    ----------
    table
        Where the records are.
    kind
        Of the jobs.
    """

    def __init__(self, table: Table, kind: str) -> None:
        self._table = table
        self._kind = kind
        self._changing = [table.updating(), table.deleting()]

    def mark_running(self, then: str, nothing_to_do: str, failed: str) -> Call:
        """Note when the job started; only a job that is running, and that no other execution has started."""
        return Call(
            "Notes when the job started. A job that was cancelled, has ended or is another execution's stays as it is.",
            UPDATE,
            {
                "TableName": self._table.name,
                "Key": self._key("'JOB#' & $job.job"),
                "UpdateExpression": "SET started_at = if_not_exists(started_at, :now), #execution = :execution",
                "ConditionExpression": "#status = :running AND #kind = :kind AND attribute_not_exists(finished_at) "
                "AND (attribute_not_exists(started_at) OR #execution = :execution)",
                "ExpressionAttributeNames": {"#status": "status", "#kind": "kind", "#execution": "execution"},
                "ExpressionAttributeValues": {
                    ":now": _text(NOW),
                    ":execution": _text("$states.context.Execution.Id"),
                    ":running": {"S": "running"},
                    ":kind": {"S": self._kind},
                },
            },
            self._changing[:1],
            then,
            _SECONDS,
            [_NEVER, _AGAIN],
            [Catch([CONDITION_FAILED], nothing_to_do), _not_recorded(failed, "start")],
        )

    def mark_completed(self, then: str, failed: str) -> Call:
        """Complete the job, make it the latest and release the lock, all or nothing."""
        return self._transact(
            "Completes the job, makes it the latest of its kind and lets the next one run: all of it or nothing. A job "
            "that was cancelled meanwhile makes the transaction fail, and the next state finds that out.",
            [
                self._end_job("completed"),
                {
                    "Update": {
                        "TableName": self._table.name,
                        "Key": self._key(f"'LATEST#{self._kind}'"),
                        "UpdateExpression": "SET job = :job, finished_at = :now",
                        "ConditionExpression": "attribute_not_exists(finished_at) OR finished_at <= :now",
                        "ExpressionAttributeValues": {":job": _text("$job.job"), ":now": _text(NOW)},
                    }
                },
                self._release_lock(),
            ],
            self._changing,
            then,
            [_not_recorded(failed, "end")],
        )

    def mark_failed(self, then: str, nothing_to_do: str) -> Call:
        """Record the variable `$cause` with the job, and release the lock."""
        return self._transact(
            "Records why the job failed and lets the next one run. A job that was cancelled meanwhile stays so.",
            [self._end_job("failed", "$cause"), self._release_lock()],
            self._changing,
            then,
            [Catch([TRANSACTION_CANCELLED], nothing_to_do)],
        )

    def register(self, then: str, refused: str) -> Call:
        """Record a job that a schedule started, and take the lock."""
        return self._transact(
            "Records a job that the schedule started, in an active project, unless one of its kind is running there.",
            [
                self._check_project(),
                {"Put": {"TableName": self._table.name, "Item": self._item("running")}},
                {
                    "Put": {
                        "TableName": self._table.name,
                        "Item": {**self._key(f"'RUNNING#{self._kind}'"), "job": _text("$job.job")},
                        # Its own lock is there when an answer was lost and the transaction comes again.
                        "ConditionExpression": "attribute_not_exists(pk) OR job = :job",
                        "ExpressionAttributeValues": {":job": _text("$job.job")},
                    }
                },
            ],
            [self._table.checking(), self._table.putting()],
            then,
            [Catch([TRANSACTION_CANCELLED], refused)],
        )

    def record_refusal(self, then: str) -> Call:
        """Record that a job of a schedule was not started, since one of its kind was running."""
        words = "Another job of this kind was running in the project when the schedule was to start this one."
        item = {**self._item("rejected"), "cause": {"S": words}, "finished_at": _text(NOW)}
        return self._transact(
            "Records that the schedule's job was rejected. A project that does not exist makes the execution fail, and "
            "so raises an alarm: the schedule is wrong.",
            [self._check_project(), {"Put": {"TableName": self._table.name, "Item": item}}],
            [self._table.checking(), self._table.putting()],
            then,
            [],
        )

    def _transact(
        self, reason: str, items: list[dict[str, Any]], allow: list[Permission], then: str, catch: list[Catch]
    ) -> Call:
        return Call(reason, TRANSACT, {"TransactItems": items}, allow, then, _SECONDS, [_IN_CONFLICT, _AGAIN], catch)

    def _key(self, sort_key: str) -> dict[str, Any]:
        return {"pk": _text("'PROJECT#' & $job.project"), "sk": _text(sort_key)}

    def _end_job(self, status: str, cause: str = "") -> dict[str, Any]:
        values = {
            ":running": {"S": "running"},
            ":status": {"S": status},
            ":project_status": _text(f"$job.project & '#{status}'"),
            ":now": _text(NOW),
            **({":cause": _text(cause)} if cause else {}),
        }
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": self._key("'JOB#' & $job.job"),
                "UpdateExpression": "SET #status = :status, project_status = :project_status, finished_at = :now"
                + (", cause = :cause" if cause else ""),
                "ConditionExpression": "#status = :running",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": values,
            }
        }

    def _release_lock(self) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self._table.name,
                "Key": self._key(f"'RUNNING#{self._kind}'"),
                "ConditionExpression": "attribute_not_exists(pk) OR job = :job",
                "ExpressionAttributeValues": {":job": _text("$job.job")},
            }
        }

    def _check_project(self) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self._table.name,
                "Key": self._key("'PROJECT'"),
                "ConditionExpression": "active = :yes",
                "ExpressionAttributeValues": {":yes": {"Bool": True}},
            }
        }

    def _item(self, status: str) -> dict[str, Any]:
        return {
            **self._key("'JOB#' & $job.job"),
            "job": _text("$job.job"),
            "project": _text("$job.project"),
            "project_status": _text(f"$job.project & '#{status}'"),
            "kind": {"S": self._kind},
            "options": _text("$job.environment.JOB_OPTIONS"),
            "status": {"S": status},
            "requested_by": {"S": "schedule"},
            "requested_at": _text(NOW),
            "results": _text("$job.results"),
            "execution": _text("$states.context.Execution.Id"),
        }


def _text(expression: str) -> dict[str, str]:
    return {"S": jsonata(expression)}


def _not_recorded(failed: str, moment: str) -> Catch:
    words = f"'The job could not be recorded at its {moment}: ' & $states.errorOutput.Error"
    return Catch([ANY_ERROR], failed, {"cause": jsonata(words)})
