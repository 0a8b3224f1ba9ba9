"""Make the state that an earlier program leaves, from which the upgrade test starts.

    git worktree add /tmp/earlier 6a5cfe6
    .venv/bin/python -m tests.engine.upgrade /tmp/earlier

deploys the `prod` stack of that program on the real engine with the recording provider, and writes `state.json.gz`
beside this file. Run it with an environment in which that program runs. What tells of the machine is left out: folders,
times, and the lines of code that made a resource. So are the lists of files in archives: the engine compares hashes.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.engine.project import copy_project
from tests.engine.pulumi_cli import pulumi_cli
from tests.engine.stacks import Engine

# It has every resource of the others but the local one's rule for browsers, and protects its data.
STACK = "prod"
STATE = Path(__file__).with_name("state.json.gz")
_OF_THE_MACHINE = {"created", "modified", "sourcePosition", "stackTrace"}
_FOLDER = "/project"
_FILES = "assets"


def earlier_state() -> dict[str, Any]:
    """The state as it was exported."""
    return json.loads(gzip.decompress(STATE.read_bytes()))


def without_machine(value: Any, folder: str) -> Any:
    """Leave out times, lines of code and lists of files, and put a folder that is nobody's in the program's place."""
    if isinstance(value, dict):
        kept = {key: without_machine(inner, folder) for key, inner in value.items() if key not in _OF_THE_MACHINE}
        return {**kept, _FILES: {}} if _FILES in kept else kept
    if isinstance(value, list):
        return [without_machine(inner, folder) for inner in value]
    return value.replace(folder, _FOLDER) if isinstance(value, str) else value


def make_state(source: Path) -> dict[str, Any]:
    """Deploy a program and export its state."""
    with tempfile.TemporaryDirectory() as temporary:
        project = copy_project(Path(temporary) / "project", source)
        stack = Engine.install(pulumi_cli(), Path(temporary)).stack(STACK, STACK, project)
        stack.up()
        assert stack.up().steps == []
        deployment = stack.deployment()
        deployment.pop("secrets_providers", None)  # nothing in it is secret
        deployment["manifest"]["time"] = "2026-01-01T00:00:00Z"
        return without_machine(deployment, str(project.folder))


if __name__ == "__main__":
    text = json.dumps(make_state(Path(sys.argv[1])), sort_keys=True, separators=(",", ":"))
    STATE.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{STATE}: {STATE.stat().st_size:,} bytes")
