"""Messages of the work queue: one company of one run each."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from schema.companies import RUN_PATTERN
from schema.names import COMPANY_NAME_CHARACTERS

Run = Annotated[str, msgspec.Meta(pattern=RUN_PATTERN)]
CompanyName = Annotated[str, msgspec.Meta(min_length=1, max_length=COMPANY_NAME_CHARACTERS)]


class CompanyMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A company that a run has to observe.

    Attributes
    ----------
    run
        The run's id, see `new_run`.
    company
        The company's name, as in the table of companies.
    page
        Title of its page in the text source, where it differs from the name.
    """

    run: Run
    company: CompanyName
    page: CompanyName | None = None


def new_run(started_at: datetime, seed: str) -> str:
    """Make a run's id. Ids sort by time, and a start that is delivered twice gets the same id.

    Parameters
    ----------
    started_at
        Time at which the run was requested.
    seed
        Id of the event or request that started it, the same whenever it is delivered again.

    Returns
    -------
    Such as `20261121T065200Z-1a2b3c4d`.
    """
    digest = hashlib.sha256(seed.encode()).hexdigest()[:8]
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}"


def parse_message(body: str) -> CompanyMessage:
    """Read a message of the work queue.

    Raises
    ------
    msgspec.MsgspecError
        It is not JSON, or a field is missing or wrong; the message names it.
    """
    return msgspec.json.decode(body, type=CompanyMessage)


def encode_message(message: CompanyMessage) -> str:
    """Write a message of the work queue; `parse_message` reads it.

    The text is ASCII, because Amazon SQS refuses certain characters, such as U+FFFE.
    """
    return json.dumps(msgspec.to_builtins(message))


def validation_message(error: Exception) -> str:
    """Describe in one line why a message was refused."""
    return " ".join(str(error).split()) or type(error).__name__
