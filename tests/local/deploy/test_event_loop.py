"""The event loops of a deployment: one per thread, closed at the end, silent about errors that were raised already."""

from __future__ import annotations

import asyncio

import pytest

from local.deploy.event_loop import event_loops


def test_every_thread_has_a_loop_and_all_are_closed() -> None:
    asyncio.run(asyncio.sleep(0))  # leaves this thread without a current loop
    with event_loops():
        mine = asyncio.get_event_loop()
        workers = mine.run_until_complete(mine.run_in_executor(None, asyncio.get_event_loop))
        assert not mine.is_closed()
        assert not workers.is_closed()
    assert workers is not mine
    assert mine.is_closed()
    assert workers.is_closed()


def test_loops_are_closed_after_an_error() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    def fail() -> None:
        with event_loops():
            loops.append(asyncio.get_event_loop())
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert [loop.is_closed() for loop in loops] == [True]


def test_failed_futures_that_nobody_awaits_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with event_loops():
        failed = asyncio.get_event_loop().create_future()
        failed.set_exception(ValueError("raised elsewhere"))
    del failed
    assert caplog.messages == []
