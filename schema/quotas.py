"""Quotas: how much a user, a project and the stack may use, and the items that count it.

The items are in the table of `schema/projects.py`. Each user has a partition of counters, and the stack has one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from schema.projects import Key, project_key
from schema.templates import fill

# Environment variable of functions: a JSON object with the fields of `Quotas`.
QUOTAS_VARIABLE = "QUOTAS"
# Requests that a user may send at once, in seconds of the sustained rate.
BURST_SECONDS = 2
COSTLY_BURST_SECONDS = 5

# Templates of partition and sort keys. The stack counts in the partition of the user without a name.
USER_PARTITION = "QUOTA#{user}"
STACK = ""
# Moment up to which a user's costly requests of a route are spent.
RATE = "RATE#{route}"
# What was used on a day, in UTC.
DAY = "DAY#{day}"
# Set of the jobs that hold a slot; see `member_of`.
JOBS = "JOBS"
# What a user holds: active projects, and bytes of documents.
HELD = "HELD"
# What a project holds, in the project's own partition: documents.
COUNTS = "COUNTS"
# Attributes of these items.
SPENT_UNTIL = "spent_until"
CHARACTERS = "characters"
UPLOADED = "uploaded"
MEMBERS = "members"
PROJECTS = "projects"
BYTES = "bytes"
DOCUMENTS = "documents"


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Quotas of a stack.

    Attributes
    ----------
    requests_per_second
        Sustained requests per second of one user for one endpoint, counted in the memory of each function instance.
    costly_requests_per_second
        Sustained requests per second of one user for each of POST jobs and POST sentiment.
    characters_per_day, stack_characters_per_day
        Characters that paid services may be sent in a day (UTC), for one user and for all.
    running_jobs, stack_running_jobs
        Jobs that run at the same time, of one user and of all.
    projects
        Active projects that one user owns.
    documents
        Documents of one project.
    stored_bytes
        Bytes of all documents that one user has uploaded.
    uploaded_bytes_per_day
        Bytes that one user may upload in a day (UTC).
    companies
        Companies that the stack watches.
    """

    requests_per_second: float = 20
    costly_requests_per_second: float = 2
    characters_per_day: int = 5_000_000
    stack_characters_per_day: int = 20_000_000
    running_jobs: int = 3
    stack_running_jobs: int = 20
    projects: int = 100
    documents: int = 2000
    stored_bytes: int = 10 * 1024**3
    uploaded_bytes_per_day: int = 10 * 1024**3
    companies: int = 5000

    def to_json(self) -> str:
        """Write the quotas as functions read them."""
        return json.dumps(asdict(self), separators=(",", ":"))


# Quota -> what it limits, for messages.
WORDS: Mapping[str, str] = {
    "requests_per_second": "requests per second",
    "costly_requests_per_second": "requests per second",
    "characters_per_day": "characters per day",
    "stack_characters_per_day": "characters per day of all users together",
    "running_jobs": "running jobs",
    "stack_running_jobs": "running jobs of all users together",
    "projects": "active projects",
    "documents": "documents in a project",
    "stored_bytes": "bytes of documents",
    "uploaded_bytes_per_day": "uploaded bytes per day",
    "companies": "companies",
}


def rate_key(user: str, route: str) -> Key:
    """Key of the item that limits how often a user calls a costly route."""
    return fill(USER_PARTITION, user=user), fill(RATE, route=route)


def day_key(user: str, day: str) -> Key:
    """Key of what a user, or the stack, used on a day such as `2026-11-21`."""
    return fill(USER_PARTITION, user=user), fill(DAY, day=day)


def jobs_key(user: str) -> Key:
    """Key of the jobs that hold a slot of a user, or of the stack."""
    return fill(USER_PARTITION, user=user), JOBS


def held_key(user: str) -> Key:
    """Key of what a user holds."""
    return fill(USER_PARTITION, user=user), HELD


def counts_key(project: str) -> Key:
    """Key of what a project holds."""
    return project_key(project)[0], COUNTS


def member_of(project: str, job: str) -> str:
    """Name of a job in the sets of jobs that hold a slot."""
    return f"{project}/{job}"


def job_of_member(member: str) -> tuple[str, str]:
    """Read project and job from a name that `member_of` made."""
    project, _, job = member.partition("/")
    return project, job
