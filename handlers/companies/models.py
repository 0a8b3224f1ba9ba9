"""Types of requests about companies, and of their answers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from handlers.common.types import Next, Time
from schema.companies import Label
from schema.names import COMPANY_NAME_CHARACTERS, COMPANY_NAME_EXPECTED, COMPANY_NAME_PATTERN

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


class Observation(msgspec.Struct, frozen=True):
    """What a run found out about a company."""

    run: Annotated[str, Meta(description="The run", examples=["20261121T065200Z-1a2b3c4d"])]
    observed_at: Time
    label: Annotated[Label, Meta(description="The sentiment, or why there is none")]
    positive: Score | None = None
    negative: Score | None = None
    neutral: Score | None = None
    mixed: Score | None = None
    language: Annotated[str, Meta(description="Language of the text", examples=["en"])] = ""
    revision: Annotated[str, Meta(description="Changes when the text does")] = ""
    unchanged: Annotated[bool, Meta(description="The text was analysed before; that analysis was used again")] = False
    snippet: Annotated[str, Meta(description="The beginning of the text")] = ""


class CompanyLatest(Company, frozen=True):
    """A company, and what was observed last; null where nothing was yet."""

    latest: Observation | None = None


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
