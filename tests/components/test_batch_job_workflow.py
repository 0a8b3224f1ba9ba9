"""BatchJobWorkflow: its parts, its schedules, and roles that may do exactly what the definition calls."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.batch_job_workflow import JobSchedule
from components.blocks.workflow.batch_job_args import MAX_KIND_LENGTH
from schema.ids import ANY_ID
from tests.support.batch_jobs import BUCKET, MACHINE, NIGHTLY, declare, definition_of
from tests.support.machine_calls import granted, needed
from tests.support.pulumi_mocks import arn_of

COMPONENT = "cloud-nlp:index:BatchJobWorkflow"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def test_parts_belong_to_the_workflow() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {ROLE: 1, POLICY: 1, "cloud-nlp:blocks:StateMachine": 1}
    assert evaluation.one("aws:iam/rolePolicy:RolePolicy", "translate-job") in evaluation.one(MACHINE).depends_on
    assert declare(schedules=[NIGHTLY]).children(COMPONENT) == {
        ROLE: 2,
        POLICY: 2,
        "cloud-nlp:blocks:StateMachine": 1,
        RULE: 1,
        TARGET: 1,
        ALARM: 1,
    }


def test_schedule_starts_executions_and_may_do_nothing_else() -> None:
    evaluation = declare(schedules=[NIGHTLY, JobSchedule("off", expression="rate(1 day)", project="p1", enabled=False)])
    assert {rule.name: rule.inputs["state"] for rule in evaluation.of(RULE)} == {
        "translate-nightly": "ENABLED",
        "translate-off": "DISABLED",
    }
    target = evaluation.one(TARGET, "translate-nightly").inputs
    assert (target["arn"], target["roleArn"]) == (arn_of(MACHINE, "translate"), arn_of(ROLE, "translate-schedule"))
    assert evaluation.document(POLICY, "translate-schedule")["Statement"] == [
        {"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": [arn_of(MACHINE, "translate")]}
    ]


@pytest.mark.parametrize("schedules", [[], [NIGHTLY]])
@pytest.mark.parametrize("announced", [False, True])
@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize("tracing", [False, True])
def test_role_of_the_machine_may_do_exactly_what_it_calls(
    schedules: list[JobSchedule], announced: bool, instances: int, tracing: bool
) -> None:
    evaluation = declare(schedules=schedules, announced=announced, instance_count=instances, tracing=tracing)
    assert sorted(granted(evaluation, "translate")) == sorted(needed(evaluation, "translate"))


def test_role_of_the_job_may_read_inputs_write_outputs_and_log() -> None:
    evaluation = declare()
    statements = evaluation.document(POLICY, "translate-job")["Statement"]
    trust = evaluation.document(ROLE, "translate-job", "assumeRolePolicy")["Statement"]
    prefixes = ["programs/*", f"projects/{ANY_ID}/documents/*", "models/*/*"]
    bucket = f"arn:aws:s3:::{BUCKET}"
    assert [statement["Principal"] for statement in trust] == [{"Service": "sagemaker.amazonaws.com"}]
    assert statements[:3] == [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [bucket],
            "Condition": {"StringLike": {"s3:prefix": prefixes}},
        },
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{bucket}/{prefix}" for prefix in prefixes]},
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [f"{bucket}/results/{ANY_ID}/{ANY_ID}/*"]},
    ]
    assert [statement["Action"][0] for statement in statements[3:]] == [
        "logs:CreateLogGroup",
        "cloudwatch:PutMetricData",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetAuthorizationToken",
    ]
    assert statements[5]["Resource"] == ["arn:aws:ecr:eu-central-1:123456789012:repository/batch"]


def test_key_is_used_by_the_job_where_one_is_given() -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"
    statements = declare(kms_key=key).document(POLICY, "translate-job")["Statement"]
    assert [(one["Action"], one["Resource"]) for one in statements if "kms" in one["Action"][0]] == [
        (["kms:Decrypt", "kms:GenerateDataKey"], [key]),
        (["kms:CreateGrant"], [key]),
    ]


def test_every_state_has_a_reason_and_every_call_a_time_limit() -> None:
    definition = definition_of(declare(schedules=[NIGHTLY], instance_count=2))
    calls = [state for state in definition["States"].values() if state["Type"] == "Task"]
    assert all(state["Comment"].endswith(".") for state in definition["States"].values())
    assert all(0 < state["TimeoutSeconds"] < definition["TimeoutSeconds"] for state in calls)
    assert all(state["Retry"] and state["Catch"] for state in calls if state is not definition["States"]["Refuse"])


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        ({"kind": "Translate it"}, "kind 'Translate it'"),
        ({"kind": "a" * (MAX_KIND_LENGTH + 1)}, "expected at most 20"),
        (
            {"instance_count": 0, "inputs": []},
            "instance_count 0: expected at least 1; inputs: expected at least one channel",
        ),
        ({"time_limit_seconds": 604_801}, "time_limit_seconds 604801"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(arguments: dict[str, Any], mistake: str) -> None:
    with pytest.raises(ValueError, match=re.escape(mistake)):
        declare(**arguments)


def test_preview_declares_the_same_resources() -> None:
    preview, real = declare(preview=True, schedules=[NIGHTLY]), declare(schedules=[NIGHTLY])
    assert [repr(one) for one in preview.resources] == [repr(one) for one in real.resources]
