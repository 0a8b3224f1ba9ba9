"""States, definitions made of them, and the state machine that runs them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.blocks.access.permissions import Permission, policy_document
from components.blocks.workflow.expressions import Expression, jsonata
from components.blocks.workflow.state_machine import StateMachine
from components.blocks.workflow.states import (
    ANY_ERROR,
    Assign,
    Call,
    Catch,
    Choice,
    End,
    Retry,
    State,
    Wait,
    definition,
    permissions_of,
)
from tests.support.pulumi_mocks import SUFFIX, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:blocks:StateMachine"
MACHINE = "aws:sfn/stateMachine:StateMachine"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
PUBLISH = "arn:aws:states:::sns:publish"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:topic"
PUBLISHING = Permission(["sns:Publish"], [TOPIC])
STATES: dict[str, State] = {
    "Tell": Call(
        "Tells.",
        resource=PUBLISH,
        arguments={"TopicArn": TOPIC, "Message": jsonata(Expression("$states.input.text"))},
        permissions=[PUBLISHING],
        next="Done",
    ),
    "Done": End("Has told."),
}


def declare(preview: bool = False, **arguments: Any) -> Evaluation:
    return evaluate(
        lambda: (
            StateMachine("tell", reason="Tells somebody", start="Tell", states=STATES, timeout_seconds=600, **arguments)
            and None
        ),
        preview=preview,
    )


@pytest.mark.parametrize(
    ("state", "asl"),
    [
        (
            Call(
                "Tells.",
                resource=PUBLISH,
                arguments={"Message": "all"},
                permissions=[PUBLISHING],
                timeout_seconds=5,
                retry=[
                    Retry(["A"], attempts=0),
                    Retry([ANY_ERROR], attempts=3, first_seconds=2, longest_seconds=9, factor=1.5),
                ],
                catch=[
                    Catch(["A"], next="Other"),
                    Catch(
                        [ANY_ERROR],
                        next="Other",
                        assign={"cause": jsonata(Expression("$states.errorOutput.Error"))},
                    ),
                ],
            ),
            {
                "Type": "Task",
                "Comment": "Tells.",
                "Resource": PUBLISH,
                "Arguments": {"Message": "all"},
                "TimeoutSeconds": 5,
                "Retry": [
                    {"ErrorEquals": ["A"], "MaxAttempts": 0},
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": 2,
                        "MaxDelaySeconds": 9,
                        "MaxAttempts": 3,
                        "BackoffRate": 1.5,
                        "JitterStrategy": "FULL",
                    },
                ],
                "Catch": [
                    {"ErrorEquals": ["A"], "Next": "Other"},
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Next": "Other",
                        "Assign": {"cause": "{% $states.errorOutput.Error %}"},
                    },
                ],
                "End": True,
            },
        ),
        (
            Assign("Keeps.", variables={"a": 1}, next="Next"),
            {"Type": "Pass", "Comment": "Keeps.", "Assign": {"a": 1}, "Next": "Next"},
        ),
        (
            Choice("Either.", condition=Expression("$a = 1"), then="This", otherwise="That"),
            {
                "Type": "Choice",
                "Comment": "Either.",
                "Choices": [{"Condition": "{% $a = 1 %}", "Next": "This"}],
                "Default": "That",
            },
        ),
        (
            Wait(
                "Waits.",
                seconds=Expression("$a * 2"),
                next="Next",
                assign={"a": jsonata(Expression("$a + 1"))},
            ),
            {
                "Type": "Wait",
                "Comment": "Waits.",
                "Seconds": "{% $a * 2 %}",
                "Assign": {"a": "{% $a + 1 %}"},
                "Next": "Next",
            },
        ),
        (End("Good."), {"Type": "Succeed", "Comment": "Good."}),
        (
            End("Bad.", error="Error", cause=jsonata(Expression("$cause"))),
            {"Type": "Fail", "Comment": "Bad.", "Error": "Error", "Cause": "{% $cause %}"},
        ),
    ],
)
def test_states_are_written_as_the_language_spells_them(state: State, asl: dict[str, Any]) -> None:
    assert state.to_asl() == asl


def test_definition_has_all_states_and_a_time_limit() -> None:
    assert definition("Tells somebody", "Tell", STATES, 600) == {
        "Comment": "Tells somebody",
        "QueryLanguage": "JSONata",
        "StartAt": "Tell",
        "TimeoutSeconds": 600,
        "States": {name: state.to_asl() for name, state in STATES.items()},
    }


def test_states_that_are_missing_or_out_of_reach_are_told_all_at_once() -> None:
    states: dict[str, State] = {
        "First": Call(
            "Calls.",
            resource=PUBLISH,
            arguments={},
            permissions=[],
            next="Missing",
            catch=[Catch([ANY_ERROR], next="Lost")],
        ),
        "Orphan": End("Ends."),
    }
    with pytest.raises(ValueError, match="State machine: ") as error:
        definition("Wrong", "First", states, 1)
    assert str(error.value) == (
        "State machine: state Lost is named and not there; state Missing is named and not there; "
        "nothing leads to state Orphan"
    )


def test_permissions_are_those_of_the_calls_each_once() -> None:
    other = Permission(["sqs:SendMessage"], ["arn:aws:sqs:eu-central-1:123456789012:work"])
    states: dict[str, State] = {
        "A": Call("Calls.", resource=PUBLISH, arguments={}, permissions=[PUBLISHING], next="B"),
        "B": Call(
            "Calls.",
            resource=PUBLISH,
            arguments={},
            permissions=[Permission(["sns:Publish"], [TOPIC]), other],
            next="C",
        ),
        "C": End("Ends."),
    }
    assert permissions_of(states) == [PUBLISHING, other]


def test_machine_and_what_it_needs_belong_to_the_component() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {MACHINE: 1, ROLE: 1, POLICY: 1, LOGS: 1, ALARM: 3}
    assert len(evaluation.resources) == 8


def test_machine_is_standard_logs_errors_without_data_and_is_traced() -> None:
    evaluation = declare(log_retention_days=7)
    machine = evaluation.one(MACHINE)
    inputs = dict(machine.inputs)
    assert json.loads(inputs.pop("definition")) == definition("Tells somebody", "Tell", STATES, 600)
    assert inputs == {
        "type": "STANDARD",
        "roleArn": arn_of(ROLE, "tell"),
        "loggingConfiguration": {
            "level": "ERROR",
            "includeExecutionData": False,
            "logDestination": f"{arn_of(LOGS, 'tell')}:*",
        },
        "tracingConfiguration": {"enabled": True},
    }
    assert evaluation.one(LOGS).inputs == {"retentionInDays": 7}
    assert evaluation.one(POLICY) in machine.depends_on


def test_role_may_log_trace_and_make_the_calls() -> None:
    evaluation = declare()
    statements = evaluation.document(POLICY)["Statement"]
    assert [statement["Resource"] for statement in statements] == [["*"], ["*"], [TOPIC]]
    assert {action.partition(":")[0] for statement in statements[:2] for action in statement["Action"]} == {
        "logs",
        "xray",
    }
    assert statements[2] == {"Effect": "Allow", "Action": ["sns:Publish"], "Resource": [TOPIC]}
    trust = evaluation.document(ROLE, key="assumeRolePolicy")["Statement"]
    assert [statement["Principal"] for statement in trust] == [{"Service": "states.amazonaws.com"}]


def test_without_tracing_there_is_no_permission_for_it() -> None:
    evaluation = declare(tracing=False)
    assert evaluation.one(MACHINE).inputs["tracingConfiguration"] == {"enabled": False}
    assert len(evaluation.document(POLICY)["Statement"]) == 2


def test_alarms_tell_of_executions_that_failed_timed_out_or_were_slowed_down() -> None:
    alarms = declare(alarm_topics=["arn:topic"]).of(ALARM)
    assert {alarm.name: alarm.inputs["metricName"] for alarm in alarms} == {
        "dev-tell-failed": "ExecutionsFailed",
        "dev-tell-timed-out": "ExecutionsTimedOut",
        "dev-tell-throttled": "ExecutionThrottled",
    }
    for alarm in alarms:
        assert alarm.inputs["dimensions"] == {"StateMachineArn": arn_of(MACHINE, "tell")}
        assert alarm.inputs["alarmActions"] == ["arn:topic"]


def test_permissions_are_on_this_machine_and_its_executions() -> None:
    def build() -> Any:
        machine = StateMachine("tell", reason="Tells somebody", start="Tell", states=STATES, timeout_seconds=600)
        return policy_document(machine.grant("StartExecution", "StopExecution", "DescribeExecution").permissions)

    executions = f"arn:aws:states:eu-central-1:123456789012:execution:tell{SUFFIX}:*"
    assert json.loads(evaluate(build).result)["Statement"] == [
        {"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": [arn_of(MACHINE, "tell")]},
        {"Effect": "Allow", "Action": ["states:DescribeExecution", "states:StopExecution"], "Resource": [executions]},
    ]


def test_preview_declares_the_same_resources() -> None:
    assert [repr(one) for one in declare(preview=True).resources] == [repr(one) for one in declare().resources]
