"""A job's state machine at work on the table: the states of the product, performed one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from components.blocks.workflow.job_records import TRANSACT, UPDATE, JobRecords
from components.blocks.workflow.states import Call
from tests.support.state_interpreter import Execution


@dataclass
class StateMachine:
    """One execution's writes; each is refused where the job has ended in another way before.

    DynamoDB's own errors are raised, as the state machine's rules for them are not looked at.
    """

    dynamodb: Any
    table: str
    project: str
    job: str
    kind: str
    execution: str
    _records: JobRecords = field(init=False)

    def __post_init__(self) -> None:
        table: Any = SimpleNamespace(name=self.table, grant=lambda *_: SimpleNamespace(permissions=[]))
        self._records = JobRecords(table=table, kind=self.kind)

    def mark_running(self, now: str) -> None:
        """Note when the job started."""
        self._perform(self._records.mark_running(then="", nothing_to_do="", failed=""), now)

    def mark_completed(self, now: str) -> None:
        """Complete the job, make it the latest and release the lock."""
        self._perform(self._records.mark_completed(then="", failed=""), now)

    def mark_failed(self, now: str, cause: str) -> None:
        """Record why the job failed, and release the lock."""
        self._perform(self._records.mark_failed(then="", nothing_to_do=""), now, cause)

    def _perform(self, state: Call, now: str, cause: str = "") -> None:
        services = {
            UPDATE: lambda arguments: self.dynamodb.update_item(**arguments),
            TRANSACT: lambda arguments: self.dynamodb.transact_write_items(**arguments),
        }
        started_with = {"project": self.project, "job": self.job, "environment": {}}
        Execution({}, services, now=now).perform(
            state.to_asl(), name=self.execution, variables={"job": started_with, "cause": cause}
        )
