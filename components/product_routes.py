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
                [table.querying("by-user"), table.batch_getting()],
                told,
            ),
            Route("POST", "/projects", "handlers/api/projects_create.py", [table.putting()], told),
            Route("GET", one, "handlers/api/project_get.py", [table.getting()], told),
            Route(
                "PATCH",
                one,
                "handlers/api/project_change.py",
                [table.getting(), table.updating(), table.putting(), table.deleting()],
                told,
            ),
            Route(
                "DELETE",
                one,
                "handlers/api/project_archive.py",
                [table.updating(), table.checking()],
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
                [table.getting(), table.querying(), files.listing(DOCUMENTS)],
                told,
            ),
            Route(
                "POST",
                all_of_them,
                "handlers/api/documents_create.py",
                # The presigned form acts with the function's permission to put.
                [table.getting(), table.putting(), files.putting(DOCUMENTS)],
                told,
            ),
            Route(
                "DELETE",
                f"{all_of_them}/{{document}}",
                "handlers/api/document_delete.py",
                [table.batch_getting(), table.deleting(), files.deleting(DOCUMENTS)],
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
                [table.getting(), table.querying(), table.querying("by-status")],
                self._table(),
            ),
            Route(
                "POST",
                all_of_them,
                "handlers/api/jobs_create.py",
                [
                    table.getting(),
                    table.checking(),
                    table.putting(),
                    table.updating(),
                    table.deleting(),
                    files.listing(DOCUMENTS, MODELS),
                    *(machine.starting() for machine in self.machines.values()),
                    *(machine.describing_executions() for machine in self.machines.values()),
                ],
                {
                    **self._table_and_bucket(),
                    "STATE_MACHINES": self._machine_arns(),
                    "ISOLATED_TRANSLATION": "true" if self.isolated_translation else "false",
                },
                timeout_seconds=LONG_SECONDS,
                throttle=self.costly,
            ),
            Route("GET", one, "handlers/api/job_get.py", [table.batch_getting()], self._table()),
            Route(
                "DELETE",
                one,
                "handlers/api/job_cancel.py",
                [
                    table.batch_getting(),
                    table.updating(),
                    table.deleting(),
                    *(machine.stopping() for machine in self.machines.values()),
                ],
                self._table(),
            ),
            Route(
                "GET",
                f"{one}/results",
                "handlers/api/job_results.py",
                # The presigned links act with the function's permission to get.
                [table.batch_getting(), files.listing(RESULTS), files.getting(RESULTS)],
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
                [companies.scanning(), observations.batch_getting()],
                told_both,
            ),
            Route(
                "POST",
                "/companies",
                "handlers/api/companies_change.py",
                [companies.batch_getting(), companies.putting(), companies.updating(), companies.deleting()],
                told,
                timeout_seconds=LONG_SECONDS,
            ),
            Route(
                "GET",
                one,
                "handlers/api/company_get.py",
                [companies.getting(), observations.querying()],
                told_both,
            ),
            Route("PUT", one, "handlers/api/company_put.py", [companies.updating()], told),
            Route("DELETE", one, "handlers/api/company_delete.py", [companies.deleting()], told),
            Route(
                "POST",
                "/sentiment",
                "handlers/api/sentiment.py",
                [_detecting_sentiment(), self.documents.putting()],
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
