"""The log of batch jobs: one group for all of an account's jobs in a region, which SageMaker makes and keeps for ever.

No stack owns it, so it is no resource of the program: a second stack could not make it again, and one that is removed
would take the others' logs with it (docs/decisions/0021-accounts.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli.aws.doctor.account import LOG_GROUP


def limit_job_logs(logs: Any, days: int, may_change: Callable[[str], bool]) -> str:
    """Let the log keep a number of days, unless somebody has chosen another number.

    Parameters
    ----------
    logs : boto3 client
        CloudWatch Logs.
    days : int
        Days to keep.
    may_change : callable
        Asked with a question before a group that keeps everything is limited, which deletes what is older.

    Returns
    -------
    str
        What was done, or what could be done; empty when all is well.
    """
    from botocore.exceptions import ClientError

    groups = logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    found = next((group for group in groups if group["logGroupName"] == LOG_GROUP), None)
    if found is None:
        try:
            logs.create_log_group(logGroupName=LOG_GROUP)
        except ClientError as error:
            # A job that starts at this moment has made it.
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        logs.put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=days)
        return f"Made the log of batch jobs, {LOG_GROUP}, which keeps {days} days."
    if "retentionInDays" in found:
        return ""
    if may_change(f"{LOG_GROUP}, the log of all batch jobs of this account, keeps everything. Keep {days} days only?"):
        logs.put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=days)
        return f"{LOG_GROUP} keeps {days} days now."
    return (
        f"{LOG_GROUP} keeps everything for ever. To change that: aws logs put-retention-policy "
        f"--log-group-name {LOG_GROUP} --retention-in-days {days}"
    )
