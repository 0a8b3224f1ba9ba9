"""`nlp doctor`: what it prints, and its exit code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.app import nlp
from cli.aws.doctor import checks
from cli.aws.doctor.finding import Finding
from tests.cli.commands.test_stacks import FakePulumi, pulumi  # noqa: F401 - a fixture

GOOD = Finding("region", "ok", "eu-central-1 has all services")
LIMITED = Finding("contact", "warning", "no\ncontact", "Set one.")
BAD = Finding("SageMaker quota", "failed", "it is 0", "Ask for more.")
CLEAN = {"NLP_STACK": None, "NLP_OUTPUTS": None, "NLP_STATE": None}


def invoke(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(nlp, arguments, env=CLEAN, prog_name="nlp")
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    found = [GOOD, LIMITED]
    monkeypatch.setattr(checks, "run_checks", lambda _around, _finished: found)
    return found


def test_findings_are_shown_with_what_to_do(findings: list[Finding]) -> None:
    result = invoke("--stack", "dev", "doctor")
    assert result.stdout.splitlines() == [
        "ok       region   eu-central-1 has all services",
        r"warning  contact  no\ncontact",
        "                  -> Set one.",
    ]
    assert "Next: nlp --stack dev deploy" in result.stderr


def test_something_that_failed_is_exit_code_1(findings: list[Finding]) -> None:
    findings.append(BAD)
    result = invoke("--stack", "prod", "doctor", code=1)
    assert "-> Ask for more." in result.stdout
    assert result.stderr.splitlines()[-1] == "nlp: 1 check failed (SageMaker quota): the stack would not work."


def test_json_has_all_findings(findings: list[Finding]) -> None:
    findings.append(BAD)
    printed = json.loads(invoke("--stack", "dev", "doctor", "--json", code=1).stdout)
    assert printed["stack"] == "dev"
    assert [one["status"] for one in printed["checks"]] == ["ok", "warning", "failed"]
    assert printed["checks"][2] == {
        "check": "SageMaker quota",
        "status": "failed",
        "message": "it is 0",
        "advice": "Ask for more.",
    }


@pytest.mark.usefixtures("findings")
def test_stack_without_settings_is_refused() -> None:
    assert "There is no Pulumi.prd.yaml" in invoke("--stack", "prd", "doctor", code=1).stderr


def test_policies_are_printed_for_the_stacks_region() -> None:
    documents = json.loads(invoke("--stack", "dev", "doctor", "--policy", "--account", "123456789012").stdout)
    resources = {one for document in documents for each in document["Statement"] for one in each["Resource"]}
    assert "arn:aws:lambda:eu-central-1:123456789012:function:sentiment-*" in resources
    assert "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:dev-*" in resources
    reading = json.loads(invoke("--stack", "dev", "doctor", "--policy", "--read-only").stdout)
    actions = {one for document in reading for each in document["Statement"] for one in each["Action"]}
    assert "dynamodb:DescribeTable" in actions
    assert "dynamodb:CreateTable" not in actions


@pytest.mark.parametrize("option", [["--read-only"], ["--account", "123456789012"]])
def test_options_of_the_policy_need_it(option: list[str]) -> None:
    assert "belong to --policy" in invoke("--stack", "dev", "doctor", *option, code=2).stderr


class Account:
    """What `nlp deploy` asks of the account."""

    def __init__(self, concurrency: int = 1000, groups: list[dict[str, Any]] | None = None) -> None:
        self.concurrency = concurrency
        self.groups = groups or []
        self.days: list[int] = []

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": self.concurrency}}

    def describe_log_groups(self, **_request: Any) -> dict[str, Any]:
        return {"logGroups": self.groups}

    def create_log_group(self, **_request: Any) -> None:
        pass

    def put_retention_policy(self, **request: Any) -> None:
        self.days.append(request["retentionInDays"])


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account()
    monkeypatch.setattr("cli.aws.doctor.surroundings.on_aws", lambda _service, _region: made)
    return made


def test_deploy_warns_of_an_account_that_runs_too_few_functions(
    pulumi: FakePulumi,  # noqa: F811
    account: Account,
) -> None:
    account.concurrency = 10
    shown = pulumi.invoke("--stack", "dev", "deploy").stderr
    assert "Warning: the account runs 10 functions at a time, of which sentiment.analyse_concurrency takes 2" in shown
    assert "L-B99A9384" in shown
    account.concurrency = 1000
    assert "Warning" not in pulumi.invoke("--stack", "dev", "deploy").stderr


def test_deploy_makes_the_log_of_jobs_with_the_stacks_retention(
    pulumi: FakePulumi,  # noqa: F811
    account: Account,
) -> None:
    assert "which keeps 7 days" in pulumi.invoke("--stack", "dev", "deploy").stderr
    assert account.days == [7]


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_deploy_without_a_terminal_shortens_nothing(
    pulumi: FakePulumi,  # noqa: F811
    account: Account,
    json_option: list[str],
) -> None:
    account.groups = [{"logGroupName": "/aws/sagemaker/ProcessingJobs"}]
    shown = pulumi.invoke("--stack", "dev", "deploy", *json_option, input="y\n").stderr
    assert "aws logs put-retention-policy" in shown
    assert account.days == []


def test_deploy_works_where_the_account_tells_nothing(
    pulumi: FakePulumi,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from botocore.exceptions import NoCredentialsError

    def refuse(_service: str, _region: str) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr("cli.aws.doctor.surroundings.on_aws", refuse)
    result = pulumi.invoke("--stack", "dev", "deploy")
    assert "Stack dev deployed" in result.stdout
    assert "The account's limits were not read: No AWS credentials were found" in result.stderr
