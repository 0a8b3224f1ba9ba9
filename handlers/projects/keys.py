"""Where things are: keys of the table's items and of the bucket's objects."""

from __future__ import annotations

from handlers.common.table import Key

PROJECT = "PROJECT"
BY_USER = "by-user"
BY_STATUS = "by-status"
# Above the digits and letters that ids are made of.
AFTER_ALL_IDS = "~"


def project_key(project: str) -> Key:
    """Key of a project."""
    return f"PROJECT#{project}", PROJECT


def member_key(project: str, user: str) -> Key:
    """Key of the item that says who may see a project."""
    return f"PROJECT#{project}", f"MEMBER#{user}"


def document_key(project: str, document: str) -> Key:
    """Key of a document."""
    return f"PROJECT#{project}", f"DOCUMENT#{document}"


def job_key(project: str, job: str) -> Key:
    """Key of a job."""
    return f"PROJECT#{project}", f"JOB#{job}"


def lock_key(project: str, kind: str) -> Key:
    """Key of the item that is there while a job of that kind runs."""
    return f"PROJECT#{project}", f"RUNNING#{kind}"


def latest_key(project: str, kind: str) -> Key:
    """Key of the item that names the last completed job of that kind."""
    return f"PROJECT#{project}", f"LATEST#{kind}"


def project_status(project: str, status: str) -> str:
    """Partition of the index `by-status`."""
    return f"{project}#{status}"


def documents_prefix(project: str) -> str:
    """Where a project's documents are in the bucket."""
    return f"projects/{project}/documents/"


def document_object(project: str, document: str, name: str) -> str:
    """Where a document is in the bucket."""
    return f"{documents_prefix(project)}{document}/{name}"


def document_of_object(key: str) -> Key | None:
    """Key of the document whose content an object of the bucket is, if it is one's."""
    match key.split("/", 4):
        case ["projects", project, "documents", document, _]:
            return document_key(project, document)
        case _:
            return None


def results_prefix(project: str, job: str) -> str:
    """Where a job's results are in the bucket."""
    return f"projects/{project}/jobs/{job}/results/"


def model_prefix(source: str, target: str) -> str:
    """Where the MarianMT model of a pair of languages is in the bucket, named as its publisher names it."""
    return f"models/opus-mt-{source}-{target}/"
