"""Messages of the work queue: one company of one run each."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from schema.companies import RUN_PATTERN, is_ahead, run_started_at
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


def parse_message(body: str, now: datetime | None = None) -> CompanyMessage:
    """Read a message of the work queue.

    Parameters
    ----------
    body
        The message.
    now
        The time; the present one when absent.

    Raises
    ------
    msgspec.MsgspecError
        It is not JSON, or a field is missing or wrong; the message names it.
    """
    message = msgspec.json.decode(body, type=CompanyMessage)
    check_run(message.run, now or datetime.now(UTC))
    return message


def check_run(run: str, now: datetime) -> None:
    """Refuse a run that cannot be.

    A run that lies in the future would be newer than all runs to come, which would then find nothing to do.

    Raises
    ------
    msgspec.ValidationError
        Its time does not exist, or lies in the future.
    """
    try:
        run_started_at(run)
    except ValueError as error:
        raise msgspec.ValidationError(f"{error} - at `$.run`") from None
    if is_ahead(run, now):
        raise msgspec.ValidationError(
            f"expected a run that has started, got {run} at {now:%Y%m%dT%H%M%SZ} - at `$.run`"
        )


def encode_message(message: CompanyMessage) -> str:
    """Write a message of the work queue; `parse_message` reads it.

    The text is ASCII, because Amazon SQS refuses certain characters, such as U+FFFE.
    """
    return json.dumps(msgspec.to_builtins(message))


def validation_message(error: Exception) -> str:
    """Describe in one line why a message was refused."""
    return " ".join(str(error).split()) or type(error).__name__
