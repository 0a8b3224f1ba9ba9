"""The commands of `nlp` that need Pulumi, on the real engine; Pulumi starts the program itself here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.project import ROOT, Project, copy_project
from tests.engine.stacks import Engine

LANGUAGE_HOST = "pulumi-language-python"
SECONDS = 300

pytestmark = pytest.mark.skipif(
    not shutil.which(LANGUAGE_HOST),
    reason=f"`{LANGUAGE_HOST}` is not on the path: it comes with Pulumi's own installer only",
)


class Commands:
    """`nlp` in a copy of the project, with an engine of its own."""

    def __init__(self, engine: Engine, project: Project) -> None:
        self._folder = project.folder
        (self._folder / ".venv").symlink_to(ROOT / ".venv")
        path = f"{engine.tool / 'bin'}:{os.environ['PATH']}"
        self._environment = {**os.environ, **engine.variables(engine.home / "commands.jsonl"), "PATH": path}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            ["./nlp", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def succeed(self, *arguments: str) -> str:
        """Run a command that has to succeed, and return what it wrote."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def nlp(engine: Engine, tmp_path: Path) -> Commands:
    return Commands(engine, copy_project(tmp_path / "project"))


def test_a_stack_is_previewed_deployed_and_torn_down(nlp: Commands) -> None:
    assert "Stack dev previewed" in nlp.succeed("--stack", "dev", "preview")
    assert "created" in nlp.succeed("--stack", "dev", "deploy")
    again = nlp.succeed("--stack", "dev", "deploy")
    assert "unchanged" in again
    assert "created" not in again
    assert "deleted" in nlp.succeed("--stack", "dev", "teardown", "--yes")


def test_production_is_not_torn_down_while_its_data_is_protected(nlp: Commands) -> None:
    nlp.succeed("--stack", "prod", "deploy")
    refused = nlp.run("--stack", "prod", "teardown", "--yes")
    assert refused.returncode != 0
    assert "protected resources" in refused.stderr
    assert "Nothing was removed" in refused.stderr
    assert "unchanged" in nlp.succeed("--stack", "prod", "deploy")
