"""Schedule: a rule and what lets it start a function or a state machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from components.blocks.access.role import Role
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.resources import child
from components.blocks.workflow.schedule import Schedule
from components.blocks.workflow.state_machine import StateMachine
from components.blocks.workflow.states import End, State
from tests.support.pulumi_mocks import ACCOUNT, SUFFIX, Evaluation, arn_of, evaluate

PARENT = "test:index:Parent"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
PERMISSION = "aws:lambda/permission:Permission"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
MACHINE = "aws:sfn/stateMachine:StateMachine"
RETRIES = {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 10}


def function() -> PythonFunction:
    return PythonFunction("dispatch", handler="handlers/sentiment/dispatch.py", defaults=FunctionDefaults(layers=[]))


def machine() -> StateMachine:
    states: dict[str, State] = {"Done": End("Is done.")}
    return StateMachine("translate", reason="Translates", start="Done", states=states, timeout_seconds=60)


def declare(target: Callable[[], Any], **arguments: Any) -> Evaluation:
    def build() -> None:
        parent = pulumi.ComponentResource(PARENT, "parent")
        Schedule(
            "daily",
            expression="rate(1 day)",
            target=target(),
            description="Starts it",
            opts=child(parent),
            **arguments,
        )

    return evaluate(build)


def test_a_function_is_started_by_permission_of_the_function() -> None:
    evaluation = declare(function)
    assert evaluation.children(PARENT) == {RULE: 1, TARGET: 1, PERMISSION: 1, ALARM: 1}
    assert evaluation.one(PERMISSION).inputs == {
        "action": "lambda:InvokeFunction",
        "function": f"dispatch{SUFFIX}",
        "principal": "events.amazonaws.com",
        "sourceArn": arn_of(RULE, "daily"),
    }
    target = evaluation.one(TARGET)
    assert target.inputs == {
        "rule": f"daily{SUFFIX}",
        "arn": arn_of("aws:lambda/function:Function", "dispatch"),
        "retryPolicy": RETRIES,
    }
    assert evaluation.one(PERMISSION) in target.depends_on


def test_a_state_machine_is_started_by_a_role_that_may_do_nothing_else() -> None:
    evaluation = declare(machine, input={"project": "p1"})
    assert evaluation.children(PARENT) == {RULE: 1, TARGET: 1, ROLE: 1, POLICY: 1, ALARM: 1}
    assert evaluation.document(POLICY, "daily")["Statement"] == [
        {"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": [arn_of(MACHINE, "translate")]}
    ]
    [trust] = evaluation.document(ROLE, "daily", "assumeRolePolicy")["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    target = evaluation.one(TARGET)
    assert target.inputs == {
        "rule": f"daily{SUFFIX}",
        "arn": arn_of(MACHINE, "translate"),
        "roleArn": arn_of(ROLE, "daily"),
        "input": '{"project": "p1"}',
        "retryPolicy": RETRIES,
    }
    assert evaluation.one(POLICY, "daily") in target.depends_on


def test_schedules_of_a_state_machine_can_share_a_role() -> None:
    def build() -> None:
        parent = pulumi.ComponentResource(PARENT, "parent")
        target = machine()
        role = Role(
            "schedules",
            service="events.amazonaws.com",
            account=ACCOUNT,
            permissions=target.grant("StartExecution").permissions,
            opts=child(parent),
        )
        for name in ("daily", "weekly"):
            Schedule(
                name,
                expression="rate(1 day)",
                target=target,
                description="Starts it",
                role=role,
                opts=child(parent),
            )

    evaluation = evaluate(build)
    assert evaluation.children(PARENT) == {RULE: 2, TARGET: 2, ROLE: 1, POLICY: 1, ALARM: 2}
    assert {one.inputs["roleArn"] for one in evaluation.of(TARGET)} == {arn_of(ROLE, "schedules")}


def test_a_rule_can_be_off_and_its_alarm_has_topics_and_a_name() -> None:
    evaluation = declare(function, enabled=False, alarm_name="daily-not-started", alarm_topics=["arn:topic"])
    assert evaluation.one(RULE).inputs == {
        "description": "Starts it",
        "scheduleExpression": "rate(1 day)",
        "state": "DISABLED",
    }
    alarm = evaluation.one(ALARM, "dev-daily-not-started").inputs
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Events", "FailedInvocations")
    assert alarm["dimensions"] == {"RuleName": f"daily{SUFFIX}"}
    assert alarm["alarmActions"] == ["arn:topic"]
