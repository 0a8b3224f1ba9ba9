"""Many changes of the list of companies in one request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, NamedTuple

import msgspec
from botocore.exceptions import ClientError

from handlers.common.problems import FieldError, invalid
from handlers.common.times import utc_now
from handlers.companies.models import (
    AddCompany,
    Change,
    ChangeResult,
    PutCompany,
    RemoveCompany,
    RenameCompany,
    Result,
)
from schema.companies import ADDED_AT, ADDED_BY, COMPANY_KEY, PAGE
from schema.dynamodb import TypedItem, decode, encode
from schema.limits import DYNAMODB_TRANSACTION_ACTIONS
from schema.names import COMPANY_NAME_EXPECTED, normalise_company_name, stored_company_name
from schema.retry import Backoff, attempts

# Two changes of a company at the same time would have no order.
COMPANY_ONCE = "a company that is in no other change"
_NAME = {"#name": COMPANY_KEY}
_CONDITION_FAILED = "ConditionalCheckFailed"
_UNREAD = Backoff(attempts=5, first_seconds=0.05, longest_seconds=0.5)
# Made at import; its threads start when they are needed.
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="change")


class _Plan(NamedTuple):
    """What a change does to the table.

    Attributes
    ----------
    result
        What became of the change, when all actions are done.
    actions
        Actions of a transaction; none where there is nothing to do.
    refused
        What became of it when the condition of an action does not hold, by action: somebody else was faster.
    """

    result: Result
    actions: tuple[dict[str, Any], ...] = ()
    refused: tuple[Result, ...] = ()


class CompanyChanges:
    """Changes many companies.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    table
        Name of the table of companies.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def make(self, sent: Sequence[Change], caller: str) -> list[ChangeResult]:
        """Make changes; none of them when one is wrong.

        All are one transaction, which is a single call. When somebody else changes one of the companies meanwhile, the
        transaction is cancelled and each change is made by itself.

        Parameters
        ----------
        sent
            At most 100, as they were sent. A repeated call does no harm.
        caller
            Who adds those that are new.

        Returns
        -------
        What became of each, in their order.

        Raises
        ------
        Problem
            Names or pages are wrong, or a company is in several changes; all errors are named.
        """
        changes = checked(sent)
        known = self._read([change.name for change in changes])
        plans = [self._plan(change, known.get(change.name), caller) for change in changes]
        results = self._make_together(plans) or self._make_each(plans)
        return [ChangeResult(change.name, result) for change, result in zip(changes, results, strict=True)]

    def _read(self, names: list[str]) -> dict[str, TypedItem]:
        found: dict[str, TypedItem] = {}
        unread = [encode({COMPANY_KEY: name}) for name in names]
        for _ in attempts(_UNREAD):
            answer = self._dynamodb.batch_get_item(RequestItems={self._table: {"Keys": unread, "ConsistentRead": True}})
            found |= {item[COMPANY_KEY]["S"]: item for item in answer["Responses"].get(self._table, [])}
            unread = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not unread:
                return found
        raise TimeoutError(f"{len(unread)} companies could not be read")

    def _plan(self, change: Change, known: TypedItem | None, caller: str) -> _Plan:
        match change:
            case AddCompany():
                if known:
                    return _Plan("unchanged")
                added = {ADDED_AT: utc_now(), ADDED_BY: caller}
                item = encode({COMPANY_KEY: change.name, PAGE: change.page, **added})
                return _Plan("added", (self._put(item),), ("unchanged",))
            case PutCompany():
                if known and decode(known).get(PAGE) == change.page:
                    return _Plan("unchanged")
                return _Plan("updated" if known else "added", (self._set_page(change, None if known else caller),))
            case RemoveCompany():
                return _Plan("removed", (self._delete(change.name),), ("missing",)) if known else _Plan("missing")
            case RenameCompany():
                if not known or change.new_name == change.name:
                    return _Plan("unchanged" if known else "missing")
                renamed = known | encode({COMPANY_KEY: change.new_name})
                return _Plan("renamed", (self._put(renamed), self._delete(change.name)), ("taken", "missing"))

    def _put(self, item: TypedItem) -> dict[str, Any]:
        condition = {"ConditionExpression": "attribute_not_exists(#name)", "ExpressionAttributeNames": _NAME}
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def _delete(self, name: str) -> dict[str, Any]:
        condition = {"ConditionExpression": "attribute_exists(#name)", "ExpressionAttributeNames": _NAME}
        return {"Delete": {"TableName": self._table, "Key": encode({COMPANY_KEY: name}), **condition}}

    def _set_page(self, change: PutCompany, adder: str | None) -> dict[str, Any]:
        """Set a company's page; with an adder, it is new."""
        changes = ["#added_at = if_not_exists(#added_at, :now)"]
        changes += ["#added_by = if_not_exists(#added_by, :adder)"] if adder else []
        changes += ["#page = :page"] if change.page else []
        return {
            "Update": {
                "TableName": self._table,
                "Key": encode({COMPANY_KEY: change.name}),
                "UpdateExpression": f"SET {', '.join(changes)}{'' if change.page else ' REMOVE #page'}",
                "ExpressionAttributeNames": {
                    "#added_at": ADDED_AT,
                    "#page": PAGE,
                    **({"#added_by": ADDED_BY} if adder else {}),
                },
                "ExpressionAttributeValues": encode({":now": utc_now(), ":page": change.page, ":adder": adder}),
            }
        }

    def _make_together(self, plans: list[_Plan]) -> list[Result] | None:
        """Make all changes in one transaction; None when there are too many actions or it is cancelled."""
        actions = [action for plan in plans for action in plan.actions]
        if len(actions) > DYNAMODB_TRANSACTION_ACTIONS:
            return None
        try:
            if actions:
                self._dynamodb.transact_write_items(TransactItems=actions)
        except ClientError as error:
            if not _reasons(error):
                raise
            return None
        return [plan.result for plan in plans]

    def _make_each(self, plans: list[_Plan]) -> list[Result]:
        """Make each change in a transaction of its own, several at once."""
        results = [_threads.submit(self._make_one, plan) for plan in plans]
        wait(results)  # Lambda halts the process after the answer: no write may be under way then
        return [result.result() for result in results]

    def _make_one(self, plan: _Plan) -> Result:
        try:
            if plan.actions:
                self._dynamodb.transact_write_items(TransactItems=list(plan.actions))
        except ClientError as error:
            for reason, refused in zip(_reasons(error), plan.refused, strict=False):
                if reason == _CONDITION_FAILED:
                    return refused
            raise
        return plan.result


def _reasons(error: ClientError) -> list[str]:
    """List why a transaction was cancelled, by action; empty for other errors."""
    return [reason.get("Code", "") for reason in error.response.get("CancellationReasons", [])]


def checked(sent: Sequence[Change]) -> list[Change]:
    """Bring changes into the form in which their names are stored.

    Raises
    ------
    Problem
        Names or pages are wrong, or a company is in several changes; all errors are named.
    """
    checks = _Checks()
    changes = [checks.check(change, f"changes[{number}]") for number, change in enumerate(sent)]
    if checks.errors:
        raise invalid(*checks.errors)
    return changes


class _Checks:
    """Checks changes one after the other.

    Attributes
    ----------
    errors
        All fields that are wrong.
    """

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._seen: set[str] = set()

    def check(self, change: Change, place: str) -> Change:
        """Check a change; returns it as it is stored."""
        if isinstance(change, (AddCompany, PutCompany)):
            change = msgspec.structs.replace(change, page=self._page(change.page, f"{place}.page"))
            name = self._name(change.name, f"{place}.name", normalise_company_name)
        else:
            name = self._name(change.name, f"{place}.name", stored_company_name)
        if isinstance(change, RenameCompany):
            new_name = self._name(change.new_name, f"{place}.new_name", normalise_company_name, other_than=name)
            return RenameCompany(name, new_name)
        return msgspec.structs.replace(change, name=name)

    def _page(self, text: str | None, field: str) -> str | None:
        try:
            return None if text is None else normalise_company_name(text)
        except ValueError:
            self._refuse(field, COMPANY_NAME_EXPECTED)
            return text

    def _name(self, text: str, field: str, normalise: Callable[[str], str], other_than: str = "") -> str:
        try:
            name = normalise(text)
        except ValueError:
            self._refuse(field, COMPANY_NAME_EXPECTED)
            return text
        if name in self._seen and name != other_than:
            self._refuse(field, COMPANY_ONCE)
        self._seen.add(name)
        return name

    def _refuse(self, field: str, expected: str) -> None:
        self.errors.append(FieldError(field, expected))
