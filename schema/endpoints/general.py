"""Endpoints about the API itself and about the caller."""

from __future__ import annotations

from schema.endpoint import Endpoint
from schema.endpoints.shared import API_TYPES, REPORT_OBJECTS, documents_bucket, documents_table

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/health",
        script="health",
        group="API",
        summary="Check that the API answers, and in which version",
        environment=("VERSION",),
        public=True,
        answers={200: (API_TYPES + "Health", "The API answers")},
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
        path="/quotas",
        script="quotas_get",
        group="Quotas",
        role="reader",
        summary="Show the caller's quotas: what is used, what is left, and when it renews",
        description="Jobs that have ended are settled first: what they reserved and did not send is free again.",
        uses=(
            documents_table("BatchGetItem", "UpdateItem"),
            documents_bucket("ListBucket", REPORT_OBJECTS),
            documents_bucket("GetObject", REPORT_OBJECTS),
        ),
        answers={200: ("handlers.projects.quota_models:QuotaList", "All quotas")},
    ),
)
