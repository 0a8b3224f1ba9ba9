"""Units of work: which company to look at, and in which run."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

MAX_NAME_CHARACTERS = 200
RUN_PATTERN = r"\A[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}\Z"

Run = Annotated[str, msgspec.Meta(pattern=RUN_PATTERN)]
CompanyName = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]


class Work(msgspec.Struct, frozen=True, omit_defaults=True):
    """One company of one run, as it travels through the work queue.

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
    """Name a run so that names sort by time and a repeated start gets the same name.

    Parameters
    ----------
    started_at
        When the run was asked for.
    seed
        What asked for it: an event's or a request's id, the same whenever it is delivered again.

    Returns
    -------
    Such as `20261121T065200Z-1a2b3c4d`.
    """
    digest = hashlib.sha256(seed.encode()).hexdigest()[:8]
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}"


def parse_work(body: str) -> Work:
    """Read a message of the work queue.

    Raises
    ------
    msgspec.MsgspecError
        It is not JSON, or a field is missing or wrong; the message names it.
    """
    return msgspec.json.decode(body, type=Work)


def encode_work(work: Work) -> str:
    """Write a message of the work queue; `parse_work` reads it.

    It is ASCII: Amazon SQS refuses messages with certain characters, such as U+FFFE, for ever.
    """
    return json.dumps(msgspec.to_builtins(work))


def validation_message(error: Exception) -> str:
    """Say in one line why a message was refused."""
    return " ".join(str(error).split()) or type(error).__name__


def chunks(items: list[Any], size: int) -> list[list[Any]]:
    """Cut a list into lists of at most `size` items."""
    return [items[start : start + size] for start in range(0, len(items), size)]
