"""A function's settings, read from its environment variables once, when it starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def read_environment(kind: type[T], environment: Mapping[str, str] = os.environ) -> T:
    """Turn environment variables into a typed object.

    Parameters
    ----------
    kind
        The struct to fill: its field `queue_url` is read from the variable `QUEUE_URL`.
    environment
        Where to read from.

    Returns
    -------
    The filled struct; fields without a variable keep their default.

    Raises
    ------
    msgspec.ValidationError
        A variable is missing or of the wrong kind; the message names its field.
    """
    values = {field: environment[field.upper()] for field in kind.__struct_fields__ if field.upper() in environment}
    return msgspec.convert(values, kind, strict=False)
