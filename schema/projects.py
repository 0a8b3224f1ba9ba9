"""Projects and documents: keys of the table's items, and the layout of the bucket.

The table has one partition per project. Templates are filled by `schema.templates.fill`.
"""

from __future__ import annotations

from schema.templates import fill

Key = tuple[str, str]

PARTITION_KEY = "pk"
SORT_KEY = "sk"
EXPIRES = "expires_at"
# Attribute of a document's item: version of the object that is its content.
DOCUMENT_VERSION = "version"
# Indexes: name, partition key, sort key.
BY_MEMBERSHIP = "by-membership"
BY_MEMBERSHIP_KEYS = ("membership", "project")
# Holds the items of members that version 0.1.0 stored, until their project is archived, brought back or shared anew.
BY_USER = "by-user"
BY_USER_KEYS = ("user", "project")
BY_STATUS = "by-status"
BY_STATUS_KEYS = ("project_status", "job")

# Templates of partition and sort keys.
PROJECT_PARTITION = "PROJECT#{project}"
PROJECT = "PROJECT"
MEMBER = "MEMBER#{user}"
DOCUMENT = "DOCUMENT#{document}"
JOB = "JOB#{job}"
# Exists while a job of the kind runs in the project.
LOCK = "RUNNING#{kind}"
# Names the last completed job of the kind.
LATEST = "LATEST#{kind}"
# One partition per user, route and idempotency key.
IDEMPOTENCY_PARTITION = "IDEMPOTENCY#{user}#{route}#{key}"
IDEMPOTENCY = "IDEMPOTENCY"
# Counts the projects that others share with a user.
USER_PARTITION = "USER#{user}"
SHARED = "SHARED"
# Partition of the index `by-membership`: active and archived projects are lists of their own, so that reading one of
# them never passes entries of the other.
MEMBERSHIP = "{user}#{state}"
ACTIVE, ARCHIVED = "active", "archived"
# Partition of the index `by-status`.
PROJECT_STATUS = "{project}#{status}"
# Sorts after all ids.
AFTER_ALL_IDS = "~"

# Templates of the bucket's prefixes. No two of them begin alike, so that a permission or a rule of S3 that is meant for
# one of them never holds for another.
DOCUMENTS_PREFIX = "projects/{project}/documents/"
RESULTS_PREFIX = "results/{project}/{job}/"
MODELS_PREFIX = "models/{model}/"
PROGRAMS_PREFIX = "programs/"
# Results of jobs that were started by version 0.1.0; a job's record says where its results are.
FORMER_RESULTS_PREFIX = "projects/{project}/jobs/{job}/results/"


def project_key(project: str) -> Key:
    """Key of a project."""
    return fill(PROJECT_PARTITION, project=project), PROJECT


def member_key(project: str, user: str) -> Key:
    """Key of the item that lets a user see a project."""
    return fill(PROJECT_PARTITION, project=project), fill(MEMBER, user=user)


def shared_key(user: str) -> Key:
    """Key of the item that counts the projects which others share with a user."""
    return fill(USER_PARTITION, user=user), SHARED


def membership(user: str, active: bool) -> str:
    """Partition of the index `by-membership`."""
    return fill(MEMBERSHIP, user=user, state=ACTIVE if active else ARCHIVED)


def document_key(project: str, document: str) -> Key:
    """Key of a document."""
    return fill(PROJECT_PARTITION, project=project), fill(DOCUMENT, document=document)


def job_key(project: str, job: str) -> Key:
    """Key of a job."""
    return fill(PROJECT_PARTITION, project=project), fill(JOB, job=job)


def lock_key(project: str, kind: str) -> Key:
    """Key of the item that exists while a job of a kind runs."""
    return fill(PROJECT_PARTITION, project=project), fill(LOCK, kind=kind)


def latest_key(project: str, kind: str) -> Key:
    """Key of the item that names the last completed job of a kind."""
    return fill(PROJECT_PARTITION, project=project), fill(LATEST, kind=kind)


def idempotency_key(user: str, route: str, key: str) -> Key:
    """Key of the item that remembers a request with an idempotency key."""
    return fill(IDEMPOTENCY_PARTITION, user=user, route=route, key=key), IDEMPOTENCY


def project_status(project: str, status: str) -> str:
    """Partition of the index `by-status`."""
    return fill(PROJECT_STATUS, project=project, status=status)


def documents_prefix(project: str) -> str:
    """Prefix of a project's documents in the bucket."""
    return fill(DOCUMENTS_PREFIX, project=project)


def document_object(project: str, document: str, name: str) -> str:
    """Key of a document's content in the bucket."""
    return f"{documents_prefix(project)}{document}/{name}"


def document_of_object(key: str) -> Key | None:
    """Find the item of the document that an object belongs to; None for any other object."""
    match key.split("/", 4):
        case ["projects", project, "documents", document, _]:
            return document_key(project, document)
        case _:
            return None


def results_prefix(project: str, job: str) -> str:
    """Prefix of a job's results in the bucket."""
    return fill(RESULTS_PREFIX, project=project, job=job)


def model_prefix(model: str) -> str:
    """Prefix of a model's files in the bucket."""
    return fill(MODELS_PREFIX, model=model)
