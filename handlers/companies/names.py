"""Names of companies in paths of requests, and of their pages."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from handlers.common.problems import FieldError, invalid
from schema.names import COMPANY_NAME_EXPECTED, normalise_company_name


def name_in_path(path: str, normalise: Callable[[str], str] = normalise_company_name) -> str:
    """Read a company's name from the path of a request.

    API Gateway decodes the path before it chooses the route, `%2F` to a slash included, but leaves `%25` as it is
    (`rawPath` of payload format 2.0). Therefore the route is greedy, and everything after `/companies/` is the name.
    API Gateway also cuts a path at a question mark that is written `%3F`, so clients write `%253F`.

    Parameters
    ----------
    path
        The event's `rawPath`.
    normalise
        Brings a name into the form in which it is stored; `stored_company_name` for companies that exist.

    Returns
    -------
    The name as it is stored.

    Raises
    ------
    Problem
        It is not a valid name.
    """
    encoded = path.partition("/companies/")[2]
    try:
        return normalise(unquote(encoded).replace("%3F", "?"))
    except ValueError:
        raise invalid(FieldError("name", COMPANY_NAME_EXPECTED)) from None


def checked_page(page: str | None) -> str | None:
    """Bring the title of a company's page into the form in which it is stored; None stays None.

    Raises
    ------
    Problem
        It is not a valid title.
    """
    try:
        return None if page is None else normalise_company_name(page)
    except ValueError:
        raise invalid(FieldError("page", COMPANY_NAME_EXPECTED)) from None
