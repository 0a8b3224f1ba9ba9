"""The development stack on the real engine, from the first preview to its end, in the order of the file."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine import expected_changes
from tests.engine.project import Project, copy_elsewhere
from tests.engine.stacks import Engine, Outcome, Stack
from tests.engine.state_checks import questions, secrets_in

STACK = "dev"
COMMENT = "\n# A comment.\n"


@dataclass(frozen=True)
class Deployed:
    """The stack, and what its first preview and deployment did."""

    stack: Stack
    preview: Outcome
    up: Outcome


def difference(changes: set[str], expected: set[str]) -> str:
    """Changes that are too many or too few, one per line."""
    many = [f"not expected: {change}" for change in sorted(changes - expected)]
    few = [f"did not happen: {change}" for change in sorted(expected - changes)]
    return "\n".join(["", *many, *few])


@pytest.fixture(scope="module")
def dev(engine: Engine, project: Project) -> Deployed:
    """The development stack, deployed once for all tests here."""
    stack = engine.stack(STACK, STACK, project)
    return Deployed(stack, stack.preview(), stack.up())


@pytest.fixture
def elsewhere(project: Project, tmp_path: Path) -> Iterator[Project]:
    """Another copy of the project, with other file times; it has 130 MB of packages, which do not stay."""
    copy = copy_elsewhere(project, tmp_path / "other" / "folder")
    yield copy
    shutil.rmtree(copy.folder)


def test_a_preview_asks_aws_nothing_and_signs_in_nowhere(dev: Deployed) -> None:
    assert questions(dev.preview.requests) == []
    assert {request.method for request in dev.preview.requests} == {"Configure", "Create"}


def test_the_deployment_does_what_the_preview_showed(dev: Deployed) -> None:
    assert Counter(dev.up.steps) == Counter(dev.preview.steps)
    assert {step.split()[0] for step in dev.up.steps} == {"create"}
    assert len(dev.up.steps) > 250


def test_the_state_holds_no_secrets(dev: Deployed) -> None:
    assert secrets_in(dev.stack.deployment()) == []


def test_every_resource_that_can_be_tagged_has_the_default_tags(dev: Deployed) -> None:
    tags = [one["inputs"]["tagsAll"] for one in dev.stack.state() if "tagsAll" in one.get("inputs", {})]
    assert len(tags) > 100
    assert all(one.items() >= {"project": "cloud-nlp", "stack": STACK}.items() for one in tags)


def test_a_second_deployment_from_elsewhere_changes_nothing(dev: Deployed, engine: Engine, elsewhere: Project) -> None:
    stack = engine.stack(STACK, STACK, elsewhere)
    assert stack.preview().steps == []
    assert stack.up().steps == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda project: project.replace("Pulumi.dev.yaml", "schedule: rate(1 hour)", "schedule: rate(2 hours)"),
            expected_changes.SCHEDULE,
            id="schedule",
        ),
        pytest.param(
            lambda project: project.append("handlers/api/project_get.py", COMMENT),
            expected_changes.ENDPOINT,
            id="endpoint",
        ),
        pytest.param(
            lambda project: project.append("handlers/batch/merge.py", COMMENT),
            expected_changes.BATCH,
            id="batch program",
        ),
        pytest.param(
            lambda project: project.append("handlers/common/times.py", COMMENT),
            expected_changes.COMMON,
            id="handlers/common",
        ),
    ],
)
def test_a_change_of_the_project_changes_exactly(
    dev: Deployed, engine: Engine, project: Project, change: Callable[[Project], None], expected: set[str]
) -> None:
    change(project)
    changes = engine.stack(STACK, STACK, project).up().changes
    assert changes == expected, difference(changes, expected)


def test_a_refresh_finds_everything_as_it_was_deployed(dev: Deployed) -> None:
    outcome = dev.stack.refresh()
    assert outcome.steps == []
    read = [request.urn for request in outcome.requests if request.method == "Read"]
    assert len(read) == len([one for one in dev.stack.state() if one["type"].startswith("aws:")])


def test_nothing_is_left_after_the_end(dev: Deployed) -> None:
    dev.stack.destroy()
    assert dev.stack.state() == []
    # The engine leaves objects of programs to the bucket, which takes them along.
    left = Counter(resource.kind for resource in dev.stack.account().resources())
    assert left.keys() <= {"aws:s3/bucketObjectv2:BucketObjectv2"}
