"""Permissions of the API, the batch jobs and their schedules are minimal: each is needed, shown by taking it away.

That they are sufficient is what all the other integration tests show, since IAM is enforced in them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
from tests.handlers.batch.marian_model import make_model
from tests.integration.api_uses import TEXT, ApiUses, completes
from tests.integration.job_uses import JobUses, MachineUses
from tests.integration.roles import NOT_ASKED, Grant, Roles

KINDS = ("analyse", "translate")
SCRIPTS = Path(__file__).parents[2] / "handlers" / "api"
FUNCTIONS = sorted(path.stem.replace("_", "-") for path in SCRIPTS.glob("[!_]*.py"))
ROLES = [
    *(f"product-api-{name}" for name in FUNCTIONS),
    "product-withdraw",
    *(f"product-{kind}{suffix}" for kind in KINDS for suffix in ("", "-job", "-schedule")),
]
# Those of the sentiment pipeline have `test_permissions.py`.
OTHER_ROLES = {"sentiment-analyse", "sentiment-dispatch"}
OPTIONS = {"analyse": {}, "translate": {"target": "de"}}
# All that settings can add to roles: notices, instances that share a job, schedules.
SETTINGS = {
    "notify_emails": ["you@example.com"],
    "jobs": {
        "instance_count": 2,
        "schedules": [
            {"label": "daily", "kind": kind, "schedule": "rate(1 day)", "project": "none", "options": options}
            for kind, options in OPTIONS.items()
        ],
    },
}
MARIAN = {"engine": "marian", "source": "en", "target": "fr"}


class Uses:
    """What all roles are used for, by role."""

    def __init__(self, stack: LocalStack, model: Path) -> None:
        user = ApiUser(stack, "permissions@example.com")
        marian_project = user.create_project("Model")
        user.upload(marian_project, "text.txt", TEXT)
        for file in model.iterdir():
            key = f"models/opus-mt-en-fr/{file.name}"
            stack.aws.client("s3").upload_file(str(file), stack.outputs["documents_bucket"], key)
        marian = user.start_job(marian_project, "translate", MARIAN)
        self._api = ApiUses(stack, user)
        completes(user, marian_project, marian)
        self._of = {f"product-api-{name}": uses for name, uses in self._api.all().items()}
        self._of["product-withdraw"] = [self._api.keeps_the_first_upload]
        for kind, job in self._api.jobs.items():
            machine = MachineUses(stack, user, kind)
            jobs = [job, marian] if kind == "translate" else [job]
            self._of[f"product-{kind}"] = machine.of_machine()
            self._of[f"product-{kind}-schedule"] = machine.of_schedule()
            self._of[f"product-{kind}-job"] = JobUses(stack, self._api.project, jobs).all()

    def knows(self, role: str) -> bool:
        """Whether it is known what a role is used for."""
        return role in self._of

    def all_work(self, role: str) -> bool:
        """Use a role for everything, up to the first use that fails."""
        try:
            return all(use() for use in self._of[role])
        finally:
            self._api.clear()


@pytest.fixture(scope="module")
def whole(stack: LocalStack) -> LocalStack:
    """A deployment beside the first, with all roles that settings can add."""
    return deploy_to(stack.aws, SETTINGS)


@pytest.fixture(scope="module")
def roles(whole: LocalStack) -> Roles:
    return Roles(whole)


@pytest.fixture(scope="module")
def uses(whole: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Uses:
    model = tmp_path_factory.mktemp("model")
    make_model(model)
    return Uses(whole, model)


def test_there_are_no_other_roles(roles: Roles) -> None:
    assert roles.names.keys() == {*ROLES, *OTHER_ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_no_granted_action_is_idle(roles: Roles, uses: Uses, role: str) -> None:
    assert uses.knows(role), f"tell in tests/integration/api_uses.py what {role} does"
    asked = roles.asked(role)
    assert uses.all_work(role), "not even with all permissions"

    assert [str(grant) for grant in asked if is_idle(grant, roles, uses)] == []

    assert uses.all_work(role), "a permission was not given back"


def is_idle(grant: Grant, roles: Roles, uses: Uses) -> bool:
    with roles.without(grant):
        return uses.all_work(grant.role)


def test_every_exception_is_granted_to_some_role(roles: Roles) -> None:
    matched = {service: set[str]() for service in NOT_ASKED}
    for role in roles.names:
        for grant in roles.granted(role):
            matched[roles.service(role)].update(roles.patterns(grant))

    assert matched == {service: set(patterns) for service, patterns in NOT_ASKED.items()}
