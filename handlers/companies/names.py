"""Names of companies: what a valid one is, and how it stands in a path."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from handlers.common.patterns import one_line
from handlers.common.problems import FieldError, invalid

MAX_NAME_CHARACTERS = 200
NAME_EXPECTED = f"1 to {MAX_NAME_CHARACTERS} characters, without control characters"
# What Amazon SQS, which carries names, refuses:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
NAME_PATTERN = one_line(r"\x00-\x1F\x7F\uFFFE\uFFFF")
_UNSENDABLE = re.compile("[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def is_name(text: str) -> bool:
    """Tell whether a text can be a company's name."""
    return 1 <= len(text) <= MAX_NAME_CHARACTERS and not _UNSENDABLE.search(text)


def name_in_path(path: str) -> str:
    """Read a company's name out of a request's path.

    API Gateway decodes the path before it chooses the route, `%2F` to a slash included, all but `%25`, which it leaves
    (`rawPath` of payload format 2.0). The route therefore is greedy, and the name is all that follows `/companies/`.
    It also cuts a path at a question mark that was written `%3F`, so that one has to be written `%253F`.

    Parameters
    ----------
    path
        The event's `rawPath`.

    Returns
    -------
    The name as it is stored: in Unicode's composed form, without spaces around it.

    Raises
    ------
    Problem
        It is no valid name.
    """
    encoded = path.partition("/companies/")[2]
    name = unicodedata.normalize("NFC", unquote(encoded).replace("%3F", "?").strip())
    if not is_name(name):
        raise invalid(FieldError("name", NAME_EXPECTED))
    return name
