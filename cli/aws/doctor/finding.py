"""What a check finds."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct, frozen=True):
    """The result of a check.

    Attributes
    ----------
    check : str
        What was checked, in a word or two.
    status : str
        `ok`; `warning` where a deployment works but something is missing; `failed` where something would not work.
    message : str
        What was found.
    advice : str
        What to do next; empty when nothing has to be done.
    """

    check: str
    status: Status
    message: str
    advice: str = ""
