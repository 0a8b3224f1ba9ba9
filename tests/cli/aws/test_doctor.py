"""The checks before a deployment, each against an account that answers as AWS does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from cli.aws.doctor import account, deployer, machine
from cli.aws.doctor.checks import ON_AWS, ON_MACHINE, TOTAL, run_check, run_checks
from cli.aws.doctor.finding import Finding
from cli.aws.doctor.surroundings import Surroundings
from cli.aws.stack_settings import StackSettings
from tests.support.doctor import ROLE, SESSION, Service, around, finding_of, refused, status_of

# This machine


def test_python_that_runs_this_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert status_of(machine.python, around()) == "ok"
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (9, 9))
    assert status_of(machine.python, around()) == "failed"


def test_pulumis_tool_is_needed_for_aws_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = finding_of(machine.pulumi_tool, around())
    assert (found.status, "not installed" in found.message) == ("failed", True)
    assert status_of(machine.pulumi_tool, around(stack="local")) == "ok"


# The account


@pytest.mark.parametrize(
    ("arn", "expected"), [(SESSION, "ok"), ("arn:aws:iam::123456789012:root", "warning"), (ROLE, "ok")]
)
def test_caller_is_named_and_should_not_be_root(arn: str, expected: str) -> None:
    where = around({"sts": Service(get_caller_identity={"Account": "123456789012", "Arn": arn})})
    found = finding_of(account.credentials, where)
    assert (found.status, where.account, where.caller_arn) == (expected, "123456789012", arn)
    assert arn in found.message


@pytest.mark.parametrize(
    ("region", "expected", "words"),
    [
        ("eu-central-1", "ok", "eu-central-1 has all services"),
        ("", "failed", "sets no region"),
        ("eu-north-9", "failed", "eu-north-9 does not have Amazon API Gateway, Amazon Cognito, Amazon Comprehend"),
    ],
)
def test_region_has_all_services(region: str, expected: str, words: str) -> None:
    where = Surroundings(StackSettings("dev", {"aws:region": region}), lambda *_: None)
    found = finding_of(account.region, where)
    assert found.status == expected
    assert words in found.message


@pytest.mark.parametrize(
    ("limit", "batches", "expected", "words"),
    [
        (10, None, "warning", "Ask for 1,000"),
        (10, 6, "failed", "Set sentiment.analyse_concurrency to 5 or less. Ask for 1,000"),
        (6, 2, "failed", "Ask for 1,000: Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384)."),
        (1000, 100, "ok", ""),
    ],
)
def test_lambda_leaves_room_for_the_api(limit: int, batches: int | None, expected: str, words: str) -> None:
    answer = {"AccountLimit": {"ConcurrentExecutions": limit}}
    sentiment = {"analyse_concurrency": batches} if batches else {}
    found = finding_of(
        account.lambda_concurrency, around({"lambda": Service(get_account_settings=answer)}, sentiment=sentiment)
    )
    assert found.status == expected
    assert found.advice.startswith(words)
    assert f"{limit:,} functions" in found.message


@pytest.mark.parametrize(
    ("jobs", "value", "expected"),
    [({}, 0.0, "failed"), ({}, 1.0, "ok"), ({"instance_count": 3}, 2.0, "failed"), ({"instance_count": 3}, 3.0, "ok")],
)
def test_quota_lets_a_job_start(jobs: dict[str, Any], value: float, expected: str) -> None:
    quotas = [
        {"QuotaName": "ml.m5.large for training job usage", "Value": 9.0, "QuotaCode": "L-1"},
        {"QuotaName": "ml.m5.large for processing job usage", "Value": value, "QuotaCode": "L-2"},
    ]
    services = {"service-quotas": Service(list_service_quotas={"Quotas": quotas})}
    found = finding_of(account.processing_quota, around(services, jobs=jobs))
    assert found.status == expected
    assert "'ml.m5.large for processing job usage'" in found.message
    assert ("--quota-code L-2" in found.advice) is (expected == "failed")


def test_quota_is_that_of_the_type_that_the_stack_uses() -> None:
    services = {"service-quotas": Service(list_service_quotas={"Quotas": []})}
    found = finding_of(account.processing_quota, around(services, jobs={"instance_type": "ml.m5.xlarge"}))
    assert (found.status, "'ml.m5.xlarge for processing job usage'" in found.message) == ("warning", True)


@pytest.mark.parametrize(
    ("answer", "expected"), [({"Budgets": [{}]}, "ok"), ({"Budgets": []}, "warning"), ({}, "warning")]
)
def test_the_account_warns_of_costs(answer: dict[str, Any], expected: str) -> None:
    budgets = Service(describe_budgets=answer)
    assert status_of(account.budget, around({"budgets": budgets})) == expected
    assert budgets.requests == [{"AccountId": "123456789012"}]


@pytest.mark.parametrize(("emails", "expected"), [(["you@example.com"], "ok"), ([], "warning")])
def test_the_stacks_own_budget_warns_where_it_has_somebody_to_write_to(emails: list[str], expected: str) -> None:
    services = {"budgets": Service(describe_budgets={"Budgets": []})}
    found = finding_of(account.budget, around(services, budget={"monthly_usd": 50}, notify_emails=emails))
    assert (found.status, "notify_emails" in found.advice) == (expected, expected == "warning")


@pytest.mark.parametrize(
    ("groups", "expected", "words"),
    [
        ([], "ok", "`nlp deploy` makes it with 7 days"),
        ([{"logGroupName": f"{account.LOG_GROUP}-other"}], "ok", "is not there yet"),
        ([{"logGroupName": account.LOG_GROUP, "retentionInDays": 90}], "ok", "keeps 90 days"),
        ([{"logGroupName": account.LOG_GROUP}], "warning", "for ever"),
    ],
)
def test_log_of_jobs_does_not_grow_for_ever(groups: list[dict[str, Any]], expected: str, words: str) -> None:
    logs = Service(describe_log_groups={"logGroups": groups})
    found = finding_of(account.job_logs, around({"logs": logs}, functions={"log_retention_days": 7}))
    assert found.status == expected
    assert words in found.message


# The deployer's rights


def simulation(denied: frozenset[str] = frozenset()) -> Callable[..., dict[str, Any]]:
    def simulate(**request: Any) -> dict[str, Any]:
        assert request["PolicySourceArn"] == ROLE
        assert len(request["ResourceArns"]) == 1
        assert request["ResourceArns"] == ["*"] or "*" not in request["ResourceArns"][0]
        decisions = {True: "implicitDeny", False: "allowed"}
        return {
            "EvaluationResults": [
                {"EvalActionName": action, "EvalDecision": decisions[action in denied]}
                for action in request["ActionNames"]
            ]
        }

    return simulate


def test_every_action_is_simulated_for_the_role_behind_the_session() -> None:
    iam = Service(get_role={"Role": {"Arn": ROLE}}, simulate_principal_policy=simulation())
    assert status_of(deployer.deployer_rights, around({"iam": iam})) == "ok"
    assert iam.requests[0] == {"RoleName": "deployer"}
    simulated = {action for request in iam.requests[1:] for action in request["ActionNames"]}
    assert {"lambda:CreateFunction", "iam:PassRole", "logs:CreateLogDelivery"} <= simulated
    [passing] = [request for request in iam.requests[1:] if "iam:PassRole" in request["ActionNames"]][:1]
    assert passing["ContextEntries"][0]["ContextKeyName"] == "iam:PassedToService"


def test_denied_actions_are_named() -> None:
    denied = frozenset({"lambda:CreateFunction", "iam:PassRole"})
    iam = Service(get_role={"Role": {"Arn": ROLE}}, simulate_principal_policy=simulation(denied))
    found = finding_of(deployer.deployer_rights, around({"iam": iam}))
    assert found.status == "failed"
    assert "iam:PassRole" in found.message
    assert "lambda:CreateFunction" in found.message
    assert "nlp doctor --policy" in found.advice


def test_every_name_of_a_right_is_simulated() -> None:
    def simulate(**request: Any) -> dict[str, Any]:
        [resource] = request["ResourceArns"]
        decision = "implicitDeny" if ":table/product-" in resource else "allowed"
        return {
            "EvaluationResults": [{"EvalActionName": one, "EvalDecision": decision} for one in request["ActionNames"]]
        }

    iam = Service(get_role={"Role": {"Arn": ROLE}}, simulate_principal_policy=simulate)
    found = finding_of(deployer.deployer_rights, around({"iam": iam}))
    assert found.status == "failed"
    assert "dynamodb:CreateTable" in found.message


@pytest.mark.parametrize("operation", ["get_role", "simulate_principal_policy"])
def test_simulation_that_is_not_allowed_is_said(operation: str) -> None:
    answers = {"get_role": {"Role": {"Arn": ROLE}}, "simulate_principal_policy": simulation()}
    iam = Service(**{**answers, operation: refused("AccessDenied")})
    found = finding_of(deployer.deployer_rights, around({"iam": iam}))
    assert found.status == "warning"
    assert "could not be checked" in found.message
    assert "iam:SimulatePrincipalPolicy" in found.advice


def test_users_and_root_have_no_role_behind_them() -> None:
    assert deployer.principal_arn(None, "arn:aws:iam::1:user/ann") == "arn:aws:iam::1:user/ann"
    where = around()
    where.caller_arn = "arn:aws:iam::123456789012:root"
    assert status_of(deployer.deployer_rights, where) == "ok"


# All of them


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused(operation="GetAccountSettings"), "Access denied to GetAccountSettings"),
        (EndpointConnectionError(endpoint_url="https://lambda"), "AWS is not reachable"),
    ],
)
def test_check_that_aws_does_not_answer_is_a_warning_with_the_reason(error: Exception, words: str) -> None:
    found = finding_of(account.lambda_concurrency, around({"lambda": Service(get_account_settings=error)}))
    assert found.status == "warning"
    assert words in found.message


def test_a_mistake_of_the_doctor_itself_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        run_check("broken", lambda _: {}["key"], around())


def test_without_credentials_only_this_machine_is_checked() -> None:
    where = around({"sts": Service(get_caller_identity=NoCredentialsError())})
    where.account = ""
    counted: list[int] = []
    found = run_checks(where, counted.append)
    assert [each.check for each in found] == [*ON_MACHINE, "credentials", "account"]
    assert [each.status for each in found[-2:]] == ["failed", "warning"]
    assert "aws sso login" in found[-2].message
    assert sum(counted) == TOTAL


def test_checks_wait_for_aws_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(len(ON_AWS), timeout=30)

    def wait(_around: Surroundings) -> Finding:
        together.wait()
        return Finding("any", "ok", "")

    for name in ON_AWS:
        monkeypatch.setitem(ON_AWS, name, wait)
    where = around({"sts": Service(get_caller_identity={"Account": "1", "Arn": ROLE})})
    counted: list[int] = []
    found = run_checks(where, counted.append)
    assert len(found) == TOTAL
    assert sum(counted) == TOTAL
