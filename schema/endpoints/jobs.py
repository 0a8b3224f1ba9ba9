"""Endpoints of batch jobs."""

from __future__ import annotations

from schema import projects
from schema.endpoint import LONG_SECONDS, STATE_MACHINES, Endpoint, Use
from schema.endpoints.shared import (
    BODY,
    DOCUMENT_OBJECTS,
    JOB,
    JOB_OR_LATEST,
    JOB_PARAMETERS,
    JOB_TYPES,
    MODEL_OBJECTS,
    ONCE,
    PROJECT,
    REPORT_OBJECTS,
    RESULT_OBJECTS,
    documents_bucket,
    documents_table,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path=PROJECT + "/jobs",
        script="jobs_list",
        group="Jobs",
        role="reader",
        summary="List the jobs of a project",
        description="Newest first. With `status`, a job whose status just changed may take a moment to appear.",
        uses=(documents_table("GetItem", "Query"), documents_table("Query", index=projects.BY_STATUS)),
        query=JOB_PARAMETERS + "JobsQuery",
        answers={200: (JOB_TYPES + "JobPage", "A page of jobs, empty where there are none")},
        problems=(400, 404, 422),
    ),
    Endpoint(
        method="POST",
        path=PROJECT + "/jobs",
        script="jobs_create",
        group="Jobs",
        role="editor",
        summary="Start a job over all documents of a project",
        description="One job of a kind runs in a project at a time: another is refused, and recorded as rejected. "
        "`max_characters` counts towards the characters of the day until the job has ended; then what it sent counts. "
        + ONCE,
        uses=(
            documents_table("GetItem", "BatchGetItem", "ConditionCheckItem", "PutItem", "UpdateItem", "DeleteItem"),
            documents_bucket("ListBucket", DOCUMENT_OBJECTS, MODEL_OBJECTS, REPORT_OBJECTS),
            documents_bucket("GetObject", REPORT_OBJECTS),
            Use(STATE_MACHINES, ("StartExecution", "DescribeExecution")),
        ),
        environment=("ISOLATED_TRANSLATION", "MAX_CHARACTERS"),
        costly=True,
        quotas=("running_jobs", "stack_running_jobs", "characters_per_day", "stack_characters_per_day"),
        timeout_seconds=LONG_SECONDS,
        request=JOB_TYPES + "NewJob",
        example={
            "kind": "translate",
            "options": {"target": "de", "source": "en", "engine": "amazon"},
            "max_characters": 200_000,
        },
        answers={202: (JOB_TYPES + "Job", "The job, which runs")},
        problems=(*BODY, 404, 409),
        idempotent=True,
        location=True,
    ),
    Endpoint(
        method="GET",
        path=JOB,
        script="job_get",
        group="Jobs",
        role="reader",
        summary="Read a job",
        description="`latest` with a `kind` is the last completed job of that kind.",
        uses=(documents_table("BatchGetItem"),),
        parameters=JOB_OR_LATEST,
        query=JOB_PARAMETERS + "JobQuery",
        answers={200: (JOB_TYPES + "Job", "The job")},
        problems=(404, 422),
    ),
    Endpoint(
        method="DELETE",
        path=JOB,
        script="job_cancel",
        group="Jobs",
        role="editor",
        summary="Cancel a job that runs",
        uses=(
            documents_table("BatchGetItem", "UpdateItem", "DeleteItem"),
            Use(STATE_MACHINES, ("StopExecution", "DescribeExecution")),
        ),
        answers={200: (JOB_TYPES + "Job", "The job, which is cancelled now or since before")},
        problems=(404, 409),
    ),
    Endpoint(
        method="GET",
        path=JOB + "/results",
        script="job_results",
        group="Jobs",
        role="reader",
        summary="Get links to the files that a job made",
        description="By name. The links need no token and end after 5 minutes. `latest` with a `kind` is the last "
        "completed job of that kind. A failed job has its report, where it came so far, and else an empty list.",
        # The presigned links act with the function's permission to get.
        uses=(
            documents_table("BatchGetItem"),
            documents_bucket("ListBucket", *RESULT_OBJECTS),
            documents_bucket("GetObject", *RESULT_OBJECTS),
        ),
        parameters=JOB_OR_LATEST,
        query=JOB_PARAMETERS + "ResultsQuery",
        answers={200: (JOB_TYPES + "ResultPage", "A page of links")},
        problems=(400, 404, 409, 422),
    ),
)
