"""The API's endpoints. Each is one declaration here, one script in `handlers/api/` and the types of its bodies.

The routes, functions and permissions of the stack and the OpenAPI document are derived from the declarations.
"""

from __future__ import annotations

from schema import projects
from schema.endpoint import (
    COMPANIES_TABLE,
    DOCUMENTS_BUCKET,
    DOCUMENTS_TABLE,
    LONG_SECONDS,
    OBSERVATIONS_TABLE,
    STATE_MACHINES,
    Endpoint,
    Use,
)
from schema.templates import before_fields, pattern

_BODY = (400, 413, 415, 422)
_ONCE = "A repeated request with the same Idempotency-Key is answered the same for 24 hours, and done once."
# Modules of types.
_API_TYPES = "handlers.api.support.models:"
_PROJECT_TYPES = "handlers.projects.project_models:"
_DOCUMENT_TYPES = "handlers.projects.document_models:"
_JOB_TYPES = "handlers.projects.models:"
_COMPANY_TYPES = "handlers.companies.models:"
_TEXT_TYPES = "handlers.texts.models:"
_JOB_PARAMETERS = "handlers.api.support.job_parameters:"
_PAGE = "handlers.api.support.pagination:PageQuery"
_PROJECT = "/projects/{project}"
_JOB = _PROJECT + "/jobs/{job}"
# API Gateway's `{name+}` matches slashes, which names of companies may have.
_COMPANY = "/companies/{name+}"
_COMPANY_NAME = {"name": _COMPANY_TYPES + "NameInPath"}
_STORED_COMPANY_NAME = {"name": _COMPANY_TYPES + "StoredNameInPath"}
_JOB_OR_LATEST = {"job": _JOB_PARAMETERS + "JobOrLatest"}
_DOCUMENT_OBJECTS = pattern(projects.DOCUMENTS_PREFIX)
_RESULT_OBJECTS = (pattern(projects.RESULTS_PREFIX), pattern(projects.FORMER_RESULTS_PREFIX))
_MODEL_OBJECTS = before_fields(projects.MODELS_PREFIX)


def _documents_table(*actions: str, index: str = "") -> Use:
    return Use(DOCUMENTS_TABLE, actions, index=index)


def _documents_bucket(action: str, *prefixes: str) -> Use:
    return Use(DOCUMENTS_BUCKET, (action,), prefixes=prefixes)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/health",
        script="health",
        group="API",
        summary="Check that the API answers, and in which version",
        environment=("VERSION",),
        public=True,
        answers={200: (_API_TYPES + "Health", "The API answers")},
    ),
    Endpoint(
        method="GET",
        path="/openapi.json",
        script="openapi",
        group="API",
        summary="Describe this API",
        files={"openapi.json": "docs/openapi.json"},
        public=True,
        answers={200: ("builtins:dict", "This document")},
    ),
    Endpoint(
        method="GET",
        path="/projects",
        script="projects_list",
        group="Projects",
        role="reader",
        summary="List the caller's projects and those shared with them",
        description="Newest first. A project that was just created may take a moment to appear. A page can have fewer "
        "projects than `limit` even where `next` leads to another one.",
        uses=(
            _documents_table("Query", index=projects.BY_MEMBERSHIP),
            _documents_table("Query", index=projects.BY_USER),
            _documents_table("BatchGetItem"),
        ),
        query="handlers.api.support.project_parameters:ProjectsQuery",
        answers={200: (_PROJECT_TYPES + "ProjectPage", "A page of projects, empty where there are none")},
        problems=(400, 422),
    ),
    Endpoint(
        method="POST",
        path="/projects",
        script="projects_create",
        group="Projects",
        role="editor",
        summary="Create a project",
        description=_ONCE,
        uses=(_documents_table("PutItem", "UpdateItem"),),
        request=_PROJECT_TYPES + "NewProject",
        example={"name": "Contracts 2026", "description": "All contracts, in German", "shared_with": []},
        answers={201: (_PROJECT_TYPES + "Project", "The new project")},
        problems=(*_BODY, 409),
        idempotent=True,
        location=True,
    ),
    Endpoint(
        method="GET",
        path=_PROJECT,
        script="project_get",
        group="Projects",
        role="reader",
        summary="Read a project",
        uses=(_documents_table("GetItem"),),
        answers={200: (_PROJECT_TYPES + "Project", "The project")},
        problems=(404,),
    ),
    Endpoint(
        method="PATCH",
        path=_PROJECT,
        script="project_change",
        group="Projects",
        role="editor",
        summary="Change a project",
        description="Only its owner may. Fields that are absent stay as they are.",
        uses=(_documents_table("GetItem", "UpdateItem", "PutItem", "DeleteItem"),),
        request=_PROJECT_TYPES + "ProjectChanges",
        example={"name": "Contracts 2027"},
        answers={200: (_PROJECT_TYPES + "Project", "The project as it is now")},
        problems=(*_BODY, 403, 404, 409),
    ),
    Endpoint(
        method="DELETE",
        path=_PROJECT,
        script="project_archive",
        group="Projects",
        role="editor",
        summary="Archive a project",
        description="Only its owner may, while no job runs. Nothing is deleted: it can be read, and brought back.",
        uses=(_documents_table("GetItem", "UpdateItem", "PutItem", "ConditionCheckItem"),),
        answers={204: (None, "It is archived, now or since before")},
        problems=(403, 404, 409),
    ),
    Endpoint(
        method="DELETE",
        path=_PROJECT + "/members/me",
        script="project_leave",
        group="Projects",
        role="reader",
        summary="Leave a project that another user shares with the caller",
        description="Whoever the project is shared with may, whether or not it is archived; its owner cannot leave it.",
        uses=(_documents_table("GetItem", "UpdateItem", "DeleteItem"),),
        answers={204: (None, "The caller has left, and does not see the project any more")},
        problems=(404, 409),
    ),
    Endpoint(
        method="GET",
        path=_PROJECT + "/documents",
        script="documents_list",
        group="Documents",
        role="reader",
        summary="List the documents of a project",
        description="Newest first, each with whether its content has arrived.",
        uses=(_documents_table("GetItem", "Query"), _documents_bucket("ListBucket", _DOCUMENT_OBJECTS)),
        query=_PAGE,
        answers={200: (_DOCUMENT_TYPES + "DocumentPage", "A page of documents, empty where there are none")},
        problems=(400, 404, 422),
    ),
    Endpoint(
        method="POST",
        path=_PROJECT + "/documents",
        script="documents_create",
        group="Documents",
        role="editor",
        summary="Announce a document and get the form that uploads it",
        description="Send the form to its `url` as multipart/form-data: all its fields first, the file last, in the "
        "field `file`. It takes 1 byte to 100 MiB for 15 minutes. A repeated request with the same Idempotency-Key "
        "gets the same document and a new form.",
        # The presigned form acts with the function's permission to put.
        uses=(_documents_table("GetItem", "PutItem"), _documents_bucket("PutObject", _DOCUMENT_OBJECTS)),
        request=_DOCUMENT_TYPES + "NewDocument",
        example={"name": "contract.docx"},
        answers={201: (_DOCUMENT_TYPES + "Upload", "The document and its form")},
        problems=(*_BODY, 404, 409),
        idempotent=True,
    ),
    Endpoint(
        method="DELETE",
        path=_PROJECT + "/documents/{document}",
        script="document_delete",
        group="Documents",
        role="editor",
        summary="Delete a document and its content",
        uses=(_documents_table("BatchGetItem", "DeleteItem"), _documents_bucket("DeleteObject", _DOCUMENT_OBJECTS)),
        answers={204: (None, "It is deleted")},
        problems=(404, 409),
    ),
    Endpoint(
        method="GET",
        path=_PROJECT + "/jobs",
        script="jobs_list",
        group="Jobs",
        role="reader",
        summary="List the jobs of a project",
        description="Newest first. With `status`, a job whose status just changed may take a moment to appear.",
        uses=(_documents_table("GetItem", "Query"), _documents_table("Query", index=projects.BY_STATUS)),
        query=_JOB_PARAMETERS + "JobsQuery",
        answers={200: (_JOB_TYPES + "JobPage", "A page of jobs, empty where there are none")},
        problems=(400, 404, 422),
    ),
    Endpoint(
        method="POST",
        path=_PROJECT + "/jobs",
        script="jobs_create",
        group="Jobs",
        role="editor",
        summary="Start a job over all documents of a project",
        description="One job of a kind runs in a project at a time: another is refused, and recorded as rejected. "
        + _ONCE,
        uses=(
            _documents_table("GetItem", "ConditionCheckItem", "PutItem", "UpdateItem", "DeleteItem"),
            _documents_bucket("ListBucket", _DOCUMENT_OBJECTS, _MODEL_OBJECTS),
            Use(STATE_MACHINES, ("StartExecution", "DescribeExecution")),
        ),
        environment=("ISOLATED_TRANSLATION",),
        costly=True,
        timeout_seconds=LONG_SECONDS,
        request=_JOB_TYPES + "NewJob",
        example={"kind": "translate", "options": {"target": "de", "source": "en", "engine": "amazon"}},
        answers={202: (_JOB_TYPES + "Job", "The job, which runs")},
        problems=(*_BODY, 404, 409),
        idempotent=True,
        location=True,
    ),
    Endpoint(
        method="GET",
        path=_JOB,
        script="job_get",
        group="Jobs",
        role="reader",
        summary="Read a job",
        description="`latest` with a `kind` is the last completed job of that kind.",
        uses=(_documents_table("BatchGetItem"),),
        parameters=_JOB_OR_LATEST,
        query=_JOB_PARAMETERS + "JobQuery",
        answers={200: (_JOB_TYPES + "Job", "The job")},
        problems=(404, 422),
    ),
    Endpoint(
        method="DELETE",
        path=_JOB,
        script="job_cancel",
        group="Jobs",
        role="editor",
        summary="Cancel a job that runs",
        uses=(
            _documents_table("BatchGetItem", "UpdateItem", "DeleteItem"),
            Use(STATE_MACHINES, ("StopExecution", "DescribeExecution")),
        ),
        answers={200: (_JOB_TYPES + "Job", "The job, which is cancelled now or since before")},
        problems=(404, 409),
    ),
    Endpoint(
        method="GET",
        path=_JOB + "/results",
        script="job_results",
        group="Jobs",
        role="reader",
        summary="Get links to the files that a job made",
        description="By name. The links need no token and end after 5 minutes. `latest` with a `kind` is the last "
        "completed job of that kind. A failed job has its report, where it came so far, and else an empty list.",
        # The presigned links act with the function's permission to get.
        uses=(
            _documents_table("BatchGetItem"),
            _documents_bucket("ListBucket", *_RESULT_OBJECTS),
            _documents_bucket("GetObject", *_RESULT_OBJECTS),
        ),
        parameters=_JOB_OR_LATEST,
        query=_JOB_PARAMETERS + "ResultsQuery",
        answers={200: (_JOB_TYPES + "ResultPage", "A page of links")},
        problems=(400, 404, 409, 422),
    ),
    Endpoint(
        method="GET",
        path="/companies",
        script="companies_list",
        group="Companies",
        role="reader",
        summary="List the companies that are watched",
        description="In no particular order, each with what was observed last, unless `latest` is false.",
        uses=(Use(COMPANIES_TABLE, ("Scan",)), Use(OBSERVATIONS_TABLE, ("BatchGetItem",))),
        query="handlers.api.support.company_parameters:CompaniesQuery",
        answers={200: (_COMPANY_TYPES + "CompanyPage", "A page of companies, empty where there are none")},
        problems=(400, 422),
    ),
    Endpoint(
        method="POST",
        path="/companies",
        script="companies_change",
        group="Companies",
        role="editor",
        summary="Add, change, rename and remove up to 100 companies",
        description="Answers what became of each change, in order. When a field is wrong, nothing is changed. "
        "A repeated request does no harm: what was done before is `unchanged`, or `missing` after a removal.",
        uses=(Use(COMPANIES_TABLE, ("BatchGetItem", "PutItem", "UpdateItem", "DeleteItem")),),
        timeout_seconds=LONG_SECONDS,
        request=_COMPANY_TYPES + "ManyChanges",
        example={
            "changes": [
                {"action": "add", "name": "Spotify"},
                {"action": "put", "name": "Facebook", "page": "Meta Platforms"},
                {"action": "rename", "name": "Twitter", "new_name": "X"},
                {"action": "remove", "name": "Kodak"},
            ]
        },
        answers={200: (_COMPANY_TYPES + "ManyResults", "What became of each change")},
        problems=_BODY,
    ),
    Endpoint(
        method="GET",
        path=_COMPANY,
        script="company_get",
        group="Companies",
        role="reader",
        summary="Read a company and what was observed of it",
        uses=(Use(COMPANIES_TABLE, ("GetItem",)), Use(OBSERVATIONS_TABLE, ("Query",))),
        parameters=_STORED_COMPANY_NAME,
        query=_PAGE,
        answers={200: (_COMPANY_TYPES + "CompanyHistory", "The company and a page of its history, newest first")},
        problems=(400, 404, 422),
    ),
    Endpoint(
        method="PUT",
        path=_COMPANY,
        script="company_put",
        group="Companies",
        role="editor",
        summary="Watch a company, or change its page",
        description="The list of companies is one for all users.",
        uses=(Use(COMPANIES_TABLE, ("UpdateItem",)),),
        parameters=_COMPANY_NAME,
        request=_COMPANY_TYPES + "CompanyChanges",
        example={"page": "Meta Platforms"},
        answers={
            200: (_COMPANY_TYPES + "Company", "The company, which was watched before"),
            201: (_COMPANY_TYPES + "Company", "The company, which is new"),
        },
        problems=(*_BODY, 404),
    ),
    Endpoint(
        method="DELETE",
        path=_COMPANY,
        script="company_delete",
        group="Companies",
        role="editor",
        summary="Stop watching a company",
        description="What was observed of it stays.",
        uses=(Use(COMPANIES_TABLE, ("DeleteItem",)),),
        parameters=_STORED_COMPANY_NAME,
        answers={204: (None, "It is not watched any more")},
        problems=(404, 422),
    ),
    Endpoint(
        method="POST",
        path="/sentiment",
        script="sentiment",
        group="Sentiment",
        role="editor",
        summary="Analyse up to 25 texts now",
        description=f"One text's failure is not another's. {_ONCE}",
        uses=(_documents_table("PutItem"),),
        services=("comprehend:BatchDetectSentiment",),
        costly=True,
        timeout_seconds=LONG_SECONDS,
        request=_TEXT_TYPES + "NewSentiments",
        example={"texts": ["The new release is a joy to use."], "language": "en"},
        answers={200: (_TEXT_TYPES + "SentimentAnswer", "A sentiment for each text, in their order")},
        problems=(*_BODY, 409),
        idempotent=True,
    ),
)
