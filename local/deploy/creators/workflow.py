"""Creators of Step Functions state machines."""

from __future__ import annotations

from typing import Any

from local.deploy.creators.common import Context, Created, Creator, Inputs, only


def _state_machine(context: Context, inputs: Inputs) -> Created:
    settings: dict[str, Any] = only(inputs, type="type")
    if tracing := inputs.get("tracingConfiguration"):
        settings["tracingConfiguration"] = {"enabled": bool(tracing.get("enabled"))}
    if logging := inputs.get("loggingConfiguration"):
        settings["loggingConfiguration"] = _logging(logging)
    made = context.client("stepfunctions").create_state_machine(
        name=context.unique, definition=inputs["definition"], roleArn=inputs["roleArn"], **settings
    )
    return made["stateMachineArn"], {"name": context.unique, "arn": made["stateMachineArn"]}


def _logging(logging: Inputs) -> dict[str, Any]:
    made = only(logging, level="level", includeExecutionData="includeExecutionData")
    if group := logging.get("logDestination"):
        made["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
    return made


CREATORS: dict[str, Creator] = {"aws:sfn/stateMachine:StateMachine": _state_machine}
