"""The companies that are watched, read and changed over the HTTP API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from cli.api.transfers import Stop, transfer_all
from cli.ui.errors import CliError
from cli.ui.text import counted
from schema.limits import COMPANY_CHANGES, PAGE_COMPANIES

if TYPE_CHECKING:
    from cli.api.client import Api

Change = dict[str, str]


class Company(msgspec.Struct, omit_defaults=True):
    """A company that is watched.

    Attributes
    ----------
    name : str
        Its name, unique.
    page : str or None
        Title of its page on Wikipedia, when that differs from the name.
    added_at : str or None
        When it was added, ISO 8601 in UTC.
    """

    name: str
    page: str | None = None
    added_at: str | None = None


class CompanyList:
    """The companies of a deployment.

    Parameters
    ----------
    api : Api
    stop : Stop
        Ends requests in other threads at Ctrl-C.
    """

    def __init__(self, api: Api, stop: Stop):
        self._api = api
        self._stop = stop

    def all(self) -> list[Company]:
        """Read every company, ordered by name."""
        pages = self._api.pages("companies", "companies", latest="false", limit=str(PAGE_COMPANIES))
        found = msgspec.convert(list(pages), list[Company])
        return sorted(found, key=lambda company: (company.name.casefold(), company.name))

    def add(self, companies: Sequence[Company], finished: Callable[[int], None]) -> None:
        """Add companies; one that is there stays as it is.

        Parameters
        ----------
        companies : sequence of Company
            No name twice.
        finished : callable
            Called, from any thread, with the number of companies just added.

        Raises
        ------
        CliError
            When the API refuses or is not reachable. What was done stays done.
        """
        self._change([_adding(company) for company in companies], finished)

    def remove(self, names: Sequence[str], finished: Callable[[int], None]) -> None:
        """Remove companies by name, as `add` adds them."""
        self._change([{"action": "remove", "name": name} for name in names], finished)

    def rename(self, old: str, new: str) -> str:
        """Rename a company.

        Returns
        -------
        str
            `renamed`; or why nothing was changed: `missing`, `taken` or `unchanged`.
        """
        change = {"action": "rename", "name": old, "new_name": new}
        # Not repeated when its answer is lost: a second request would answer `missing`.
        return self._api.post("companies", body={"changes": [change]})["results"][0]["result"]

    def _change(self, changes: Sequence[Change], finished: Callable[[int], None]) -> None:
        chunks = [changes[start : start + COMPANY_CHANGES] for start in range(0, len(changes), COMPANY_CHANGES)]
        failed = threading.Event()

        def send(chunk: Sequence[Change]) -> None:
            if failed.is_set():
                raise _NotSentError("not sent, as another request had failed")
            try:
                self._send(chunk)
            except CliError:
                failed.set()
                raise
            finished(len(chunk))

        outcomes = transfer_all(chunks, send, self._stop)
        left = [chunk for chunk, outcome in zip(chunks, outcomes, strict=True) if isinstance(outcome, CliError)]
        errors = [outcome for outcome in outcomes if isinstance(outcome, CliError)]
        if not errors:
            return
        reason = next(error for error in errors if not isinstance(error, _NotSentError))
        if len(errors) == len(chunks):
            raise reason
        raise CliError(
            f"{sum(map(len, left)):,} of {counted(len(changes), 'change')} not made: {reason.message.rstrip('.')}. "
            "What was done stays done: run the command again."
        )

    def _send(self, chunk: Sequence[Change]) -> None:
        from cli.api.errors import ApiError

        try:
            self._api.post("companies", body={"changes": chunk}, repeatable=True)
        except ApiError as error:
            names = {
                f"changes[{number}].{field}": repr(text)
                for number, change in enumerate(chunk)
                for field, text in change.items()
            }
            raise error.with_option_names(names) from None


class _NotSentError(CliError):
    """A request was not sent, as another one had failed."""


def _adding(company: Company) -> Change:
    change = {"action": "add", "name": company.name}
    return {**change, "page": company.page} if company.page else change
