"""`make demo`: deploys the program on this machine, analyses companies, runs document jobs, shows the results."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.aws.embedded_aws import EmbeddedAws
from local.demo.document_jobs import process_documents
from local.demo.pipeline_client import add_companies, follow_run, read_object, result_objects, start_run
from local.demo.progress import COLOURS, Stages
from local.deploy.deployer import Resource
from local.deploy.stack import LocalStack, deploy_to
from schema.companies import OBSERVATION_KEY
from schema.csv_rows import read_rows, write_rows
from schema.dynamodb import decode

# Width of a bar, and of a terminal that has room for bars, in characters.
_BAR = 12
_WIDE = 110


def demo(console: Console, live: bool, companies: list[str]) -> None:
    """Run the demonstration from start to end.

    Parameters
    ----------
    console
        Output.
    live
        Use texts of the real Wikipedia instead of the project's samples.
    companies
        Names of the companies to analyse.
    """
    stages = Stages(console)
    with stages.stage("Start an AWS on this machine, IAM enforced"):
        aws = EmbeddedAws(live=live)
        aws.start()
    try:
        with stages.stage("Deploy the Pulumi program, stack local") as step:
            stack = deploy_to(aws, on_resource=step.advance)
        show_deployment(console, stack)
        observe(console, stages, stack, companies)
        process_documents(console, stages, stack)
    finally:
        aws.close()
    show_next(console)


def observe(console: Console, stages: Stages, stack: LocalStack, companies: list[str]) -> None:
    """Run the pipeline twice over companies and show the results."""
    with stages.stage(f"Put {len(companies)} companies on the watch-list"):
        add_companies(stack, companies)
    runs: list[str] = []
    for title in ("First run: analyse everything", "Second run: analyse what changed"):
        calls = _comprehend_calls(stack)
        with stages.stage(title, total=len(companies)) as step:
            runs.append(start_run(stack)["run"])
            observations = [decode(item) for item in follow_run(stack, runs[-1], companies, step.reach)]
        unchanged = sum(item["unchanged"] for item in observations)
        made = _comprehend_calls(stack) - calls
        console.print(f"  {len(observations)} observed, {unchanged} unchanged, {made} Comprehend calls", style="dim")
    show_observations(console, observations)
    show_object(console, stack, runs[0])  # the second run found nothing new, so it has no rows


def show_deployment(console: Console, stack: LocalStack) -> None:
    """Show the number of resources per service."""
    counts = Counter(_service(resource) for resource in stack.deployment.resources)
    made = ", ".join(f"{service} {count}" for service, count in sorted(counts.items()))
    console.print(f"  {sum(counts.values())} resources: {made}", style="dim")


def show_observations(console: Console, observations: list[dict[str, Any]]) -> None:
    """Show each company's label and scores."""
    bar = _BAR if console.is_terminal and console.width >= _WIDE else 0
    table = Table(box=None, pad_edge=False)
    table.add_column("Company", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("Sentiment", no_wrap=True)
    for column in ("Positive", "Negative", "Neutral", "Mixed"):
        table.add_column(column, no_wrap=True)
    for item in observations:
        label = item["label"]
        scores = [_score(item, name, bar) for name in ("positive", "negative", "neutral", "mixed")]
        table.add_row(escape(item[OBSERVATION_KEY]), f"[{COLOURS.get(label, 'dim')}]{label}[/]", *scores)
    console.print("\n[bold]Sentiment of each company[/]")
    console.print(table)


def show_object(console: Console, stack: LocalStack, run: str) -> None:
    """Show the first rows of one of a run's result objects."""
    key = min(result_objects(stack, run))
    rows = [row for _, row in read_rows(read_object(stack, key))]
    console.print(f"\n[bold]A result object[/] s3://{stack.outputs['results_bucket']}/{key}", soft_wrap=True)
    for row in rows[:4]:
        line = write_rows([row]).decode().rstrip()
        console.print(line, style="dim", markup=False, highlight=False, no_wrap=True, overflow="ellipsis")


def show_next(console: Console) -> None:
    """Show where to go from here."""
    console.print(
        "\n[bold]Where to go next[/]\n"
        "  make serve             keep all of this running; then, in another terminal:\n"
        "    ./nlp companies list     ./nlp run --wait     ./nlp observations\n"
        "  make demo ARGS=--live  the same with Wikipedia's own texts\n"
        "  make test              prove that it works\n"
        "  make up STACK=dev      deploy to your AWS account (see docs/deploying.md)"
    )


def read_names(file: Path) -> list[str]:
    """Read a watch-list: one name per line, without comments and blank lines."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def _comprehend_calls(stack: LocalStack) -> int:
    return sum(stack.aws.control.requests().get("comprehend", {}).values())


def _service(resource: Resource) -> str:
    return resource.type.split(":")[1].partition("/")[0]


def _score(item: dict[str, Any], name: str, bar: int) -> str:
    if name not in item:
        return ""
    score = float(item[name])
    drawn = f"[{COLOURS[name.upper()]}]{'█' * round(score * bar):<{bar}}[/] " if bar else ""
    return f"{drawn}{score:.2f}"
