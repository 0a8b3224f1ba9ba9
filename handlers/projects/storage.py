"""What documents hold of the quotas of their creators: bytes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from handlers.common.problems import Problem
from handlers.common.quotas import day_expiry, day_of, over_daily_quota, over_quota, room
from handlers.common.table import Item, RefusedError, Table
from schema.projects import DOCUMENT_VERSION, PARTITION_KEY, SORT_KEY, Key
from schema.quotas import BYTES, UPLOADED, Quotas, day_key, held_key
from schema.retry import Backoff

# Uploads and deletions of one user change the same counter, and get in each other's way.
PATIENT = Backoff(attempts=12, first_seconds=0.05, longest_seconds=1)
# Attribute of a document's item: why its content was removed.
REFUSED = "refused"
_FREE_ROOM = "Delete documents, or ask whoever runs this stack for more."


class StoredBytes:
    """Counts the bytes of the documents that a user has uploaded.

    A document's bytes count from its upload to its deletion. What is over a quota when it arrives is removed again.

    Parameters
    ----------
    table
        The documents table.
    quotas
        The quotas.
    clock
        Returns the present time in seconds since 1970.
    """

    def __init__(self, table: Table, quotas: Quotas, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._quotas = quotas
        self._clock = clock

    def keys(self, user: str) -> list[Key]:
        """Keys of the items from which `left` tells what is left."""
        return [held_key(user), day_key(user, day_of(self._clock()))]

    def left(self, held: Item | None, day: Item | None) -> int:
        """Tell how many bytes a user may upload.

        Raises
        ------
        Problem
            There are none left.
        """
        quotas = self._quotas
        stored, uploaded = (held or {}).get(BYTES, 0), (day or {}).get(UPLOADED, 0)
        if stored >= quotas.stored_bytes:
            raise over_quota("stored_bytes", quotas.stored_bytes, stored, _FREE_ROOM)
        if uploaded >= quotas.uploaded_bytes_per_day:
            raise over_daily_quota("uploaded_bytes_per_day", quotas.uploaded_bytes_per_day, uploaded, self._clock())
        return min(quotas.stored_bytes - stored, quotas.uploaded_bytes_per_day - uploaded)

    def count(self, document: Item, version: str, size: int) -> Problem | None:
        """Count the upload that is a document's content, once however often it is reported.

        Parameters
        ----------
        document
            Item of the document.
        version
            Version of the object that the upload made.
        size
            Its bytes.

        Returns
        -------
        None where it counts, otherwise the quota that has no room for it.

        Raises
        ------
        RefusedError
            The document is deleted, or has another content; `refused[0]` is its item.
        """
        now, user, quotas = self._clock(), document["created_by"], self._quotas
        is_first = f"attribute_exists({PARTITION_KEY}) AND attribute_not_exists(#{DOCUMENT_VERSION})"
        actions = [
            self._table.update_action(_key_of(document), {DOCUMENT_VERSION: version, BYTES: size}, is_first),
            self._table.increase_action(held_key(user), {BYTES: size}, *room(BYTES, quotas.stored_bytes, size)),
            self._table.increase_action(
                day_key(user, day_of(now)),
                {UPLOADED: size},
                *room(UPLOADED, quotas.uploaded_bytes_per_day, size),
                day_expiry(now),
            ),
        ]
        try:
            self._table.transact(actions, PATIENT)
        except RefusedError as error:
            refused = error.refused
            if 0 in refused:
                raise
        else:
            return None
        if 1 in refused:
            return over_quota("stored_bytes", quotas.stored_bytes, refused[1].get(BYTES, 0), _FREE_ROOM)
        used = refused[2].get(UPLOADED, 0)
        return over_daily_quota("uploaded_bytes_per_day", quotas.uploaded_bytes_per_day, used, now)

    def refuse(self, document: Item, reason: str) -> None:
        """Note at a document why its content was removed, for whoever lists it."""
        with contextlib.suppress(RefusedError):  # it is deleted
            self._table.update(_key_of(document), {REFUSED: reason}, f"attribute_exists({PARTITION_KEY})")

    def delete(self, document: Item) -> bool:
        """Delete a document's item, and count its bytes no longer.

        Returns
        -------
        Whether it was there.
        """
        size = document.get(BYTES)
        # Its content may have been counted since it was read.
        is_same = f"attribute_exists({PARTITION_KEY}) AND " + (
            f"attribute_not_exists(#{BYTES})" if size is None else f"#{BYTES} = :bytes"
        )
        actions = [self._table.delete_action(_key_of(document), is_same, {} if size is None else {"bytes": size})]
        if size:
            actions.append(self._table.increase_action(held_key(document["created_by"]), {BYTES: -size}))
        try:
            self._table.transact(actions, PATIENT)
        except RefusedError as error:
            changed = error.refused[0]
            return self.delete(changed) if changed else False
        return True


def _key_of(item: Item) -> Key:
    return item[PARTITION_KEY], item[SORT_KEY]
