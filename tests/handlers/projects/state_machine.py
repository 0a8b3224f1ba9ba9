"""What a job's state machine does to the table, step by step, with the expressions of its own states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NAMES = {"#status": "status", "#kind": "kind", "#execution": "execution"}


@dataclass
class StateMachine:
    """One execution's writes; each is refused where the job has ended in another way before."""

    dynamodb: Any
    table: str
    project: str
    job: str
    kind: str
    execution: str

    def mark_running(self, now: str) -> None:
        """Note when the job started."""
        self.dynamodb.update_item(
            TableName=self.table,
            Key=self._key(f"JOB#{self.job}"),
            UpdateExpression="SET started_at = if_not_exists(started_at, :now), #execution = :execution",
            ConditionExpression="#status = :running AND #kind = :kind AND attribute_not_exists(finished_at) "
            "AND (attribute_not_exists(started_at) OR #execution = :execution)",
            ExpressionAttributeNames=NAMES,
            ExpressionAttributeValues=_texts(now=now, execution=self.execution, running="running", kind=self.kind),
        )

    def mark_completed(self, now: str) -> None:
        """Complete the job, make it the latest and release the lock."""
        latest = {
            "TableName": self.table,
            "Key": self._key(f"LATEST#{self.kind}"),
            "UpdateExpression": "SET job = :job, finished_at = :now",
            "ConditionExpression": "attribute_not_exists(finished_at) OR finished_at <= :now",
            "ExpressionAttributeValues": _texts(job=self.job, now=now),
        }
        actions = [self._end("completed", now), {"Update": latest}, self._release()]
        self.dynamodb.transact_write_items(TransactItems=actions)

    def mark_failed(self, now: str, cause: str) -> None:
        """Record why the job failed, and release the lock."""
        self.dynamodb.transact_write_items(TransactItems=[self._end("failed", now, cause), self._release()])

    def _end(self, status: str, now: str, cause: str = "") -> dict[str, Any]:
        project_status = f"{self.project}#{status}"
        change = "SET #status = :status, project_status = :project_status, finished_at = :now"
        return {
            "Update": {
                "TableName": self.table,
                "Key": self._key(f"JOB#{self.job}"),
                "UpdateExpression": change + (", cause = :cause" if cause else ""),
                "ConditionExpression": "#status = :running",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": _texts(
                    running="running", status=status, project_status=project_status, now=now, cause=cause
                ),
            }
        }

    def _release(self) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self.table,
                "Key": self._key(f"RUNNING#{self.kind}"),
                "ConditionExpression": "attribute_not_exists(pk) OR job = :job",
                "ExpressionAttributeValues": _texts(job=self.job),
            }
        }

    def _key(self, sk: str) -> dict[str, Any]:
        return {"pk": {"S": f"PROJECT#{self.project}"}, "sk": {"S": sk}}


def _texts(**values: str) -> dict[str, Any]:
    return {f":{name}": {"S": value} for name, value in values.items() if value}
