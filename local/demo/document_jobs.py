"""Second part of `make demo`: uploads documents, runs a batch job of each kind, downloads the results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.api_client import ApiError, ApiUser
from local.demo.progress import COLOURS, Stages, Step
from local.deploy.deployer import ROOT
from local.deploy.stack import LocalStack
from schema.jobs import ANALYSE_JOB, COMPLETED, TRANSLATE_JOB

SAMPLES = ROOT / "local" / "samples" / "documents"
RESULTS = ROOT / ".local" / "demo"
JOBS: dict[str, dict[str, Any]] = {ANALYSE_JOB.name: {}, TRANSLATE_JOB.name: {"source": "en", "target": "de"}}
_WAITING = "waiting"
_PHRASES = 3
# Descriptions of the states of a job's execution; states that take no time are not shown.
_STATES = {
    "MarkRunning": "record the start",
    "Process": "run on SageMaker",
    "Merge": "put results together",
    "MarkCompleted": "record the end",
    "MarkFailed": "record the failure",
}


def process_documents(console: Console, stages: Stages, stack: LocalStack, folder: Path = RESULTS) -> None:
    """Sign in, upload the sample documents, run a job of each kind, and show the results.

    Parameters
    ----------
    console, stages
        Output.
    stack
        The deployed product.
    folder
        Folder for results; files of the same names are replaced.

    Raises
    ------
    ApiError
        The API refused a request, or a job failed.
    """
    console.print("\n[bold]Documents, over the HTTP API[/]")
    samples = sorted(SAMPLES.iterdir())
    with stages.stage("Sign in with Amazon Cognito"):
        user = ApiUser(stack)
    with stages.stage("Create a project"):
        project = user.create_project("Northwind Water Works")
    with stages.stage(f"Upload {len(samples)} documents to Amazon S3", total=len(samples)) as step:
        for sample in samples:
            user.upload(project, sample.name, sample.read_bytes())
            step.advance()
    names = ", ".join(sample.name for sample in samples)
    console.print(f"  {names}", style="dim")
    for kind, options in JOBS.items():
        job = _run(console, stages, stack, user, project, kind, options)
        _download(stages, user, project, job, folder / kind)
    _show_analysis(console, folder / ANALYSE_JOB.name)
    _show_translation(console, folder / TRANSLATE_JOB.name)
    console.print(f"\n[bold]All results[/] {_shown(folder)}", soft_wrap=True)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        console.print(f"  {escape(file.relative_to(folder).as_posix())}", style="dim", soft_wrap=True)


def _run(
    console: Console,
    stages: Stages,
    stack: LocalStack,
    user: ApiUser,
    project: str,
    kind: str,
    options: dict[str, Any],
) -> str:
    with stages.stage(f"Job {kind}: {_WAITING}") as step:
        job = user.start_job(project, kind, options)
        execution = _execution(stack, kind, job)

        def follow(_: dict[str, Any]) -> None:
            _show_state(step, stack, execution, kind)

        ended = user.follow_job(project, job, follow)
        step.describe(f"Job {kind}: {ended['status']}")
    passed = " → ".join(_states(stack, execution))
    console.print(f"  {passed} → {ended['status']}", style="dim")
    if ended["status"] != COMPLETED:
        raise ApiError(f"The job {kind} {ended['status']}: {ended['cause']}")
    return job


def _show_state(step: Step, stack: LocalStack, execution: str, kind: str) -> None:
    states = [_WAITING, *_states(stack, execution)]
    step.describe(f"Job {kind}: {states[-1]}")


def _states(stack: LocalStack, execution: str) -> Iterator[str]:
    """Describe the states that an execution has entered, without those that take no time."""
    machines = stack.aws.client("stepfunctions")
    for page in machines.get_paginator("get_execution_history").paginate(executionArn=execution):
        for event in page["events"]:
            name = event.get("stateEnteredEventDetails", {}).get("name")
            if name in _STATES:
                yield _STATES[name]


def _execution(stack: LocalStack, kind: str, job: str) -> str:
    machine: str = stack.outputs["state_machines"][kind]
    return f"{machine.replace(':stateMachine:', ':execution:')}:{job}"


def _download(stages: Stages, user: ApiUser, project: str, job: str, folder: Path) -> None:
    with stages.stage(f"Download its results to {_shown(folder)}"):
        for name, content in user.results(project, job).items():
            # The sample documents have different names, so the document's id is left out of the path.
            parts = Path(name).parts
            file = folder / (parts[-1] if parts[0] == "documents" else name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _show_analysis(console: Console, folder: Path) -> None:
    analysis = json.loads((folder / "analysis.json").read_text())
    table = Table(box=None, pad_edge=False)
    for column in ("Document", "Language", "Sentiment"):
        table.add_column(column, no_wrap=True)
    table.add_column("Key phrases")
    for document in analysis["documents"]:
        name = document["name"].rpartition("/")[2]
        label = document["sentiment"]
        phrases = ", ".join(phrase["text"] for phrase in document["key_phrases"][:_PHRASES])
        table.add_row(escape(name), document["language"], f"[{COLOURS.get(label, 'dim')}]{label}[/]", escape(phrases))
    console.print("\n[bold]What the documents say[/]")
    console.print(table)


def _show_translation(console: Console, folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    totals, cost = report["totals"], report["estimated_cost"]
    console.print("\n[bold]A translation[/] [dim](the embedded AWS accents letters instead of translating)[/]")
    lines = (folder / "customer-letters.de.txt").read_text().splitlines()
    console.print(lines[0], style="dim", markup=False, no_wrap=True, overflow="ellipsis")
    console.print(
        f"  {totals['completed']} of {totals['documents']} documents, {totals['characters']:,} characters; "
        f"on AWS about {cost['amount']:.2f} {cost['currency']} and the instance's time",
        style="dim",
    )


def _shown(folder: Path) -> str:
    return str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)
