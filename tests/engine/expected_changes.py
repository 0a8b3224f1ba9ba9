"""What a change of the project changes on AWS: one list per change, held by test_dev.py.

A line is an operation, a type's last part and a logical name. `<hash>` and `*.whl` stand for what contents give.
"""

from __future__ import annotations

API_FUNCTIONS = (
    "companies-change",
    "companies-list",
    "company-delete",
    "company-get",
    "company-put",
    "document-delete",
    "documents-create",
    "documents-list",
    "health",
    "job-cancel",
    "job-get",
    "job-results",
    "jobs-create",
    "jobs-list",
    "openapi",
    "project-archive",
    "project-change",
    "project-get",
    "project-leave",
    "projects-create",
    "projects-list",
    "quotas-get",
    "sentiment",
)

SCHEDULE = {"update EventRule sentiment-schedule"}

# A line in handlers/api/project_get.py.
ENDPOINT = {"update Function product-api-project-get"}

# A line in handlers/batch/merge.py. The objects of the former program are no longer Pulumi's, and stay in the bucket
# for jobs that began before.
BATCH = {
    f"{operation} BucketObjectv2 product-program-programs/<hash>/{file}"
    for operation in ("create", "delete")
    for file in ("program.zip", "run.py")
} | {"update StateMachine product-analyse", "update StateMachine product-translate"}

# A line in handlers/common/times.py: the functions that import it, and no wheels.
COMMON = {f"update Function product-api-{name}" for name in API_FUNCTIONS} | {
    "update Function product-withdraw",
    "update Function sentiment-analyse",
}
