"""Settings of a function, read from environment variables once, when the function starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def read_environment(kind: type[T], environment: Mapping[str, str] = os.environ) -> T:
    """Read environment variables into a struct.

    Parameters
    ----------
    kind
        Type of the struct. Its field `queue_url` is read from the variable `QUEUE_URL`.
    environment
        The environment variables.

    Returns
    -------
    The struct; fields without a variable have their default.

    Raises
    ------
    msgspec.ValidationError
        A variable is missing or of the wrong kind; the message names its field.
    """
    values = {field: environment[field.upper()] for field in kind.__struct_fields__ if field.upper() in environment}
    return msgspec.convert(values, kind, strict=False)
