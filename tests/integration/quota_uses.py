"""What endpoints do where a quota is reached: they count anew, and settle what has ended."""

from __future__ import annotations

import itertools
from typing import Any

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema import projects, quotas
from schema.dynamodb import encode

# Quotas of the deployment in which these uses work: small enough to be reached.
# Starts that are made to fail hold a slot for a minute, so there are more than a use needs.
RUNNING_JOBS = 25
PROJECTS = 1000
SETTINGS = {"running_jobs": RUNNING_JOBS, "projects": PROJECTS}
_WRITE_BATCH = 25
_numbers = itertools.count(1)


class QuotaUses:
    """Uses at the edge of quotas.

    Parameters
    ----------
    stack
        The deployed product, with the quotas above.
    user
        Who uses it.
    project
        A project of theirs.
    job
        A job of that project that has completed today.
    """

    def __init__(self, stack: LocalStack, user: ApiUser, project: str, job: str) -> None:
        self._stack = stack
        self._user = user
        self._member = quotas.member_of(project, job)
        self._owner = user.call("GET", f"/projects/{project}")["owner"]
        self._full = self._with_many_projects("full@example.com")

    def _with_many_projects(self, email: str) -> ApiUser:
        """Somebody whose index names as many projects as anybody may own."""
        user = ApiUser(self._stack, email)
        owner = user.call("GET", f"/projects/{user.create_project('First')}")["owner"]
        partition = projects.membership(owner, True)
        items = [
            {"pk": f"PROJECT#{number}", "sk": f"MEMBER#{owner}", "membership": partition, "project": str(number)}
            for number in range(PROJECTS)
        ]
        dynamodb = self._stack.aws.client("dynamodb")
        for start in range(0, PROJECTS, _WRITE_BATCH):
            batch = [encode({**item, "role": "owner"}) for item in items[start : start + _WRITE_BATCH]]
            puts = [{"PutRequest": {"Item": item}} for item in batch]
            dynamodb.batch_write_item(RequestItems={self._table: puts})
        self._set(owner, PROJECTS)
        return user

    @property
    def _table(self) -> str:
        return self._stack.outputs["documents_table"]

    def _set(self, owner: str, count: int) -> None:
        """Set a user's counter of projects."""
        self._update(quotas.held_key(owner), "SET projects = :value", {"N": str(count)})

    def _hold(self, members: list[str]) -> None:
        """Give jobs slots of the user and of the stack."""
        for owner in (self._owner, quotas.STACK):
            self._update(quotas.jobs_key(owner), "ADD members :value", {"SS": members})

    def _update(self, key: projects.Key, expression: str, value: Any) -> None:
        self._stack.aws.client("dynamodb").update_item(
            TableName=self._table,
            Key=encode({"pk": key[0], "sk": key[1]}),
            UpdateExpression=expression,
            ExpressionAttributeValues={":value": value},
        )

    def shows_quotas(self) -> bool:
        """Settle a job that has ended, by its report, before the quotas are shown."""
        self._hold([self._member])
        answer = self._user.request("GET", "/quotas")
        return answer.status_code == 200 and self._member not in self._held()

    def _held(self) -> list[str]:
        """List the jobs that hold a slot of the user."""
        key = quotas.jobs_key(self._owner)
        item = self._stack.aws.client("dynamodb").get_item(
            TableName=self._table, Key=encode({"pk": key[0], "sk": key[1]}), ConsistentRead=True
        )["Item"]
        return item.get("members", {"SS": []})["SS"]

    def fills_all_slots(self) -> None:
        """Have jobs that have ended hold all slots, so that the next start settles them."""
        others = [quotas.member_of(f"none-{next(_numbers)}", "none") for _ in range(RUNNING_JOBS - 1)]
        self._hold([self._member, *others])

    def refuses_one_more_project(self) -> bool:
        """Refuse it, after a count in the index, and a look whether the same request created it before."""
        answer = self._full.request("POST", "/projects", {"name": "One more"})
        return answer.status_code == 409 and answer.json()["quota"] == "projects"

    def restores_a_project(self) -> bool:
        """Bring a project back where the counter is wrong, after a count in the index."""
        project = self._user.create_project(f"Restored {next(_numbers)}")
        self._user.call("DELETE", f"/projects/{project}")
        self._set(self._owner, PROJECTS)
        restored = self._user.request("PATCH", f"/projects/{project}", {"active": True}).status_code == 200
        self._set(self._owner, 1)
        return restored
