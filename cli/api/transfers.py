"""Run several transfers at a time: each may fail alone, and Ctrl-C ends all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from cli.ui.errors import CliError

# Enough to fill a usual connection; more would slow down each transfer.
TRANSFERS = 4
# How much is read and written at a time.
CHUNK_BYTES = 64 * 1024
# How long transfers may take to end at Ctrl-C.
ENDING_S = 3.0
EXIT_SOME_FAILED = 3

Item = TypeVar("Item")
Result = TypeVar("Result")


class StoppedError(Exception):
    """The user has ended all transfers."""


class Stop:
    """Tells transfers in other threads to end."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def now(self) -> None:
        """Have all of them end."""
        self._event.set()

    def check(self) -> None:
        """Raise StoppedError when it is time to end."""
        if self._event.is_set():
            raise StoppedError

    def sleep(self, seconds: float) -> None:
        """Wait; raise StoppedError when it is time to end."""
        if self._event.wait(seconds):
            raise StoppedError


def transfer_all(
    items: Sequence[Item], transfer: Callable[[Item], Result], stop: Stop, at_once: int = TRANSFERS
) -> list[Result | CliError]:
    """Transfer items, several at a time.

    Parameters
    ----------
    items : sequence
        What to transfer.
    transfer : callable
        Transfers one; raises CliError when it fails, and asks `stop` at times.
    stop : Stop
        Is told when the user presses Ctrl-C.
    at_once : int
        How many at a time.

    Returns
    -------
    list
        For each item what became of it, in their order.
    """
    futures: list[Future[Result]] = [Future() for _ in items]
    waiting: SimpleQueue[tuple[Item, Future[Result]]] = SimpleQueue()
    for pair in zip(items, futures, strict=True):
        waiting.put(pair)
    # Daemons: a transfer that hangs in the network must not keep the process from ending.
    threads = [Thread(target=_work, args=(waiting, transfer), daemon=True) for _ in range(min(at_once, len(items)))]
    for thread in threads:
        thread.start()
    try:
        return [_outcome(future) for future in futures]
    except BaseException:
        stop.now()
        deadline = time.monotonic() + ENDING_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        raise


def _work(waiting: SimpleQueue[tuple[Item, Future[Result]]], transfer: Callable[[Item], Result]) -> None:
    while True:
        try:
            item, future = waiting.get_nowait()
        except Empty:
            return
        try:
            future.set_result(transfer(item))
        except BaseException as error:  # raised again where the outcomes are gathered
            future.set_exception(error)


def _outcome(future: Future[Result]) -> Result | CliError:
    try:
        return future.result()
    except CliError as error:
        return error
