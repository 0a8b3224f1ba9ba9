"""All endpoints, as the OpenAPI document describes them. The scripts in `handlers/api` are what they do."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.api.support.models import CompaniesQuery, Health, JobQuery, JobsQuery, ProjectsQuery, ResultsQuery
from handlers.api.support.pagination import PageQuery
from handlers.common.job_options import TranslateOptions
from handlers.companies.models import (
    AddCompany,
    Company,
    CompanyChanges,
    CompanyHistory,
    CompanyPage,
    ManyChanges,
    ManyResults,
    PutCompany,
    RemoveCompany,
    RenameCompany,
)
from handlers.projects.models import (
    DocumentPage,
    Job,
    JobPage,
    NewDocument,
    NewJob,
    NewProject,
    NewTranslateJob,
    Project,
    ProjectChanges,
    ProjectPage,
    ResultPage,
    Upload,
)
from handlers.texts.models import NewSentiments, SentimentAnswer


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an endpoint.

    Attributes
    ----------
    script
        The file in `handlers/api` that is its Lambda function, without `.py`.
    method, path
        Where it is.
    group
        What the document lists it under.
    summary
        What it does, in a line.
    description
        What else to know.
    request
        Type of the body, where there is one.
    example
        A body.
    query
        Type of the query string, where it has parameters.
    answers
        By status: what is answered, and when. None: an empty body.
    problems
        Statuses of its refusals, besides those that any endpoint has.
    public
        Needs no token.
    idempotent
        Takes an `Idempotency-Key`.
    """

    script: str
    method: str
    path: str
    group: str
    summary: str
    description: str = ""
    request: Any = None
    example: Any = None
    query: type[msgspec.Struct] | None = None
    answers: dict[int, tuple[Any, str]]
    problems: tuple[int, ...] = ()
    public: bool = False
    idempotent: bool = False


_BODY_PROBLEMS = (400, 413, 415, 422)
_ONCE = "A repeated request with the same Idempotency-Key is answered the same for 24 hours, and done once."
_PROJECT = "/projects/{project}"
_JOB = _PROJECT + "/jobs/{job}"
_COMPANY = "/companies/{name}"

OPERATIONS = (
    Operation(
        script="health",
        method="GET",
        path="/health",
        group="API",
        summary="Say that the API answers, and in which version",
        answers={200: (Health, "It does")},
        public=True,
    ),
    Operation(
        script="openapi",
        method="GET",
        path="/openapi.json",
        group="API",
        summary="Describe this API",
        answers={200: (dict[str, Any], "This document")},
        public=True,
    ),
    Operation(
        script="projects_list",
        method="GET",
        path="/projects",
        group="Projects",
        summary="List the caller's projects and those shared with them",
        description="Newest first. A project that was just created may take a moment to appear.",
        query=ProjectsQuery,
        answers={200: (ProjectPage, "A page of projects, empty where there are none")},
        problems=(400, 422),
    ),
    Operation(
        script="projects_create",
        method="POST",
        path="/projects",
        group="Projects",
        summary="Create a project",
        description=_ONCE,
        request=NewProject,
        example=NewProject("Contracts 2026", "All contracts, in German"),
        answers={201: (Project, "The new project")},
        problems=(*_BODY_PROBLEMS, 409),
        idempotent=True,
    ),
    Operation(
        script="project_get",
        method="GET",
        path=_PROJECT,
        group="Projects",
        summary="Read a project",
        answers={200: (Project, "The project")},
        problems=(404,),
    ),
    Operation(
        script="project_change",
        method="PATCH",
        path=_PROJECT,
        group="Projects",
        summary="Change a project",
        description="Only its owner may. Fields that are absent stay as they are.",
        request=ProjectChanges,
        example=ProjectChanges(name="Contracts 2027"),
        answers={200: (Project, "The project as it is now")},
        problems=(*_BODY_PROBLEMS, 403, 404, 409),
    ),
    Operation(
        script="project_archive",
        method="DELETE",
        path=_PROJECT,
        group="Projects",
        summary="Archive a project",
        description="Only its owner may, while no job runs. Nothing is deleted: it can be read, and brought back.",
        answers={204: (None, "It is archived, now or since before")},
        problems=(403, 404, 409),
    ),
    Operation(
        script="documents_list",
        method="GET",
        path=_PROJECT + "/documents",
        group="Documents",
        summary="List the documents of a project",
        description="Newest first, each with whether its content has arrived.",
        query=PageQuery,
        answers={200: (DocumentPage, "A page of documents, empty where there are none")},
        problems=(400, 404, 422),
    ),
    Operation(
        script="documents_create",
        method="POST",
        path=_PROJECT + "/documents",
        group="Documents",
        summary="Announce a document and get the form that uploads it",
        description="Send the form to its `url` as multipart/form-data: all its fields first, the file last, in the "
        "field `file`. It takes 1 byte to 100 MiB for 15 minutes. A repeated request with the same Idempotency-Key "
        "gets the same document and a new form.",
        request=NewDocument,
        example=NewDocument("contract.docx"),
        answers={201: (Upload, "The document and its form")},
        problems=(*_BODY_PROBLEMS, 404, 409),
        idempotent=True,
    ),
    Operation(
        script="document_delete",
        method="DELETE",
        path=_PROJECT + "/documents/{document}",
        group="Documents",
        summary="Delete a document and its content",
        answers={204: (None, "It is deleted")},
        problems=(404, 409),
    ),
    Operation(
        script="jobs_list",
        method="GET",
        path=_PROJECT + "/jobs",
        group="Jobs",
        summary="List the jobs of a project",
        description="Newest first. With `status`, a job whose status just changed may take a moment to appear.",
        query=JobsQuery,
        answers={200: (JobPage, "A page of jobs, empty where there are none")},
        problems=(400, 404, 422),
    ),
    Operation(
        script="jobs_create",
        method="POST",
        path=_PROJECT + "/jobs",
        group="Jobs",
        summary="Start a job over all documents of a project",
        description="One job of a kind runs in a project at a time: another is refused, and recorded as rejected. "
        + _ONCE,
        request=NewJob,
        example=NewTranslateJob(TranslateOptions("de", "en")),
        answers={202: (Job, "The job, which runs")},
        problems=(*_BODY_PROBLEMS, 404, 409),
        idempotent=True,
    ),
    Operation(
        script="job_get",
        method="GET",
        path=_JOB,
        group="Jobs",
        summary="Read a job",
        description="`latest` with a `kind` is the last completed job of that kind.",
        query=JobQuery,
        answers={200: (Job, "The job")},
        problems=(404, 422),
    ),
    Operation(
        script="job_cancel",
        method="DELETE",
        path=_JOB,
        group="Jobs",
        summary="Cancel a job that runs",
        answers={200: (Job, "The job, which is cancelled now or since before")},
        problems=(404, 409),
    ),
    Operation(
        script="job_results",
        method="GET",
        path=_JOB + "/results",
        group="Jobs",
        summary="Get links to the files that a job made",
        description="By name. The links need no token and end after 15 minutes. `latest` with a `kind` is the last "
        "completed job of that kind. A failed job has its report, where it came so far, and else an empty list.",
        query=ResultsQuery,
        answers={200: (ResultPage, "A page of links")},
        problems=(400, 404, 409, 422),
    ),
    Operation(
        script="companies_list",
        method="GET",
        path="/companies",
        group="Companies",
        summary="List the companies that are watched",
        description="In no particular order, each with what was observed last, unless `latest` is false.",
        query=CompaniesQuery,
        answers={200: (CompanyPage, "A page of companies, empty where there are none")},
        problems=(400, 422),
    ),
    Operation(
        script="companies_change",
        method="POST",
        path="/companies",
        group="Companies",
        summary="Add, change, rename and remove up to 100 companies",
        description="Answers what became of each change, in order. When a field is wrong, nothing is changed. "
        "A repeated request does no harm: what was done before is `unchanged`, or `missing` after a removal.",
        request=ManyChanges,
        example=ManyChanges(
            [
                AddCompany("Spotify"),
                PutCompany("Facebook", "Meta Platforms"),
                RenameCompany("Twitter", "X"),
                RemoveCompany("Kodak"),
            ]
        ),
        answers={200: (ManyResults, "What became of each change")},
        problems=_BODY_PROBLEMS,
    ),
    Operation(
        script="company_get",
        method="GET",
        path=_COMPANY,
        group="Companies",
        summary="Read a company and what was observed of it",
        query=PageQuery,
        answers={200: (CompanyHistory, "The company and a page of its history, newest first")},
        problems=(400, 404, 422),
    ),
    Operation(
        script="company_put",
        method="PUT",
        path=_COMPANY,
        group="Companies",
        summary="Watch a company, or change its page",
        description="The list of companies is one for all users.",
        request=CompanyChanges,
        example=CompanyChanges("Meta Platforms"),
        answers={200: (Company, "The company, which was watched before"), 201: (Company, "The company, which is new")},
        problems=(*_BODY_PROBLEMS, 404),
    ),
    Operation(
        script="company_delete",
        method="DELETE",
        path=_COMPANY,
        group="Companies",
        summary="Stop watching a company",
        description="What was observed of it stays.",
        answers={204: (None, "It is not watched any more")},
        problems=(404, 422),
    ),
    Operation(
        script="sentiment",
        method="POST",
        path="/sentiment",
        group="Sentiment",
        summary="Analyse up to 25 texts now",
        description=f"One text's failure is not another's. {_ONCE}",
        request=NewSentiments,
        example=NewSentiments(["The new release is a joy to use."], "en"),
        answers={200: (SentimentAnswer, "A sentiment for each text, in their order")},
        problems=(*_BODY_PROBLEMS, 409),
        idempotent=True,
    ),
)
