"""How ministack waits for what a function logged, made as quick as Lambda is.

Ministack's workers do not say where an invocation's log ends. It waits until a worker has been silent for 5 ms, and
for 50 ms where the function logs nothing, before it passes on the answer. Here a worker writes a mark behind the log of
each invocation, and nobody waits.
"""

from __future__ import annotations

import queue
import secrets
from collections.abc import Callable
from typing import Any

# Another one in each embedded AWS, so that no function writes it by chance.
MARK = f"\x1e{secrets.token_hex(16)}"
# Where a worker ended in the middle of an invocation, there is no mark.
_LONGEST_WAIT_SECONDS = 0.25
# The last lines of a worker's loop, after which it waits for the next invocation.
_END_OF_LOOP = """traceback.format_exc()}) + "\\n")
        _real_stdout.flush()
"""
_MARKED_END_OF_LOOP = f"""traceback.format_exc()}}) + "\\n")
        sys.__stderr__.write({MARK!r} + "\\n")
        sys.__stderr__.flush()
        _real_stdout.flush()
"""


def install() -> None:
    """Have Python workers mark the end of each invocation's log, and read it up to there."""
    from ministack.core import lambda_runtime

    runtime: Any = lambda_runtime
    runtime._PYTHON_WORKER_SCRIPT = marked(lambda_runtime._PYTHON_WORKER_SCRIPT)
    runtime.Worker._drain_stderr_bounded = _draining_with(lambda_runtime.Worker._drain_stderr_bounded)


def marked(script: str) -> str:
    """Return the program of a worker that writes the mark.

    Parameters
    ----------
    script
        Ministack's program.

    Raises
    ------
    ValueError
        It is not the program that is known here.
    """
    if script.count(_END_OF_LOOP) != 1:
        raise ValueError("Ministack's Lambda worker has changed: its loop does not end as it did.")
    return script.replace(_END_OF_LOOP, _MARKED_END_OF_LOOP)


def read_log(lines: queue.Queue[str], wait_seconds: float = _LONGEST_WAIT_SECONDS) -> str:
    """Take the log of an invocation that has ended.

    Parameters
    ----------
    lines
        What the worker wrote, without ends of lines.
    wait_seconds
        How long to wait for a line; without the mark, the log ends there.
    """
    log: list[str] = []
    while True:
        try:
            line = lines.get(timeout=wait_seconds)
        except queue.Empty:
            break
        if line.endswith(MARK):
            log += [line.removesuffix(MARK)] if line != MARK else []  # the function's last line had no end
            break
        log.append(line)
    return "\n".join(log)


def _draining_with(drain: Callable[..., str]) -> Callable[..., str]:
    def drain_stderr_bounded(worker: Any, *waits: float, **named_waits: float) -> str:
        if worker.config.get("Runtime", "").startswith("python"):
            return read_log(worker._stderr_queue)
        return drain(worker, *waits, **named_waits)

    return drain_stderr_bounded
