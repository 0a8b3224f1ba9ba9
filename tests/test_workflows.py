"""GitHub's workflows: what runs in them is pinned, and what reaches AWS has to be approved."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.support.pulumi_mocks import ROOT_FOLDER

WORKFLOWS = sorted((ROOT_FOLDER / ".github" / "workflows").glob("*.yaml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs() -> list[Any]:
    loaded = {file.stem: yaml.safe_load(file.read_text()) for file in WORKFLOWS}
    return [
        pytest.param(content, job, id=f"{name}-{key}")
        for name, content in loaded.items()
        for key, job in content["jobs"].items()
    ]


def test_actions_are_pinned_by_their_commits() -> None:
    lines = [
        line.partition("uses: ")[2] for file in WORKFLOWS for line in file.read_text().splitlines() if "uses:" in line
    ]
    assert len(lines) >= 10
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    # One action, one commit: a comment that names another version would be wrong.
    assert len({line.partition("@")[0] for line in lines}) == len(set(lines))


@pytest.mark.parametrize(("workflow", "job"), jobs())
def test_jobs_have_the_permissions_that_they_need_and_no_others(workflow: dict[str, Any], job: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}
    allowed = {"contents": "read", "id-token": "write"} if "environment" in job else {"contents": "read"}
    assert job["permissions"] == allowed
    checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}]


@pytest.mark.parametrize(("workflow", "job"), jobs())
def test_whatever_a_person_types_is_no_part_of_a_script(workflow: dict[str, Any], job: dict[str, Any]) -> None:
    assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


def test_previews_may_only_read_and_run_for_the_repositorys_own_branches() -> None:
    checks, deploy = (yaml.safe_load(file.read_text()) for file in WORKFLOWS)
    preview, deployment = checks["jobs"]["preview"], deploy["jobs"]["deploy"]
    assert "head.repo.full_name == github.repository" in preview["if"]
    assert deployment["if"] == "github.ref == 'refs/heads/main'"
    roles = {
        job["environment"]: step["with"]["role-to-assume"]
        for job in (preview, deployment)
        for step in job["steps"]
        if "role-to-assume" in step.get("with", {})
    }
    assert roles == {"preview": "${{ vars.AWS_PREVIEW_ROLE }}", "${{ inputs.stack }}": "${{ vars.AWS_DEPLOY_ROLE }}"}


def deployment_steps() -> list[dict[str, Any]]:
    deploy = yaml.safe_load((ROOT_FOLDER / ".github" / "workflows" / "deploy.yaml").read_text())
    return deploy["jobs"]["deploy"]["steps"]


def test_deployments_also_limit_the_log_of_batch_jobs() -> None:
    assert './nlp --stack "$STACK" deploy' in [step.get("run") for step in deployment_steps()]
    assert "up" not in [step.get("with", {}).get("command") for step in deployment_steps()]


def test_pulumi_is_installed_before_the_doctor_looks_for_it() -> None:
    steps = deployment_steps()
    doctor = next(at for at, step in enumerate(steps) if step.get("run", "").endswith(" doctor"))
    [tool] = [step for step in steps[:doctor] if step.get("uses", "").startswith("pulumi/actions@")]
    assert "command" not in tool["with"]
    locked = (ROOT_FOLDER / "requirements" / "local.txt").read_text()
    assert f"\npulumi=={tool['with']['pulumi-version']} " in locked
