"""The event loops that Pulumi's SDK works in when no engine starts it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


@contextmanager
def event_loops() -> Iterator[None]:
    """Give this thread and Pulumi's worker threads an event loop each, and close all of them at the end.

    Pulumi uses a thread's current loop. In its worker threads it makes loops, which it never closes: they show as
    resource warnings much later. In the main thread it fails if an earlier `asyncio.run` left no current loop. This
    thread must not run a loop already.
    """
    loops: list[asyncio.AbstractEventLoop] = []

    def ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
        """Report nothing: the program's error is raised, and all outputs that wait for the resource fail with it."""

    def start_worker() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loops.append(loop)

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(ignore)
        loop.set_default_executor(ThreadPoolExecutor(initializer=start_worker))
        try:
            yield
        finally:
            runner.close()  # ends the worker threads
            for worker_loop in loops:
                worker_loop.close()
