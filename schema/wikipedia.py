"""Limits of Wikipedia's Action API, and the table item in which the functions of a stack share them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

# Pages per request, and introductions per request of `prop=extracts`, for clients without higher rights.
# https://www.mediawiki.org/wiki/API:Query, https://www.mediawiki.org/wiki/Extension:TextExtracts
PAGES_PER_REQUEST = 50
TEXTS_PER_REQUEST = 20
# Requests per minute of one operator, over all of Wikimedia's APIs, without and with a contact in the User-Agent, and
# requests at once. https://www.mediawiki.org/wiki/Wikimedia_APIs/Rate_limits
REQUESTS_PER_MINUTE = 10
REQUESTS_PER_MINUTE_WITH_CONTACT = 200
REQUESTS_AT_ONCE = 3
# Longest title in bytes of UTF-8. https://en.wikipedia.org/wiki/Wikipedia:Page_name#Technical_restrictions_and_limitations
TITLE_BYTES = 255
# A contact is sent in an HTTP header, inside parentheses.
CONTACT_PATTERN = r"[ -'*-~]{1,200}"
# Titles listed of a page with several meanings.
CANDIDATES = 10

# Table of the request budget: partition key, and the key of its only item.
BUDGET_KEY = "name"
BUDGET_ITEM = "text-source"

# A batch holds up to 50 companies; batches that are not full and pages that changed need more requests than 1 / 50.
REQUESTS_PER_COMPANY = 0.05


def is_wikipedia(url: str | None) -> bool:
    """Tell whether a text source is Wikipedia; it is if no address is given."""
    return url is None or (urlsplit(url).hostname or "").endswith(".wikipedia.org")


def first_contact(addresses: Iterable[str | None]) -> str | None:
    """Choose the contact that the text source is given: the first address that can be sent."""
    return next((one for one in addresses if one and re.fullmatch(CONTACT_PATTERN, one)), None)


def burst(per_minute: int) -> int:
    """Return the number of requests that may follow each other at once: a tenth of the limit, at least one."""
    return max(1, per_minute // 10)


def seconds_per_request(per_minute: int) -> float:
    """Return the seconds after which another request may be made, on average.

    Nine tenths of the limit become free in a minute. With a burst at its beginning, no minute has more than the limit.
    """
    return 60 / (0.9 * per_minute)


def companies_that_fit(per_minute: int, interval_seconds: float) -> int:
    """Return the number of companies that can be looked at in each interval, if few of their pages change."""
    return round(interval_seconds / seconds_per_request(per_minute) / REQUESTS_PER_COMPANY)


def seconds_for(companies: int, per_minute: int) -> float:
    """Return the seconds in which so many companies can be looked at, if few of their pages change."""
    return companies * REQUESTS_PER_COMPANY * seconds_per_request(per_minute)
