"""Executions of state machines, which are named by their jobs: starting, stopping, and looking when an answer is lost.

An answer can be lost after Step Functions has done what it was asked for. Therefore a failed call is only reported
after a look at the execution.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.common.logs import logger
from schema.aws_errors import TRANSIENT

_EXISTS = "ExecutionAlreadyExists"
_MISSING = "ExecutionDoesNotExist"
# Errors of StopExecution for an execution that has ended, or never began.
_NOT_RUNNING = {_MISSING, "ValidationException"}
_RUNNING = "RUNNING"


class NotStartedError(Exception):
    """Step Functions has refused to start an execution, and shows none of this name."""


class Executions:
    """The executions of all jobs.

    Parameters
    ----------
    stepfunctions
        A client of Step Functions.
    """

    def __init__(self, stepfunctions: Any) -> None:
        self._stepfunctions = stepfunctions

    def start(self, state_machine: str, name: str, content: str) -> None:
        """Start an execution. If it exists already, nothing changes.

        Parameters
        ----------
        state_machine
            ARN of the state machine.
        name
            Name of the execution.
        content
            Its input, as JSON.

        Raises
        ------
        NotStartedError
            It was refused.
        TimeoutError
            It is unknown whether it was started; a repeated call finds out.
        """
        try:
            self._stepfunctions.start_execution(stateMachineArn=state_machine, name=name, input=content)
        except (ClientError, BotoCoreError) as error:
            if _code(error) == _EXISTS:
                return
            logger.warning("execution not started", extra={"job": name, "reason": str(error)})
            if self._exists(execution_arn(state_machine, name)):
                return  # only the answer was lost
            if _is_refusal(error):
                raise NotStartedError(str(error)) from error
            raise TimeoutError("Step Functions has not answered whether the execution was started.") from error

    def stop(self, execution: str, cause: str) -> None:
        """Stop an execution, if it runs.

        Parameters
        ----------
        execution
            ARN of the execution.
        cause
            Why it is stopped.

        Raises
        ------
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            It could not be stopped, and still runs as far as is known.
        """
        try:
            self._stepfunctions.stop_execution(executionArn=execution, error="Cancelled", cause=cause)
        except (ClientError, BotoCoreError) as error:
            if _code(error) in _NOT_RUNNING:
                return
            try:
                still_runs = self.is_running(execution)
            except (ClientError, BotoCoreError):
                raise error from None
            if still_runs:
                raise

    def is_running(self, execution: str) -> bool:
        """Tell whether an execution exists and has not ended."""
        return self._status(execution) == _RUNNING

    def _exists(self, execution: str) -> bool:
        try:
            return self._status(execution) is not None
        except (ClientError, BotoCoreError) as error:
            raise TimeoutError("Step Functions does not tell whether the execution was started.") from error

    def _status(self, execution: str) -> str | None:
        try:
            return self._stepfunctions.describe_execution(executionArn=execution)["status"]
        except ClientError as error:
            if _code(error) != _MISSING:
                raise
            return None


def execution_arn(state_machine: str, job_id: str) -> str:
    """Make the ARN of the execution that runs a job, which is named by the job's id."""
    return f"{state_machine.replace(':stateMachine:', ':execution:')}:{job_id}"


def _code(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else ""


def _is_refusal(error: Exception) -> bool:
    """Tell whether an error means that the call was not carried out, rather than that its answer is missing."""
    if not isinstance(error, ClientError) or _code(error) in TRANSIENT:
        return False
    return 400 <= error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500
