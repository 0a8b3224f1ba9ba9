"""The product's endpoints: for each its script, what it may do, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.blocks.access.permissions import Permission
from components.blocks.http.http_api import Route, Throttle
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.workflow.state_machine import StateMachine

# Keys of objects, as patterns.
DOCUMENTS = "projects/*/documents/"
RESULTS = "projects/*/jobs/*/results/"
MODELS = "models/"
LONG_SECONDS = 29


@dataclass(frozen=True)
class ProductRoutes:
    """All routes of the product.

    Attributes
    ----------
    documents, files
        Table and bucket of projects.
    companies, observations
        Tables of the sentiment pipeline.
    machines
        State machines by kind of job.
    version
        What `GET /health` answers.
    costly
        Throttle of each route that starts something that is paid for.
    isolated_translation
        Translation jobs reach no service of AWS, so that those with Amazon Translate are refused.
    """

    documents: Table
    files: PrivateBucket
    companies: Table
    observations: Table
    machines: Mapping[str, StateMachine]
    version: str
    costly: Throttle
    isolated_translation: bool = False

    def all(self) -> list[Route]:
        """All routes."""
        return [*self._public(), *self._projects(), *self._documents(), *self._jobs(), *self._companies()]

    def _public(self) -> list[Route]:
        return [
            Route("GET", "/health", "handlers/api/health.py", environment={"VERSION": self.version}, public=True),
            Route("GET", "/openapi.json", "handlers/api/openapi.py", public=True),
        ]

    def _projects(self) -> list[Route]:
        table, told = self.documents, self._table()
        one = "/projects/{project}"
        return [
            Route(
                "GET",
                "/projects",
                "handlers/api/projects_list.py",
                [*table.grant("Query", index="by-user").permissions, *table.grant("BatchGetItem").permissions],
                told,
            ),
            Route("POST", "/projects", "handlers/api/projects_create.py", [*table.grant("PutItem").permissions], told),
            Route("GET", one, "handlers/api/project_get.py", [*table.grant("GetItem").permissions], told),
            Route(
                "PATCH",
                one,
                "handlers/api/project_change.py",
                [
                    *table.grant("GetItem").permissions,
                    *table.grant("UpdateItem").permissions,
                    *table.grant("PutItem").permissions,
                    *table.grant("DeleteItem").permissions,
                ],
                told,
            ),
            Route(
                "DELETE",
                one,
                "handlers/api/project_archive.py",
                [*table.grant("UpdateItem").permissions, *table.grant("ConditionCheckItem").permissions],
                told,
            ),
        ]

    def _documents(self) -> list[Route]:
        table, files, told = self.documents, self.files, self._table_and_bucket()
        all_of_them = "/projects/{project}/documents"
        return [
            Route(
                "GET",
                all_of_them,
                "handlers/api/documents_list.py",
                [
                    *table.grant("GetItem").permissions,
                    *table.grant("Query").permissions,
                    *files.grant("ListBucket", prefixes=[DOCUMENTS]).permissions,
                ],
                told,
            ),
            Route(
                "POST",
                all_of_them,
                "handlers/api/documents_create.py",
                # The presigned form acts with the function's permission to put.
                [
                    *table.grant("GetItem").permissions,
                    *table.grant("PutItem").permissions,
                    *files.grant("PutObject", prefixes=[DOCUMENTS]).permissions,
                ],
                told,
            ),
            Route(
                "DELETE",
                f"{all_of_them}/{{document}}",
                "handlers/api/document_delete.py",
                [
                    *table.grant("BatchGetItem").permissions,
                    *table.grant("DeleteItem").permissions,
                    *files.grant("DeleteObject", prefixes=[DOCUMENTS]).permissions,
                ],
                told,
            ),
        ]

    def _jobs(self) -> list[Route]:
        table, files = self.documents, self.files
        all_of_them = "/projects/{project}/jobs"
        one = f"{all_of_them}/{{job}}"
        return [
            Route(
                "GET",
                all_of_them,
                "handlers/api/jobs_list.py",
                [
                    *table.grant("GetItem").permissions,
                    *table.grant("Query").permissions,
                    *table.grant("Query", index="by-status").permissions,
                ],
                self._table(),
            ),
            Route(
                "POST",
                all_of_them,
                "handlers/api/jobs_create.py",
                [
                    *table.grant("GetItem").permissions,
                    *table.grant("ConditionCheckItem").permissions,
                    *table.grant("PutItem").permissions,
                    *table.grant("UpdateItem").permissions,
                    *table.grant("DeleteItem").permissions,
                    *files.grant("ListBucket", prefixes=[DOCUMENTS, MODELS]).permissions,
                    *(
                        permission
                        for machine in self.machines.values()
                        for permission in machine.grant("StartExecution", "DescribeExecution").permissions
                    ),
                ],
                {
                    **self._table_and_bucket(),
                    "STATE_MACHINES": self._machine_arns(),
                    "ISOLATED_TRANSLATION": "true" if self.isolated_translation else "false",
                },
                timeout_seconds=LONG_SECONDS,
                throttle=self.costly,
            ),
            Route("GET", one, "handlers/api/job_get.py", [*table.grant("BatchGetItem").permissions], self._table()),
            Route(
                "DELETE",
                one,
                "handlers/api/job_cancel.py",
                [
                    *table.grant("BatchGetItem").permissions,
                    *table.grant("UpdateItem").permissions,
                    *table.grant("DeleteItem").permissions,
                    *(
                        permission
                        for machine in self.machines.values()
                        for permission in machine.grant("StopExecution").permissions
                    ),
                ],
                self._table(),
            ),
            Route(
                "GET",
                f"{one}/results",
                "handlers/api/job_results.py",
                # The presigned links act with the function's permission to get.
                [
                    *table.grant("BatchGetItem").permissions,
                    *files.grant("ListBucket", prefixes=[RESULTS]).permissions,
                    *files.grant("GetObject", prefixes=[RESULTS]).permissions,
                ],
                self._table_and_bucket(),
            ),
        ]

    def _companies(self) -> list[Route]:
        companies, observations = self.companies, self.observations
        told = {"COMPANIES_TABLE": companies.name}
        told_both = {**told, "OBSERVATIONS_TABLE": observations.name}
        one = "/companies/{name+}"  # names of companies may have slashes
        return [
            Route(
                "GET",
                "/companies",
                "handlers/api/companies_list.py",
                [*companies.grant("Scan").permissions, *observations.grant("BatchGetItem").permissions],
                told_both,
            ),
            Route(
                "GET",
                one,
                "handlers/api/company_get.py",
                [*companies.grant("GetItem").permissions, *observations.grant("Query").permissions],
                told_both,
            ),
            Route("PUT", one, "handlers/api/company_put.py", [*companies.grant("UpdateItem").permissions], told),
            Route("DELETE", one, "handlers/api/company_delete.py", [*companies.grant("DeleteItem").permissions], told),
            Route(
                "POST",
                "/sentiment",
                "handlers/api/sentiment.py",
                [_detecting_sentiment(), *self.documents.grant("PutItem").permissions],
                self._table(),
                timeout_seconds=LONG_SECONDS,
                throttle=self.costly,
            ),
        ]

    def _table(self) -> dict[str, pulumi.Input[str]]:
        return {"DOCUMENTS_TABLE": self.documents.name}

    def _table_and_bucket(self) -> dict[str, pulumi.Input[str]]:
        return {**self._table(), "DOCUMENTS_BUCKET": self.files.name}

    def _machine_arns(self) -> pulumi.Output[str]:
        return pulumi.Output.json_dumps({kind: machine.arn for kind, machine in self.machines.items()})


def _detecting_sentiment() -> Permission:
    return Permission(
        ["comprehend:BatchDetectSentiment"],
        ["*"],
        why_any_resource="Amazon Comprehend's synchronous calls have no resource to name",
    )
