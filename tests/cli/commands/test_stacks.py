"""`nlp deploy`, `preview` and `teardown`: Pulumi's Automation API runs, its command-line tool is a stand-in."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.app import nlp

# Keeps its stacks in a JSON file, notes its calls, and tells the engine's events as Pulumi does: up to version
# 3.205 into a file, later by gRPC. Installed packages are looked for then only: most calls need none.
FAKE_PULUMI = """#!{python} -S
import json, os, sys
from pathlib import Path

folder = Path({folder!r})
world = json.loads((folder / "world.json").read_text())
arguments = [one for one in sys.argv[1:] if one != "--non-interactive"]
with (folder / "calls.txt").open("a") as calls:
    calls.write(" ".join(arguments) + "\\n")

def option(name):
    return arguments[arguments.index(name) + 1] if name in arguments else None

def fail(message):
    print(message, file=sys.stderr)
    sys.exit(255)

def save():
    (folder / "world.json").write_text(json.dumps(world))

def tell(events):
    log = option("--event-log")
    if not log.startswith("tcp://"):
        with open(log, "a") as file:
            file.writelines(json.dumps(event) + "\\n" for event in events)
        return
    import site
    site.main()
    import grpc
    from pulumi.runtime.proto import events_pb2, events_pb2_grpc
    with grpc.insecure_channel(log.removeprefix("tcp://")) as channel:
        requests = (events_pb2.EventRequest(event=json.dumps(event)) for event in events)
        events_pb2_grpc.EventsStub(channel).StreamEvents(requests)

def require(stack):
    if world.get("error"):
        fail(world["error"])
    if stack not in world["stacks"]:
        fail(f"error: no stack named '{{stack}}' found")

match arguments:
    case ["version"]:
        print(world["version"])
    case ["stack", "select", *_]:
        require(option("--stack"))
    case ["stack", "init", name]:
        world["stacks"].append(name)
        save()
    case ["stack", "rm", *_, name]:
        world["stacks"].remove(name)
        save()
    case ["stack", "output", *_]:
        require(option("--stack"))
        print(json.dumps(world["outputs"]))
    case ["stack", "history", *_]:
        entry = dict(kind="update", startTime="2026-11-21T06:52:00.000Z", message="", environment={{}}, config={{}})
        entry |= dict(result="succeeded", resourceChanges=world["changes"])
        print(json.dumps([entry]))
    case ["stack", "export", *_]:
        print(json.dumps({{"version": 3, "deployment": {{"resources": world["resources"]}}}}))
    case ["up" | "preview" | "destroy", *_]:
        tell(world["events"])
        if world.get("fails"):
            fail(world["fails"])
    case _:
        fail(f"error: unknown command {{arguments}}")
"""


def urn(name: str) -> str:
    return f"urn:pulumi:dev::cloud-nlp::aws:sqs/queue:Queue::{name}"


def step(kind: str, operation: str, name: str) -> dict[str, Any]:
    return {kind: {"metadata": {"op": operation, "urn": urn(name), "type": "aws:sqs/queue:Queue", "provider": ""}}}


def diagnostic(severity: str, message: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": severity, "message": message, "color": "raw", "urn": urn("work")}}


EVENTS = [
    step("resourcePreEvent", "create", "work"),
    step("resourcePreEvent", "same", "old"),
    step("resOutputsEvent", "same", "old"),
    diagnostic("warning", "<{%fg 3%}>careful<{%reset%}>\nsecond line"),
    diagnostic("debug", "not shown"),
    step("resOutputsEvent", "create", "work"),
    {"summaryEvent": {"durationSeconds": 1, "resourceChanges": {"create": 1, "same": 1}}},
    {"cancelEvent": {}},
]


@dataclass
class FakePulumi:
    folder: Path
    environment: dict[str, str | None]

    def set(self, **values: Any) -> None:
        self._write(self.world() | values)

    def world(self) -> dict[str, Any]:
        return json.loads((self.folder / "world.json").read_text(encoding="utf-8"))

    def _write(self, world: dict[str, Any]) -> None:
        (self.folder / "world.json").write_text(json.dumps(world), encoding="utf-8")

    def calls(self) -> list[str]:
        return (self.folder / "calls.txt").read_text(encoding="utf-8").splitlines()

    def invoke(self, *arguments: str, code: int = 0, **options: Any) -> Result:
        result = CliRunner().invoke(nlp, arguments, env=self.environment, prog_name="nlp", **options)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    tool = tmp_path / "bin" / "pulumi"
    tool.parent.mkdir()
    tool.write_text(FAKE_PULUMI.format(python=sys.executable, folder=str(tmp_path)), encoding="utf-8")
    tool.chmod(0o755)
    path = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
    # No credentials, and no wait for those that a machine on AWS would have.
    alone = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": ""}
    fake = FakePulumi(tmp_path, {"PATH": path, "NLP_STACK": None, "NLP_OUTPUTS": None, **alone})
    fake._write(
        {
            "version": "v3.200.0",
            "stacks": ["dev"],
            "outputs": {},
            "changes": {"create": 1, "same": 1},
            "events": EVENTS,
            "resources": [],
        }
    )
    return fake


@pytest.mark.parametrize("version", ["v3.200.0", "v3.272.0"])
def test_deploy_streams_operations(pulumi: FakePulumi, version: str) -> None:
    pulumi.set(version=version)
    result = pulumi.invoke("--stack", "dev", "deploy", "--refresh")
    operation, summary = result.stdout.splitlines()
    assert operation.split() == ["create", "aws:sqs/queue:Queue", "work"]
    assert summary.startswith("Stack dev deployed: 1 created, 1 unchanged, in ")
    assert "warning: work: careful\nwarning: work: second line\n" in result.stderr
    assert "not shown" not in result.stderr
    # Only editors may add companies, which the next hint asks for.
    assert "Next: nlp --stack dev users add EMAIL --role editor, then" in result.stderr
    (up,) = [call for call in pulumi.calls() if call.startswith("up ")]
    assert "--yes" in up
    assert "--refresh" in up
    assert up.endswith("--stack dev")


def test_deploy_as_json_is_one_object_a_line(pulumi: FakePulumi) -> None:
    lines = [json.loads(line) for line in pulumi.invoke("deploy", "--stack", "dev", "--json").stdout.splitlines()]
    assert [line["event"] for line in lines] == ["diagnostic", "resource", "summary"]
    resource = {"operation": "create", "type": "aws:sqs/queue:Queue", "name": "work", "status": "done"}
    assert lines[1] == {"event": "resource", **resource}
    assert lines[2]["changes"] == {"create": 1, "same": 1}
    assert not any("--refresh" in call for call in pulumi.calls())


def test_deploy_makes_a_new_stack(pulumi: FakePulumi) -> None:
    pulumi.invoke("--stack", "prod", "deploy")
    assert "stack init prod" in pulumi.calls()


@pytest.mark.parametrize("command", ["deploy", "preview"])
@pytest.mark.parametrize("name", ["prd", "../x"])
def test_a_name_without_settings_does_not_become_a_stack(pulumi: FakePulumi, command: str, name: str) -> None:
    result = pulumi.invoke("--stack", name, command, code=1)
    assert f"There is no Pulumi.{name}.yaml" in result.stderr
    with pytest.raises(FileNotFoundError):  # Pulumi was never called
        pulumi.calls()


@pytest.mark.parametrize("version", ["v3.200.0", "v3.272.0"])
def test_preview_shows_what_is_planned(pulumi: FakePulumi, version: str) -> None:
    pulumi.set(version=version)
    result = pulumi.invoke("--stack", "dev", "preview")
    operation, summary = result.stdout.splitlines()
    assert operation.split() == ["create", "aws:sqs/queue:Queue", "work"]
    assert summary.startswith("Stack dev previewed: 1 to create, in ")
    assert not any(call.startswith("up ") for call in pulumi.calls())


def test_failed_deployment_names_what_failed(pulumi: FakePulumi) -> None:
    events = [
        diagnostic("error", "creating SQS Queue: AccessDenied\nmore"),
        step("resOpFailedEvent", "create", "work"),
        {"cancelEvent": {}},
    ]
    pulumi.set(events=events, fails="error: update failed")
    result = pulumi.invoke("--stack", "dev", "deploy", code=1)
    assert "create failed" in result.stdout
    assert "nlp: 1 resource failed (work): creating SQS Queue: AccessDenied." in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", "pulumi login"),
        ("error: [409] Conflict: Another update is currently in progress.", "pulumi cancel -s dev"),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "set PULUMI_CONFIG_PASSPHRASE"),
        ("warning: x\nerror: something else", "nlp: Pulumi failed: something else\n"),
    ],
)
def test_expected_failures_of_pulumi(pulumi: FakePulumi, error: str, expected: str) -> None:
    pulumi.set(error=error)
    for command in ("deploy", "preview", "teardown", "observations"):
        shown = pulumi.invoke("--stack", "dev", command, code=1).stderr.splitlines(keepends=True)[-1]
        assert expected in shown


def test_missing_pulumi_tells_how_to_get_it(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.environment["PATH"] = str(tmp_path)
    for command in ("deploy", "preview", "teardown", "observations"):
        error = pulumi.invoke("--stack", "dev", command, code=1).stderr
        assert "brew install pulumi/tap/pulumi" in error
        assert "curl -fsSL https://get.pulumi.com | sh" in error
        assert "pulumi.com/docs/install" in error
        assert "NLP_OUTPUTS=FILE" in error


def test_preview_that_tells_too_little(pulumi: FakePulumi) -> None:
    pulumi.set(events=[{"cancelEvent": {}}])
    assert "nlp: Pulumi failed: summary event" in pulumi.invoke("--stack", "dev", "preview", code=1).stderr


def test_old_pulumi_is_refused(pulumi: FakePulumi) -> None:
    pulumi.set(version="v2.25.0")
    assert "update the Pulumi CLI" in pulumi.invoke("--stack", "dev", "deploy", code=1).stderr


def test_pulumi_that_does_not_start(pulumi: FakePulumi) -> None:
    (pulumi.folder / "bin" / "pulumi").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    assert "Pulumi does not start" in pulumi.invoke("--stack", "dev", "deploy", code=1).stderr


def test_local_stack_is_explained(pulumi: FakePulumi) -> None:
    for command in ("deploy", "preview", "teardown"):
        error = pulumi.invoke(command, code=1).stderr
        assert all(words in error for words in ("make serve", "make demo", "pulumi up -s local"))
    assert not (pulumi.folder / "calls.txt").exists()


def test_teardown_leaves_nothing_but_the_settings_file(pulumi: FakePulumi) -> None:
    pulumi.set(changes={"delete": 2}, events=[step("resOutputsEvent", "delete", "work"), {"cancelEvent": {}}])
    result = pulumi.invoke("--stack", "dev", "teardown", "--yes")
    assert result.stdout.splitlines()[0].split() == ["delete", "aws:sqs/queue:Queue", "work"]
    assert "Stack dev removed: 2 deleted, in " in result.stdout
    assert pulumi.world()["stacks"] == []
    assert pulumi.calls()[-1] == "stack rm --yes --preserve-config dev"


def test_teardown_may_keep_the_stack(pulumi: FakePulumi) -> None:
    assert "Stack dev emptied" in pulumi.invoke("--stack", "dev", "teardown", "-y", "--no-remove").stdout
    assert pulumi.world()["stacks"] == ["dev"]


def test_teardown_asks_for_the_name(pulumi: FakePulumi) -> None:
    assert "Stack dev removed" in pulumi.invoke("--stack", "dev", "teardown", input="dev\n").stdout
    pulumi.set(stacks=["dev"])
    for answer in ("yes\n", ""):
        assert "Nothing was removed" in pulumi.invoke("--stack", "dev", "teardown", input=answer, code=1).stderr
    assert len([call for call in pulumi.calls() if call.startswith("destroy")]) == 1


def test_teardown_of_protected_resources_is_refused(pulumi: FakePulumi) -> None:
    resources = [
        {"urn": urn("work"), "type": "aws:sqs/queue:Queue", "protect": True},
        {"urn": urn("dead"), "type": "aws:sqs/queue:Queue"},
    ]
    pulumi.set(resources=resources)
    error = pulumi.invoke("--stack", "dev", "teardown", "--yes", code=1).stderr
    assert "1 protected resource: work (aws:sqs/queue:Queue). Nothing was removed." in error
    assert "Pulumi.dev.yaml" in error
    assert not any(call.startswith("destroy") for call in pulumi.calls())


def test_teardown_of_a_missing_stack(pulumi: FakePulumi) -> None:
    assert "There is no stack 'mine'" in pulumi.invoke("--stack", "mine", "teardown", "--yes", code=1).stderr


def test_a_failed_teardown_keeps_the_stack(pulumi: FakePulumi) -> None:
    pulumi.set(events=[step("resOpFailedEvent", "delete", "work"), {"cancelEvent": {}}], fails="error: update failed")
    assert "1 resource failed (work)" in pulumi.invoke("--stack", "dev", "teardown", "-y", code=1).stderr
    assert pulumi.world()["stacks"] == ["dev"]


def test_outputs_of_a_stack_that_was_never_deployed(pulumi: FakePulumi) -> None:
    assert (
        "is not deployed: run `nlp --stack dev deploy`"
        in pulumi.invoke("--stack", "dev", "companies", "list", code=1).stderr
    )
    assert "There is no stack 'mine'" in pulumi.invoke("--stack", "mine", "companies", "list", code=1).stderr
