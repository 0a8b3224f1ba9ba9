"""What the declarations of several endpoints share."""

from __future__ import annotations

from schema import projects
from schema.endpoint import DOCUMENTS_BUCKET, DOCUMENTS_TABLE, Use
from schema.jobs import REPORT_FILE
from schema.templates import before_fields, pattern

BODY = (400, 413, 415, 422)
ONCE = "A repeated request with the same Idempotency-Key is answered the same for 24 hours, and done once."
# Modules of types.
API_TYPES = "handlers.api.support.models:"
PROJECT_TYPES = "handlers.projects.project_models:"
DOCUMENT_TYPES = "handlers.projects.document_models:"
JOB_TYPES = "handlers.projects.models:"
COMPANY_TYPES = "handlers.companies.models:"
TEXT_TYPES = "handlers.texts.models:"
JOB_PARAMETERS = "handlers.api.support.job_parameters:"
PAGE = "handlers.api.support.pagination:PageQuery"
PROJECT = "/projects/{project}"
JOB = PROJECT + "/jobs/{job}"
# API Gateway's `{name+}` matches slashes, which names of companies may have.
COMPANY = "/companies/{name+}"
COMPANY_NAME = {"name": COMPANY_TYPES + "NameInPath"}
STORED_COMPANY_NAME = {"name": COMPANY_TYPES + "StoredNameInPath"}
JOB_OR_LATEST = {"job": JOB_PARAMETERS + "JobOrLatest"}
DOCUMENT_OBJECTS = pattern(projects.DOCUMENTS_PREFIX)
RESULT_OBJECTS = (pattern(projects.RESULTS_PREFIX), pattern(projects.FORMER_RESULTS_PREFIX))
REPORT_OBJECTS = pattern(projects.RESULTS_PREFIX) + REPORT_FILE
MODEL_OBJECTS = before_fields(projects.MODELS_PREFIX)


def documents_table(*actions: str, index: str = "") -> Use:
    """Make a permission on the documents table, or on one of its indexes."""
    return Use(DOCUMENTS_TABLE, actions, index=index)


def documents_bucket(action: str, *prefixes: str) -> Use:
    """Make a permission for one action on objects of the documents bucket."""
    return Use(DOCUMENTS_BUCKET, (action,), prefixes=prefixes)
