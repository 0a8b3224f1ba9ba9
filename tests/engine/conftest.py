"""Fixtures of the engine tests: the real command-line tool with a provider that needs no AWS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.project import Project, copy_project
from tests.engine.pulumi_cli import NoPulumiError, pulumi_cli
from tests.engine.stacks import Engine

# Long enough for a test that has to wait until the tool is built on a busy machine.
_SECONDS = 3600
_CREDENTIALS = ("AWS_", "PULUMI_")
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the engine's tests more time than the others."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(_SECONDS))


@pytest.fixture(scope="session")
def pulumi() -> Path:
    """The command-line tool; tests are skipped where there is none and none can be built."""
    try:
        return pulumi_cli()
    except NoPulumiError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session", autouse=True)
def no_credentials() -> Iterator[None]:
    """Take away what could reach AWS, or a Pulumi account, from this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(_CREDENTIALS):
                patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="module")
def engine(pulumi: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine with an empty state, for the tests of a file."""
    return Engine.install(pulumi, tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project, for the tests of a file to change."""
    return copy_project(tmp_path_factory.mktemp("copy") / "project")
