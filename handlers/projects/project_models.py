"""Types of requests about projects, and of their answers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from handlers.common.types import Id, Next, Time, User
from schema.limits import PROJECT_DESCRIPTION_CHARACTERS, PROJECT_SHARES
from schema.names import PROJECT_NAME_CHARACTERS, PROJECT_NAME_EXPECTED, PROJECT_NAME_PATTERN

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=PROJECT_NAME_CHARACTERS,
        pattern=PROJECT_NAME_PATTERN,
        description="What people call it",
        examples=["Contracts 2026"],
        extra={"expected": PROJECT_NAME_EXPECTED},
    ),
]
# Older names may have any characters.
StoredName = Annotated[str, Meta(description="What people call it", examples=["Contracts 2026"])]
Description = Annotated[
    str,
    Meta(max_length=PROJECT_DESCRIPTION_CHARACTERS, description="More about it", examples=["All contracts, in German"]),
]
Shares = Annotated[
    list[User], Meta(max_length=PROJECT_SHARES, description="Users who may see the project and work in it")
]


class NewProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project to create; it belongs to whoever creates it."""

    name: Name
    description: Description | None = None
    shared_with: Shares = msgspec.field(default_factory=list)


class ProjectChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a project; what is absent stays as it is."""

    name: Name | UnsetType = UNSET
    description: Annotated[Description | UnsetType | None, Meta(description="More about it; null removes it")] = UNSET
    shared_with: Shares | UnsetType = UNSET
    active: Annotated[
        bool | UnsetType, Meta(description="Brings an archived project back", extra_json_schema={"enum": [True]})
    ] = UNSET

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if self.active is False:
            raise ValueError("`active`: expected true; a project is archived by DELETE")


class Project(msgspec.Struct, frozen=True):
    """A project: documents and the jobs that work on them."""

    project: Id
    name: StoredName
    owner: User
    shared_with: Shares
    active: Annotated[bool, Meta(description="False once the project is archived")]
    created_at: Time
    updated_at: Time
    updated_by: User
    description: Description | None = None


class ProjectPage(msgspec.Struct, frozen=True):
    """Some of the caller's projects, newest first."""

    projects: list[Project]
    next: Next
