"""What the endpoints of an `NlpApi` may do, and what their functions know."""

from __future__ import annotations

from schema.ids import ANY_ID
from tests.support.pulumi_mocks import SUFFIX, arn_of

TABLE = "aws:dynamodb/table:Table"
MACHINE = "aws:sfn/stateMachine:StateMachine"
PROJECTS, COMPANIES, OBSERVATIONS = (
    arn_of(TABLE, name) for name in ("store-documents", "news-companies", "news-observations")
)
BUCKET = f"arn:aws:s3:::store-files{SUFFIX}"
ANALYSE, TRANSLATE = arn_of(MACHINE, "analyse"), arn_of(MACHINE, "translate")
ANALYSE_EXECUTIONS, TRANSLATE_EXECUTIONS = (
    f"{machine.replace(':stateMachine:', ':execution:')}:*" for machine in (ANALYSE, TRANSLATE)
)
DOCUMENTS = f"projects/{ANY_ID}/documents/*"
RESULTS = (f"results/{ANY_ID}/{ANY_ID}/*", f"projects/{ANY_ID}/jobs/{ANY_ID}/results/*")
_REPORT_OBJECTS = f"results/{ANY_ID}/{ANY_ID}/report.json*"
REPORTS = {f"s3:ListBucket {BUCKET} {_REPORT_OBJECTS}", f"s3:GetObject {BUCKET}/{_REPORT_OBJECTS}"}
LIST_DOCUMENTS = f"s3:ListBucket {BUCKET} {DOCUMENTS}"
# What endpoints may do besides logging and tracing, and their environment: one endpoint of each sort at least.
EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "GET /health": (set(), {"VERSION"}),
    "GET /openapi.json": (set(), set()),
    "GET /quotas": (
        {f"dynamodb:BatchGetItem {PROJECTS}", f"dynamodb:UpdateItem {PROJECTS}", *REPORTS},
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "GET /projects": (
        {
            f"dynamodb:Query {PROJECTS}/index/by-membership",
            f"dynamodb:Query {PROJECTS}/index/by-user",
            f"dynamodb:BatchGetItem {PROJECTS}",
        },
        {"DOCUMENTS_TABLE"},
    ),
    "POST /projects": (
        {
            *(f"dynamodb:{action} {PROJECTS}" for action in ("GetItem", "PutItem", "UpdateItem")),
            f"dynamodb:Query {PROJECTS}/index/by-membership",
        },
        {"DOCUMENTS_TABLE"},
    ),
    "GET /projects/{project}": ({f"dynamodb:GetItem {PROJECTS}"}, {"DOCUMENTS_TABLE"}),
    "PATCH /projects/{project}": (
        {
            *(f"dynamodb:{action} {PROJECTS}" for action in ("GetItem", "UpdateItem", "PutItem", "DeleteItem")),
            f"dynamodb:Query {PROJECTS}/index/by-membership",
        },
        {"DOCUMENTS_TABLE"},
    ),
    "DELETE /projects/{project}": (
        {f"dynamodb:{action} {PROJECTS}" for action in ("GetItem", "UpdateItem", "PutItem", "ConditionCheckItem")},
        {"DOCUMENTS_TABLE"},
    ),
    "DELETE /projects/{project}/members/me": (
        {f"dynamodb:{action} {PROJECTS}" for action in ("GetItem", "UpdateItem", "DeleteItem")},
        {"DOCUMENTS_TABLE"},
    ),
    "GET /projects/{project}/documents": (
        {f"dynamodb:GetItem {PROJECTS}", f"dynamodb:Query {PROJECTS}", LIST_DOCUMENTS},
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "POST /projects/{project}/documents": (
        {
            *(f"dynamodb:{action} {PROJECTS}" for action in ("BatchGetItem", "PutItem", "UpdateItem", "Query")),
            f"s3:PutObject {BUCKET}/{DOCUMENTS}",
        },
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "DELETE /projects/{project}/documents/{document}": (
        {
            f"dynamodb:BatchGetItem {PROJECTS}",
            f"dynamodb:DeleteItem {PROJECTS}",
            f"dynamodb:UpdateItem {PROJECTS}",
            f"s3:DeleteObject {BUCKET}/{DOCUMENTS}",
        },
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "GET /projects/{project}/jobs": (
        {f"dynamodb:GetItem {PROJECTS}", f"dynamodb:Query {PROJECTS}", f"dynamodb:Query {PROJECTS}/index/by-status"},
        {"DOCUMENTS_TABLE"},
    ),
    "POST /projects/{project}/jobs": (
        {
            *(
                f"dynamodb:{action} {PROJECTS}"
                for action in (
                    "GetItem",
                    "BatchGetItem",
                    "ConditionCheckItem",
                    "PutItem",
                    "UpdateItem",
                    "DeleteItem",
                )
            ),
            LIST_DOCUMENTS,
            *REPORTS,
            f"s3:ListBucket {BUCKET} models/*",
            f"states:StartExecution {ANALYSE}",
            f"states:StartExecution {TRANSLATE}",
            f"states:DescribeExecution {ANALYSE_EXECUTIONS}",
            f"states:DescribeExecution {TRANSLATE_EXECUTIONS}",
        },
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET", "STATE_MACHINES", "ISOLATED_TRANSLATION", "MAX_CHARACTERS"},
    ),
    "GET /projects/{project}/jobs/{job}": ({f"dynamodb:BatchGetItem {PROJECTS}"}, {"DOCUMENTS_TABLE"}),
    "DELETE /projects/{project}/jobs/{job}": (
        {
            *(f"dynamodb:{action} {PROJECTS}" for action in ("BatchGetItem", "UpdateItem", "DeleteItem")),
            f"states:StopExecution {ANALYSE_EXECUTIONS}",
            f"states:StopExecution {TRANSLATE_EXECUTIONS}",
            f"states:DescribeExecution {ANALYSE_EXECUTIONS}",
            f"states:DescribeExecution {TRANSLATE_EXECUTIONS}",
        },
        {"DOCUMENTS_TABLE", "STATE_MACHINES"},
    ),
    "GET /projects/{project}/jobs/{job}/results": (
        {
            f"dynamodb:BatchGetItem {PROJECTS}",
            *(f"s3:ListBucket {BUCKET} {prefix}" for prefix in RESULTS),
            *(f"s3:GetObject {BUCKET}/{prefix}" for prefix in RESULTS),
        },
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "GET /companies": (
        {f"dynamodb:Scan {COMPANIES}", f"dynamodb:BatchGetItem {OBSERVATIONS}"},
        {"COMPANIES_TABLE", "OBSERVATIONS_TABLE"},
    ),
    "POST /companies": (
        {
            f"dynamodb:{action} {COMPANIES}"
            for action in ("BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Scan")
        },
        {"COMPANIES_TABLE"},
    ),
    "GET /companies/{name+}": (
        {f"dynamodb:GetItem {COMPANIES}", f"dynamodb:Query {OBSERVATIONS}"},
        {"COMPANIES_TABLE", "OBSERVATIONS_TABLE"},
    ),
    "PUT /companies/{name+}": (
        {f"dynamodb:UpdateItem {COMPANIES}", f"dynamodb:Scan {COMPANIES}"},
        {"COMPANIES_TABLE"},
    ),
    "DELETE /companies/{name+}": ({f"dynamodb:DeleteItem {COMPANIES}"}, {"COMPANIES_TABLE"}),
    "POST /sentiment": (
        {"comprehend:BatchDetectSentiment *", f"dynamodb:PutItem {PROJECTS}", f"dynamodb:UpdateItem {PROJECTS}"},
        {"DOCUMENTS_TABLE"},
    ),
}
