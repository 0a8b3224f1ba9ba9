"""JSON that comes from outside: from queues, services, files and users."""

from __future__ import annotations

from typing import Any


def decode_json(content: bytes | str, type: Any = Any) -> Any:  # noqa: A002 - msgspec's name
    """Decode JSON.

    Parameters
    ----------
    content : bytes or str
        The JSON.
    type : type, optional
        The expected type, as msgspec takes it; anything by default.

    Raises
    ------
    msgspec.DecodeError
        When it is not JSON, not of this type, or nested too deeply to be read, which msgspec alone tells by a
        RecursionError.
    """
    import msgspec

    try:
        return msgspec.json.decode(content, type=type)
    except RecursionError:
        raise msgspec.DecodeError("JSON is nested too deeply") from None
