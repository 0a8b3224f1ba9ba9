"""The log of batch jobs, which the account's stacks share: made or limited once, and never shortened unasked."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.aws.job_logs import LOG_GROUP, limit_job_logs


class Logs:
    def __init__(self, *groups: dict[str, Any], taken: bool = False) -> None:
        self.groups = list(groups)
        self.taken = taken
        self.days: list[int] = []

    def describe_log_groups(self, **request: Any) -> dict[str, Any]:
        assert request == {"logGroupNamePrefix": LOG_GROUP}
        return {"logGroups": self.groups}

    def create_log_group(self, **request: Any) -> None:
        assert request == {"logGroupName": LOG_GROUP}
        if self.taken:
            raise ClientError({"Error": {"Code": "ResourceAlreadyExistsException", "Message": ""}}, "CreateLogGroup")

    def put_retention_policy(self, **request: Any) -> None:
        assert request["logGroupName"] == LOG_GROUP
        self.days.append(request["retentionInDays"])


def never(question: str) -> bool:
    raise AssertionError(question)


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("groups", [(), ({"logGroupName": f"{LOG_GROUP}Other"},)])
def test_group_that_is_not_there_is_made_with_the_stacks_retention(groups: Any, taken: bool) -> None:
    logs = Logs(*groups, taken=taken)
    assert "keeps 7 days" in limit_job_logs(logs, 7, never)
    assert logs.days == [7]


@pytest.mark.parametrize("days", [1, 90])
def test_retention_that_somebody_has_chosen_stays(days: int) -> None:
    logs = Logs({"logGroupName": LOG_GROUP, "retentionInDays": days})
    assert limit_job_logs(logs, 7, never) == ""
    assert logs.days == []


@pytest.mark.parametrize("answer", [True, False])
def test_group_that_keeps_everything_is_limited_when_that_is_allowed(answer: bool) -> None:
    logs = Logs({"logGroupName": LOG_GROUP})
    asked: list[str] = []

    def may_change(question: str) -> bool:
        asked.append(question)
        return answer

    said = limit_job_logs(logs, 7, may_change)
    assert logs.days == ([7] if answer else [])
    assert ("aws logs put-retention-policy" in said) is not answer
    assert asked == [f"{LOG_GROUP}, the log of all batch jobs of this account, keeps everything. Keep 7 days only?"]


def test_other_errors_are_not_hidden() -> None:
    logs = Logs()

    def refuse(**_request: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "CreateLogGroup")

    logs.create_log_group = refuse  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        limit_job_logs(logs, 7, never)
