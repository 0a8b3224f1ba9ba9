"""Settings of what users, projects and the stack may use and cost."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from schema.limits import (
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_DOLLARS,
    MOST_RUNNING_JOBS,
)
from settings.reader import (
    Group,
    Number,
    WholeNumber,
)


class QuotaSettings(Group):
    """How much each user, each project and the stack may use."""

    requests_per_second: Number | None = Field(default=None, gt=0, le=10_000)
    """Sustained requests per second of one user, for each endpoint and function instance"""
    costly_requests_per_second: Number | None = Field(default=None, gt=0, le=10_000)
    """Sustained requests per second of one user, for each of POST jobs and POST sentiment"""
    characters_per_day: WholeNumber | None = Field(default=None, ge=1, le=MOST_CHARACTERS)
    """Characters that one user may have analysed or translated in a day"""
    stack_characters_per_day: WholeNumber | None = Field(default=None, ge=1, le=MOST_CHARACTERS)
    """Characters that all users together may have analysed or translated in a day"""
    running_jobs: WholeNumber | None = Field(default=None, ge=1, le=MOST_RUNNING_JOBS)
    """Jobs of one user that run at the same time"""
    stack_running_jobs: WholeNumber | None = Field(default=None, ge=1, le=MOST_RUNNING_JOBS)
    """Jobs of all users together that run at the same time"""
    projects: WholeNumber | None = Field(default=None, ge=1, le=1_000_000)
    """Active projects that one user owns"""
    documents: WholeNumber | None = Field(default=None, ge=1, le=1_000_000)
    """Documents of one project"""
    stored_bytes: WholeNumber | None = Field(default=None, ge=1, le=MOST_BYTES)
    """Bytes of all documents that one user has uploaded"""
    uploaded_bytes_per_day: WholeNumber | None = Field(default=None, ge=1, le=MOST_BYTES)
    """Bytes that one user may upload in a day"""
    companies: WholeNumber | None = Field(default=None, ge=1, le=1_000_000)
    """Companies that are watched"""


class BudgetSettings(Group):
    """What the stack may cost."""

    monthly_usd: Number | None = Field(default=None, gt=0, le=MOST_DOLLARS)
    """Dollars a month; notify_emails get a message at 80 % of it, and when all of it is forecast"""

    @field_validator("monthly_usd")
    @classmethod
    def _with_tags(cls, monthly_usd: float | None, info: ValidationInfo) -> float | None:
        if monthly_usd is not None and not (info.context or {}).get("tags"):
            raise ValueError("aws:defaultTags with it, as the stack's costs are found by its tags")
        return monthly_usd
