"""Idempotent POST requests: with the header `Idempotency-Key`, a repeated request is carried out once.

The first request with a key claims it and records the id of what it will create. A repeated request gets the same
answer; a simultaneous one waits for that answer. If the first request was lost half-way because its function ended, a
later one takes over the claim after some time and continues with the same id. All writes are keyed by that id, so
nothing is created twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Callable

import msgspec

from handlers.api.support.answers import JSON, PROBLEM_JSON, Answer, problem_answer
from handlers.api.support.requests import Request
from handlers.common.ids import new_id
from handlers.common.problems import Problem
from handlers.common.table import ABSENT, Item, RefusedError, Table, keyed
from schema.projects import EXPIRES, idempotency_key

HEADER = "idempotency-key"
KEEP_SECONDS = 24 * 3600
# Longer than any function behind an HTTP API runs, at most 30 seconds: a function with an older claim has ended.
CLAIM_SECONDS = 40
# A request that was not lost has its answer within moments, so waiting is worth while; functions have 15 s or more.
WAIT_SECONDS = 8
_POLL_SECONDS = 0.1
# Condition: the item is still the one of that request.
_UNCHANGED = "#id = :id AND #claimed_until = :claimed_until AND attribute_not_exists(#status)"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class _Claim:
    """A key that this request has claimed."""

    def __init__(self, table: Table, item: Item) -> None:
        self._table = table
        self._item = item
        self.id: str = item["id"]

    def finish(self, given: Answer) -> None:
        """Store the answer."""
        headers = msgspec.json.encode(given.headers).decode()
        self._replace({"status": given.status, "body": given.body, "headers": headers})

    def hand_back(self) -> None:
        """Let the next request with this key continue at once, with the same id."""
        self._replace({"claimed_until": 0})

    def forget(self) -> None:
        """Let the next request with this key start afresh."""
        self._replace({EXPIRES: int(time.time()) - 1})

    def _replace(self, changes: Item) -> None:
        claimed = {name: self._item[name] for name in ("id", "claimed_until")}
        # The write is refused where a later request has taken over: then that request stores its answer.
        with contextlib.suppress(RefusedError):
            self._table.put({**self._item, **changes}, _UNCHANGED, claimed)


def once(
    table: Table, request: Request, body: msgspec.Struct, create: Callable[[str], Answer], keep_answer: bool = True
) -> Answer:
    """Carry out a POST request, once per idempotency key.

    Parameters
    ----------
    table
        Where keys are remembered, for 24 hours.
    request
        The request.
    body
        Its body.
    create
        Carries out the request, given the id of what to create. It may be called again with the same id.
    keep_answer
        Answer a repeated request with the first answer; otherwise `create` is called again, with the same id.

    Raises
    ------
    Problem
        The key is malformed, belongs to another request, or that request takes longer than usual.
    """
    if not request.has_header(HEADER):
        return create(new_id())
    key = request.header(HEADER)
    if not _KEY.fullmatch(key):
        raise Problem("malformed-request", "Idempotency-Key: 1 to 255 visible characters of ASCII were expected.")
    claim = _claim(table, request, body, key)
    if isinstance(claim, Answer):
        return claim
    try:
        given = create(claim.id)
    except Problem as problem:
        if problem.recorded:
            claim.finish(problem_answer(problem))
        else:
            claim.forget()
        raise
    except Exception:
        # A service failed, or this program: the next request continues where this one stopped.
        with contextlib.suppress(Exception):
            claim.hand_back()
        raise
    if keep_answer:
        claim.finish(given)
    else:
        claim.hand_back()
    return given


def _claim(table: Table, request: Request, body: msgspec.Struct, key: str) -> _Claim | Answer:
    """Claim a key; returns the stored answer where there is one now or within moments."""
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        now = int(time.time())
        item = _item(request, body, key, now)
        try:
            table.put(item, f"{ABSENT} OR #{EXPIRES} <= :now", {"now": now})
            return _Claim(table, item)
        except RefusedError as error:
            known = error.refused[0]
        if known.get("claim") == item["claim"]:
            return _Claim(table, item)  # only the answer to an earlier attempt was lost
        if known["request_hash"] != item["request_hash"]:
            raise Problem("idempotency-key-in-use", "The key was used for another request. Choose a new one.")
        if "status" in known:
            return _repeated(known)
        if known["claimed_until"] <= now and (claim := _take_over(table, known, {**item, "id": known["id"]})):
            return claim
        if time.monotonic() >= give_up:
            raise _at_work(max(1, known["claimed_until"] - now))
        time.sleep(_POLL_SECONDS)


def _item(request: Request, body: msgspec.Struct, key: str, now: int) -> Item:
    return {
        **keyed(idempotency_key(request.caller, request.route, key)),
        "id": new_id(),
        "claim": new_id(),
        "request_hash": _hash(request, body),
        "claimed_until": now + CLAIM_SECONDS,
        EXPIRES: now + KEEP_SECONDS,
    }


def _take_over(table: Table, known: Item, item: Item) -> _Claim | None:
    """Claim a key that a lost request holds; None where another request was faster."""
    try:
        table.put(item, _UNCHANGED, {name: known[name] for name in ("id", "claimed_until")})
    except RefusedError as error:
        if error.refused[0].get("claim") != item["claim"]:
            return None
    return _Claim(table, item)


def _at_work(seconds: int) -> Problem:
    return Problem("idempotency-key-in-use", "The first request with this key is being worked on.", retry_after=seconds)


def _repeated(known: Item) -> Answer:
    content_type = PROBLEM_JSON if known["status"] >= 400 else JSON
    return Answer(known["status"], known["body"], msgspec.json.decode(known["headers"]), content_type)


def _hash(request: Request, body: msgspec.Struct) -> str:
    """Hash a request by its path parameters and the meaning of its body, whatever its spelling."""
    content = msgspec.json.encode([request.path_parameters, body], order="sorted")
    return hashlib.sha256(content).hexdigest()
