"""Differences between ministack's Step Functions and those of AWS.

- Starting an execution again with the same name and input, while it runs, returns that execution. Any other start with
  a used name is refused.
- `StopExecution` and time limits, of a task or of the whole execution, end the current wait and stop a processing job.
  A stopped execution stays stopped, whatever its task does afterwards.
- A state machine's ``TimeoutSeconds`` ends its executions as ``TIMED_OUT``.
- Retries honour ``MaxDelaySeconds`` and ``JitterStrategy``. ``States.ALL`` and ``States.TaskFailed`` do not include
  ``States.Runtime`` and ``States.DataLimitExceeded``, which AWS never retries or catches by a wildcard.
- The state machine's role must allow each task; createProcessingJob and stopProcessingJob exist (see
  `local.aws.step_functions.tasks`).
- Tasks of DynamoDB pass through its request handler, so that faults and counts apply to them.
"""

from __future__ import annotations

import contextvars
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from local.aws.emulator import replace, require
from local.aws.step_functions import tasks

Execution = dict[str, Any]

_TERMINAL_ERRORS = frozenset({"States.Runtime", "States.DataLimitExceeded"})
_WILDCARDS = frozenset({"States.ALL", "States.TaskFailed"})
_POLL_S = 0.1
# Longest wait before a retry; ministack has the same limit.
_LONGEST_RETRY_DELAY_S = 60.0

_current: contextvars.ContextVar[_Running | None] = contextvars.ContextVar("cloud_nlp_execution", default=None)


class _Running:
    """The execution that a thread works for."""

    def __init__(self, execution: Execution, access_key: str) -> None:
        self._execution = execution
        self.access_key = access_key

    def has_ended(self) -> bool:
        return self._execution["status"] != "RUNNING"

    def check(self) -> None:
        if self.has_ended():
            raise SystemExit  # ends this thread silently; no state catches or retries it


def install() -> None:
    """Change ministack's Step Functions. Has to run after `ministack.app` is imported."""
    from ministack import app
    from ministack.services import stepfunctions

    tasks.check_emulator()
    require(stepfunctions, "_executions", "_state_machines", "_SFN_WAIT_SCALE", "_resolve_state_machine_arn(arn)")
    require(stepfunctions, "_add_event(execution, event_type, details)", "_emit_execution_status_event(execution)")
    replace(
        app, "call_service_handler_sync(handler, method, path, headers, body, query_params, timeout)", _calling_with
    )
    replace(stepfunctions, "_start_execution(data)", _start_with)
    replace(stepfunctions, "_create_state_machine(data)", _create_with)
    replace(stepfunctions, "_run_execution(exec_arn)", _run_with)
    replace(stepfunctions, "_fail_execution(execution, error, cause)", _fail_with)
    replace(stepfunctions, "_error_matches(error_equals, error)", _matches_with)
    replace(stepfunctions, "_find_matching_retrier(retriers, error, retry_counts)", _retrier_with)
    replace(stepfunctions, "_scaled_sleep(seconds)", lambda _: _sleep)
    replace(stepfunctions, "_invoke_dynamodb(op_name, input_data)", lambda _: tasks.call_dynamodb)
    # With and without a time limit, tasks take one way: in a thread of their own.
    invoke = _invoke_with(stepfunctions._invoke_resource)
    replace(stepfunctions, "_invoke_resource_with_timeout(resource, input_data, timeout)", lambda _: invoke)
    replace(stepfunctions, "_invoke_resource(resource, input_data)", lambda _: _invoke_without_limit(invoke))


def retry_delay(retrier: dict[str, Any], count: int) -> float:
    """Return the seconds before a retry.

    Parameters
    ----------
    retrier
        Item of a state's ``Retry``.
    count
        How often it was used before.
    """
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** count
    delay = min(delay, retrier.get("MaxDelaySeconds", _LONGEST_RETRY_DELAY_S), _LONGEST_RETRY_DELAY_S)
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311


def _calling_with(call: Callable[..., Any]) -> Callable[..., Any]:
    """Pass bodies to services as bytes, as over HTTP; ministack's SDK integrations pass strings."""

    def call_service_handler_sync(
        handler: Any, method: str, path: str, headers: dict[str, str], body: str | bytes, *rest: Any, **named: Any
    ) -> Any:
        return call(handler, method, path, headers, body.encode() if isinstance(body, str) else body, *rest, **named)

    return call_service_handler_sync


def _start_with(start: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def start_execution(request: dict[str, Any]) -> Any:
        from ministack.core.responses import json_response
        from ministack.services import stepfunctions

        machine = stepfunctions._resolve_state_machine_arn(request.get("stateMachineArn", "").partition("#")[0])
        if machine and request.get("name"):
            arn = f"{machine.replace(':stateMachine:', ':execution:')}:{request['name']}"
            known: Execution | None = stepfunctions._executions.get(arn)
            if known and known["status"] == "RUNNING" and known["input"] == request.get("input", "{}"):
                return json_response({"executionArn": arn, "startDate": known["startDate"]})
        return start(request)

    return start_execution


def _create_with(create: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def create_state_machine(request: dict[str, Any]) -> Any:
        from ministack.core.responses import error_response_json

        role = request.get("roleArn", "")
        if role and not tasks.may_watch_processing_jobs(role, request.get("definition", "")):
            return error_response_json("AccessDeniedException", f"'{role}' is not authorized to create managed-rule.")
        return create(request)

    return create_state_machine


def _run_with(run: Callable[[str], None]) -> Callable[[str], None]:
    """Set `_current` for an execution's threads, and end the execution at the state machine's time limit."""

    def run_execution(arn: str) -> None:
        from ministack.services import stepfunctions

        execution: Execution = stepfunctions._executions[arn]
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"])
        if machine is None:
            run(arn)
            return
        _current.set(_Running(execution, tasks.role_key(machine["roleArn"], execution["name"])))
        limit = json.loads(machine["definition"]).get("TimeoutSeconds")
        if limit is None:
            run(arn)
            return
        context = contextvars.copy_context()
        timer = threading.Timer(limit, context.run, args=(_time_out, execution))
        timer.daemon = True
        timer.start()
        try:
            run(arn)
        finally:
            timer.cancel()

    return run_execution


def _time_out(execution: Execution) -> None:
    from ministack.core.responses import now_iso
    from ministack.services import stepfunctions

    if execution["status"] != "RUNNING":
        return
    execution["status"] = "TIMED_OUT"
    execution["error"] = "States.Timeout"
    execution["stopDate"] = now_iso()
    stepfunctions._add_event(
        execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
    )
    stepfunctions._emit_execution_status_event(execution)


def _fail_with(fail: Callable[[Execution, str, str], None]) -> Callable[[Execution, str, str], None]:
    def fail_execution(execution: Execution, error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":  # otherwise it was stopped, and its task failed afterwards
            fail(execution, error, cause)

    return fail_execution


def _matches_with(matches: Callable[[list[str], str], bool]) -> Callable[[list[str], str], bool]:
    def error_matches(names: list[str], error: str) -> bool:
        if error in _TERMINAL_ERRORS:
            names = [name for name in names if name not in _WILDCARDS]
        return matches(names, error)

    return error_matches


def _retrier_with(find: Callable[..., Any]) -> Callable[..., Any]:
    """Give ministack a retrier with a constant interval: the delay that the real retrier asks for."""

    def find_matching_retrier(retriers: list[dict[str, Any]], error: str, counts: dict[int, int]) -> Any:
        retrier, index = find(retriers, error, counts)
        if retrier is not None:
            retrier = {"IntervalSeconds": retry_delay(retrier, counts.get(index, 0)), "BackoffRate": 1.0}
        return retrier, index

    return find_matching_retrier


def _sleep(seconds: float) -> None:
    from ministack.services import stepfunctions

    running = _current.get()
    deadline = time.monotonic() + seconds * stepfunctions._SFN_WAIT_SCALE
    while (left := deadline - time.monotonic()) > 0:
        if running:
            running.check()
        time.sleep(min(left, _POLL_S))


def _invoke_with(invoke: Callable[[str, Any], Any]) -> Callable[[str, Any, float | None], Any]:
    """Return a function that runs a task in a thread and waits for it until a limit."""

    def invoke_resource(resource: str, parameters: Any, limit: float | None) -> Any:
        from ministack.services.stepfunctions import _ExecutionError

        running = _current.get()
        if running is None:  # TestState and express executions, which nobody can stop
            return invoke(resource, parameters)
        cancelled = threading.Event()

        def act() -> Any:
            tasks.check_permissions(running.access_key, resource, parameters)
            if resource.startswith(tasks.CREATE_PROCESSING_JOB):
                return tasks.create_processing_job(resource, parameters, running.access_key, cancelled.is_set)
            if resource == tasks.STOP_PROCESSING_JOB:
                return tasks.stop_processing_job(parameters, running.access_key)
            return invoke(resource, parameters)

        result = _in_thread(act)
        deadline = None if limit is None else time.monotonic() + limit
        try:
            while not _is_done(result, _POLL_S):
                running.check()
                if deadline is not None and time.monotonic() >= deadline:
                    raise _ExecutionError("States.Timeout", f"Task timed out after {limit} seconds")
        except BaseException:
            cancelled.set()
            raise
        running.check()
        return result.result()

    return invoke_resource


def _invoke_without_limit(invoke: Callable[[str, Any, float | None], Any]) -> Callable[[str, Any], Any]:
    def invoke_resource(resource: str, parameters: Any) -> Any:
        return invoke(resource, parameters, None)

    return invoke_resource


def _in_thread(act: Callable[[], Any]) -> Future[Any]:
    """Run a function in a daemon thread."""
    future: Future[Any] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(act))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _is_done(future: Future[Any], seconds: float) -> bool:
    try:
        future.exception(seconds)
    except TimeoutError:
        return False
    return True
