"""Types of requests about companies, and of their answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from handlers.common.types import Next, Time
from schema.companies import Label
from schema.limits import COMPANY_CHANGES
from schema.names import (
    COMPANY_NAME_CHARACTERS,
    COMPANY_NAME_EXPECTED,
    COMPANY_NAME_PATTERN,
    STORED_COMPANY_NAME_PATTERN,
)

CompanyName = Annotated[
    str,
    Meta(min_length=1, max_length=COMPANY_NAME_CHARACTERS, description="The company's name", examples=["Spotify"]),
]
NameInPath = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=COMPANY_NAME_CHARACTERS,
        pattern=COMPANY_NAME_PATTERN,
        description="Name of the company, percent-encoded. A slash may stand as it is; a question mark is encoded "
        "twice (%253F), because API Gateway cuts a path at %3F.",
        examples=["Spotify"],
    ),
]
StoredNameInPath = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=COMPANY_NAME_CHARACTERS,
        pattern=STORED_COMPANY_NAME_PATTERN,
        description="Name of the company as it is stored, percent-encoded; older names may have any characters. A "
        "slash may stand as it is; a question mark is encoded twice (%253F), because API Gateway cuts a path at %3F.",
        examples=["Spotify"],
    ),
]
Page = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=COMPANY_NAME_CHARACTERS,
        pattern=COMPANY_NAME_PATTERN,
        description="Title of its page in the text source, where it differs from the name",
        examples=["Meta Platforms"],
        extra={"expected": COMPANY_NAME_EXPECTED},
    ),
]
Score = Annotated[float, Meta(ge=0, le=1, description="How sure; the four make 1")]


class CompanyChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a company shall be watched."""

    page: Page | None = None


class Company(msgspec.Struct, frozen=True):
    """A company that is watched."""

    name: CompanyName
    page: CompanyName | None = None
    added_at: Time | None = None
    added_by: Annotated[str, Meta(description="Id of the user who added it")] | None = None


class Observation(msgspec.Struct, frozen=True):
    """What a run found out about a company."""

    run: Annotated[
        str,
        Meta(
            description="The run; of the latest observation, the last run that looked at the company",
            examples=["20261121T065200Z-1a2b3c4d"],
        ),
    ]
    observed_at: Annotated[Time, Meta(description="When this was first observed")]
    label: Annotated[Label, Meta(description="The sentiment, or why there is none")]
    positive: Score | None = None
    negative: Score | None = None
    neutral: Score | None = None
    mixed: Score | None = None
    language: Annotated[str, Meta(description="Language of the text", examples=["en"])] = ""
    revision: Annotated[str, Meta(description="Changes when the text does")] = ""
    unchanged: Annotated[bool, Meta(description="The last look at the company found nothing new")] = False
    snippet: Annotated[str, Meta(description="The beginning of the text; the latest observation may have less")] = ""
    text_hash: Annotated[str, Meta(description="Names the text: equal texts have equal hashes")] = ""
    page: Annotated[str, Meta(description="Title of the page, after redirects", examples=["Meta Platforms"])] = ""
    candidates: Annotated[
        list[str],
        Meta(
            description="With `AMBIGUOUS`, titles of pages that could be meant; the latest observation may have fewer"
        ),
    ] = []
    reason: Annotated[str, Meta(description="With `NOT_FOUND`, why there is no text", examples=["no such page"])] = ""
    looked_at: Annotated[
        Time | None, Meta(description="When the company was last looked at; only in the latest observation")
    ] = None


class CompanyLatest(Company, frozen=True):
    """A company, and what was observed last."""

    latest: Annotated[
        Observation | UnsetType | None,
        Meta(description="What was observed last; null where nothing was yet. Absent when it was not asked for"),
    ] = UNSET


class CompanyPage(msgspec.Struct, frozen=True):
    """Some companies, in no particular order."""

    companies: list[CompanyLatest]
    next: Next


class CompanyHistory(Company, frozen=True, kw_only=True):
    """A company and what was observed of it, newest first."""

    latest: Annotated[
        Observation | UnsetType | None,
        Meta(description="What was observed last; null where nothing was yet. On the first page only"),
    ] = UNSET
    history: list[Observation]
    next: Next


# Names and pages of many changes are described here and checked by `handlers/companies/changes.py`, which finds all
# that are wrong; a constraint of msgspec would end at the first.
_LINE = {"minLength": 1, "maxLength": COMPANY_NAME_CHARACTERS, "pattern": COMPANY_NAME_PATTERN}
SentName = Annotated[str, Meta(description="The company's name", examples=["Spotify"], extra_json_schema=_LINE)]
SentPage = Annotated[
    str,
    Meta(
        description="Title of its page in the text source, where it differs from the name",
        examples=["Meta Platforms"],
        extra_json_schema=_LINE,
    ),
]
StoredName = Annotated[
    str,
    Meta(
        description="Name under which the company is stored; older names may have any characters",
        examples=["Spotify"],
        extra_json_schema=_LINE | {"pattern": STORED_COMPANY_NAME_PATTERN},
    ),
]


class AddCompany(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="add", tag_field="action"):
    """Watch a company; it stays as it is where it is watched already."""

    name: SentName
    page: SentPage | None = None


class PutCompany(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="put", tag_field="action"):
    """Watch a company, or change its page; without a page it has the page of its name."""

    name: SentName
    page: SentPage | None = None


class RenameCompany(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="rename", tag_field="action"):
    """Give a company another name. It keeps its page and who added it; its observations stay under the old name."""

    name: StoredName
    new_name: SentName


class RemoveCompany(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="remove", tag_field="action"):
    """Stop watching a company; its observations stay."""

    name: StoredName


Change = AddCompany | PutCompany | RenameCompany | RemoveCompany
Result = Literal["added", "updated", "unchanged", "renamed", "removed", "missing", "taken"]


class ManyChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes of the list of companies; each company is in one of them only."""

    changes: Annotated[
        list[Change], Meta(min_length=1, max_length=COMPANY_CHANGES, description=f"1 to {COMPANY_CHANGES} changes")
    ]


class ChangeResult(msgspec.Struct, frozen=True):
    """What became of a change."""

    name: Annotated[str, Meta(description="The company's name, as it is stored", examples=["Spotify"])]
    result: Annotated[
        Result,
        Meta(description="`missing`: no company has this name; `taken`: a company has the new name already"),
    ]


class ManyResults(msgspec.Struct, frozen=True):
    """What became of each change, in their order."""

    results: list[ChangeResult]
