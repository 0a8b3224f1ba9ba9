"""Many changes of the list of companies in one request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

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
from schema.companies import COMPANY_KEY, PAGE
from schema.dynamodb import TypedItem, decode, encode
from schema.names import COMPANY_NAME_EXPECTED, is_company_name, normalise_company_name, stored_company_name
from schema.retry import Backoff, attempts

# Two changes of a company at the same time would have no order.
COMPANY_ONCE = "a company that is in no other change"
_ADDED_AT = "added_at"
_NAME = {"#name": COMPANY_KEY}
_CONDITION_FAILED = "ConditionalCheckFailed"
_UNREAD = Backoff(attempts=5, first_seconds=0.05, longest_seconds=0.5)
# Made at import; its threads start when they are needed.
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="change")


class CompanyChanges:
    """Changes companies, several at once.

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

    def make(self, sent: Sequence[Change]) -> list[ChangeResult]:
        """Make changes; none of them when one is wrong.

        Parameters
        ----------
        sent
            At most 100, as they were sent. A repeated call does no harm.

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
        results = [_threads.submit(self._make, change, known.get(change.name)) for change in changes]
        wait(results)  # Lambda halts the process after the answer: no write may be under way then
        return [ChangeResult(change.name, result.result()) for change, result in zip(changes, results, strict=True)]

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

    def _make(self, change: Change, known: TypedItem | None) -> Result:
        match change:
            case AddCompany():
                return "unchanged" if known else self._add(change)
            case PutCompany():
                return "unchanged" if known and _page(known) == change.page else self._put(change)
            case RemoveCompany():
                return self._remove(change.name) if known else "missing"
            case RenameCompany():
                return self._rename(change, known) if known else "missing"

    def _add(self, change: AddCompany) -> Result:
        item = encode({COMPANY_KEY: change.name, PAGE: change.page, _ADDED_AT: utc_now()})
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item, **_absent())
        except ClientError as error:
            if not error.response["Error"]["Code"].startswith(_CONDITION_FAILED):
                raise
            return "unchanged"  # somebody else was faster
        return "added"

    def _put(self, change: PutCompany) -> Result:
        update = "SET #added_at = if_not_exists(#added_at, :now)"
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key=encode({COMPANY_KEY: change.name}),
            UpdateExpression=f"{update}, #page = :page" if change.page else f"{update} REMOVE #page",
            ExpressionAttributeNames={"#added_at": _ADDED_AT, "#page": PAGE},
            ExpressionAttributeValues=encode({":now": utc_now(), ":page": change.page}),
            ReturnValues="ALL_OLD",
        )
        old = answer.get("Attributes")
        if not old:
            return "added"
        return "unchanged" if _page(old) == change.page else "updated"

    def _remove(self, name: str) -> Result:
        answer = self._dynamodb.delete_item(
            TableName=self._table, Key=encode({COMPANY_KEY: name}), ReturnValues="ALL_OLD"
        )
        return "removed" if answer.get("Attributes") else "missing"

    def _rename(self, change: RenameCompany, known: TypedItem) -> Result:
        if change.new_name == change.name:
            return "unchanged"
        put = {"TableName": self._table, "Item": known | encode({COMPANY_KEY: change.new_name}), **_absent()}
        delete = {
            "TableName": self._table,
            "Key": encode({COMPANY_KEY: change.name}),
            "ConditionExpression": "attribute_exists(#name)",
            "ExpressionAttributeNames": _NAME,
        }
        try:
            self._dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"Delete": delete}])
        except ClientError as error:
            reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if _CONDITION_FAILED not in reasons:
                raise
            return "taken" if reasons[0] == _CONDITION_FAILED else "missing"
        return "renamed"


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
            if change.page is not None and not is_company_name(change.page):
                self._refuse(f"{place}.page", COMPANY_NAME_EXPECTED)
            name = self._name(change.name, f"{place}.name", normalise_company_name)
        else:
            name = self._name(change.name, f"{place}.name", stored_company_name)
        if isinstance(change, RenameCompany):
            new_name = self._name(change.new_name, f"{place}.new_name", normalise_company_name, other_than=name)
            return RenameCompany(name, new_name)
        return msgspec.structs.replace(change, name=name)

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


def _page(item: TypedItem) -> str | None:
    return decode(item).get(PAGE)


def _absent() -> dict[str, Any]:
    """Condition of a write: there is no such company."""
    return {"ConditionExpression": "attribute_not_exists(#name)", "ExpressionAttributeNames": _NAME}
