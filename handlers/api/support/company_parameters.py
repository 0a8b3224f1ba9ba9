"""Parameters of the endpoints of companies."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from handlers.api.support.pagination import PageQuery
from schema.limits import PAGE_COMPANIES, PAGE_ENTRIES


class CompaniesQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which companies are wanted, and what of them."""

    limit: Annotated[
        int,
        Meta(
            ge=1,
            le=PAGE_COMPANIES,
            description=f"The most entries to answer; at most {PAGE_ENTRIES} unless `latest` is false",
        ),
    ] = 50
    latest: Annotated[bool, Meta(description="Whether to answer what was observed of each company last")] = True

    def __post_init__(self) -> None:
        """Refuse long pages with observations, which are read in batches of 100."""
        if self.latest and self.limit > PAGE_ENTRIES:
            raise ValueError(f"`limit`: expected at most {PAGE_ENTRIES}, or `latest` false")
