"""Names of companies in paths of requests."""

from __future__ import annotations

from urllib.parse import unquote

from handlers.common.problems import FieldError, invalid
from schema.names import COMPANY_NAME_EXPECTED, normalise_company_name


def name_in_path(path: str) -> str:
    """Read a company's name from the path of a request.

    API Gateway decodes the path before it chooses the route, `%2F` to a slash included, but leaves `%25` as it is
    (`rawPath` of payload format 2.0). Therefore the route is greedy, and everything after `/companies/` is the name.
    API Gateway also cuts a path at a question mark that is written `%3F`, so clients write `%253F`.

    Parameters
    ----------
    path
        The event's `rawPath`.

    Returns
    -------
    The name as it is stored; see `normalise_company_name`.

    Raises
    ------
    Problem
        It is not a valid name.
    """
    encoded = path.partition("/companies/")[2]
    try:
        return normalise_company_name(unquote(encoded).replace("%3F", "?"))
    except ValueError:
        raise invalid(FieldError("name", COMPANY_NAME_EXPECTED)) from None
