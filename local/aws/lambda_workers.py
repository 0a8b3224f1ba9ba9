"""Workers of Lambda functions: no wait after an invocation, and always the function as it is now.

Ministack cannot tell where an invocation's log ends. Before it passes on an answer, it waits until the worker has been
silent for 5 ms, or for 50 ms if the function logs nothing. Here each worker writes a mark after the log of each
invocation, so no wait is needed.

Ministack repeats a failed asynchronous invocation with the function as it was at the first attempt. After a change of
the function's settings, this would start a worker with the former ones, which would then answer all other invocations.
"""

from __future__ import annotations

import queue
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from local.aws.emulator import changed, replace, require

# Random, so that no function writes it by chance.
MARK = f"\x1e{secrets.token_hex(16)}"
# A worker that dies during an invocation leaves no mark.
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
    """Make Python workers mark the end of each invocation's log, read logs up to it, and start no outdated workers."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    require(lambda_runtime.Worker, "_drain_stderr_bounded(self, first_line_wait, idle_confirm, hard_cap)")
    replace(lambda_runtime, "_PYTHON_WORKER_SCRIPT", marked)
    replace(lambda_runtime.Worker, "_drain_stderr_bounded", _draining_with)
    require(lambda_svc, "_functions")
    functions: Any = lambda_svc._functions
    acquiring = "acquire_worker(func_name, config, code_zip, qualifier, max_concurrency)"
    replace(lambda_svc, acquiring, lambda acquire: acquiring_current(acquire, functions))


def marked(script: str) -> str:
    """Return the program of a worker that writes the mark.

    Parameters
    ----------
    script
        Ministack's program.

    Raises
    ------
    EmulatorError
        The program does not end its loop as expected.
    """
    if script.count(_END_OF_LOOP) != 1:
        raise changed("the loop of its Python worker for Lambda ends differently")
    return script.replace(_END_OF_LOOP, _MARKED_END_OF_LOOP)


def read_log(lines: queue.Queue[str], wait_seconds: float = _LONGEST_WAIT_SECONDS) -> str:
    """Read the log of an invocation that has ended.

    Parameters
    ----------
    lines
        Lines that the worker wrote, without line ends.
    wait_seconds
        Longest wait for a line; if none comes before the mark, the log ends.
    """
    log: list[str] = []
    while True:
        try:
            line = lines.get(timeout=wait_seconds)
        except queue.Empty:
            break
        if line.endswith(MARK):
            log += [line.removesuffix(MARK)] if line != MARK else []  # the function's last line had no line end
            break
        log.append(line)
    return "\n".join(log)


def acquiring_current(acquire: Callable[..., Any], functions: Mapping[str, Any]) -> Callable[..., Any]:
    """Make a function that takes workers with the present settings and code.

    Parameters
    ----------
    acquire
        Ministack's function, which takes a worker for given settings and code.
    functions
        Ministack's functions by name.

    Returns
    -------
    The same for the function that has this name; a published version stays as it is.
    """

    def acquire_worker(
        func_name: str, config: dict[str, Any], code_zip: bytes, qualifier: str = "$LATEST", **limits: Any
    ) -> Any:
        function = functions.get(func_name)
        if function and qualifier == "$LATEST":
            config, code_zip = {**config, **_settings(function["config"])}, function["code_zip"]
        return acquire(func_name, config, code_zip, qualifier=qualifier, **limits)

    return acquire_worker


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """Take what a worker is started with; the address that was called is the invocation's own."""
    return {name: value for name, value in config.items() if name != "FunctionArn"}


def _draining_with(drain: Callable[..., str]) -> Callable[..., str]:
    def drain_stderr_bounded(worker: Any, *waits: float, **named_waits: float) -> str:
        if worker.config.get("Runtime", "").startswith("python"):
            return read_log(worker._stderr_queue)
        return drain(worker, *waits, **named_waits)

    return drain_stderr_bounded
