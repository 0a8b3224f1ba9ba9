"""A new kind of job is one declaration and one program: everything else follows, in a copy of the project."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pulumi_mocks import ROOT_FOLDER

COPIED = ("cli", "components", "docs", "handlers", "local", "requirements", "schema", "settings", "tests")
DECLARATION = """
COUNT_JOB = JobKind(
    name="word-count",
    summary="Count the words of all documents of the project.",
    program="handlers.batch.count.job",
    options=(
        Option(name="unit", flag="--unit", description="unit to count", choices=("words", "lines"), required=True),
        Option(name="at_least", flag="--at-least", description="smallest count", minimum=1, default=1),
        Option(
            name="language",
            flag="--language",
            description="language of the documents",
            choices=("en",),
            service="Amazon Comprehend",
            default="en",
        ),
    ),
    channels=(DOCUMENTS,),
)

"""
PROGRAM = '''"""Program of `word-count` jobs."""

from __future__ import annotations

import json
from typing import Any

from handlers.batch.budget import Budget
from handlers.batch.job import Job
from handlers.batch.report import Report, completed, now, report_of_job


def run(job: Job, options: Any) -> Report:
    """Count the words or lines of each document."""
    started = now()
    split = str.split if options.unit == "words" else str.splitlines
    names = job.document_names()
    counts = {name: len(split((job.documents / name).read_text())) for name in names}
    job.output.mkdir(parents=True, exist_ok=True)
    kept = {name: count for name, count in counts.items() if count >= options.at_least}
    (job.output / "counts.json").write_text(json.dumps(kept))
    return report_of_job(job, [completed(name, Budget(60)) for name in names], started)
'''
CHANGED = {"schema/jobs.py", "handlers/batch/count/__init__.py", "handlers/batch/count/job.py"}
OPTIONS = {"unit": "words", "at_least": 2, "language": "en"}

IN_THE_API = """
import json, sys
from handlers.api.support.description import description
from tests.handlers.api.harness import Api

user = Api(sys.argv[1]).user()
project = user.ready()
body = {"kind": "word-count", "options": {"unit": "words", "at_least": 2}}
job = user.ok("jobs_create", project, body=body)
wrong = user("jobs_create", project, body={"kind": "word-count", "options": {"unit": "pages"}}).json
print(json.dumps([job, wrong["errors"], description()["components"]["schemas"]["NewWordCountJob"]]))
"""
IN_THE_STACK = """
import json
from tests.support.pulumi_mocks import evaluate_program

stack = evaluate_program("local")
[machine] = [
    one.inputs["definition"]
    for one in stack.of("aws:sfn/stateMachine:StateMachine")
    if one.name.endswith("word-count")
]
print(json.dumps([stack.outputs["state_machines"], json.loads(machine)["States"]["Process"]["Arguments"]]))
"""
IN_THE_SETTINGS = """
import json
from settings import SettingsError, parse_settings

def schedules(options):
    job = {"label": "daily", "kind": "word-count", "schedule": "rate(1 day)", "project": "p", "options": options}
    return parse_settings({"jobs": json.dumps({"schedules": [job]})}, "dev").jobs.schedules

[given] = schedules({"unit": "lines", "at_least": 3})
try:
    schedules({"unit": "pages", "at_least": 0})
except SettingsError as error:
    print(json.dumps([given.options_json, str(error)]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project with a further kind of job."""
    folder = tmp_path_factory.mktemp("copy") / "project"
    no_caches = shutil.ignore_patterns("__pycache__", "*.pyc")
    folder.mkdir()
    for path in ROOT_FOLDER.iterdir():
        if path.name in COPIED:
            shutil.copytree(path, folder / path.name, ignore=no_caches)
        elif path.is_file():
            shutil.copy(path, folder)
    declarations = folder / "schema" / "jobs.py"
    text = declarations.read_text()
    start = text.index("KINDS: Mapping")
    kinds = text[start:].replace("ANALYSE_JOB)}", "ANALYSE_JOB, COUNT_JOB)}", 1)
    declarations.write_text(text[:start] + DECLARATION.lstrip() + "\n" + kinds)
    (folder / "handlers" / "batch" / "count").mkdir()
    (folder / "handlers" / "batch" / "count" / "__init__.py").touch()
    (folder / "handlers" / "batch" / "count" / "job.py").write_text(PROGRAM)
    yield folder
    shutil.rmtree(folder)


def run(project: Path, *command: str, environment: dict[str, str] | None = None, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + (done.stderr if code else "")


def last_line(output: str) -> Any:
    return json.loads(output.splitlines()[-1])


def test_only_the_declaration_and_the_program_are_new(project: Path) -> None:
    paths = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    changed = {
        path
        for path in paths
        if not (ROOT_FOLDER / path).exists() or not filecmp.cmp(ROOT_FOLDER / path, project / path, shallow=False)
    }
    assert changed == CHANGED


def test_the_api_starts_such_jobs(project: Path, aws_endpoint: str) -> None:
    job, errors, described = last_line(run(project, "-c", IN_THE_API, aws_endpoint))
    assert (job["kind"], job["status"], job["options"]) == ("word-count", "running", OPTIONS)
    assert errors == [{"field": "options.unit", "expected": "one of words, lines"}]
    assert described["description"] == "Count the words of all documents of the project."


def test_the_settings_take_schedules_of_them(project: Path) -> None:
    options, mistakes = last_line(run(project, "-c", IN_THE_SETTINGS))
    assert options == '{"at_least":3,"unit":"lines"}'
    assert mistakes.splitlines()[1:] == [
        '  cloud-nlp:jobs.schedules[0].options.unit: "pages"; expected one of words, lines (unit to count)',
        "  cloud-nlp:jobs.schedules[0].options.at_least: 0; expected a whole number from 1 (smallest count)",
    ]


def test_the_command_line_offers_them(project: Path) -> None:
    shown = " ".join(run(project, "-m", "cli", "jobs", "start", "--help").split())
    assert "{translate|analyse|word-count}" in shown
    assert "--unit [words|lines] word-count: unit to count." in shown
    assert "analyse: language of all documents. [default: detected for each document] word-count: language of" in shown
    started = ("-m", "cli", "jobs", "start", "-p", "Contracts", "word-count")
    assert "has no --to" in run(project, *started, "--to", "de", code=2)
    assert "such as: --unit words" in run(project, *started, code=2)
    assert "x>=1" in run(project, *started, "--unit", "words", "--at-least", "0", code=2)


@pytest.mark.parametrize(
    ("options", "counts"),
    [(OPTIONS, {"1/a.txt": 3}), ({"unit": "lines"}, {"1/a.txt": 2, "2/b.txt": 1})],
)
def test_the_batch_program_runs_them(
    project: Path, tmp_path: Path, options: dict[str, Any], counts: dict[str, int]
) -> None:
    root = tmp_path / "processing"
    for name, text in {"1/a.txt": "one two\nthree", "2/b.txt": "one"}.items():
        path = root / "input" / "documents" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    variables = {
        "PROCESSING_ROOT": str(root),
        "JOB_KIND": "word-count",
        "JOB_ID": "job-1",
        "JOB_OPTIONS": json.dumps(options),
    }
    run(project, "handlers/batch/run.py", environment=variables)
    report = json.loads((root / "output" / "report.json").read_bytes())
    assert (report["kind"], report["totals"]["completed"]) == ("word-count", 2)
    assert json.loads((root / "output" / "counts.json").read_bytes()) == counts


def test_the_stack_has_a_state_machine_for_them(project: Path) -> None:
    machines, arguments = last_line(run(project, "-c", IN_THE_STACK))
    assert machines.keys() == {"analyse", "translate", "word-count"}
    assert "'JOB_KIND': 'word-count'" in arguments["Environment"]
    assert arguments["ProcessingJobName"].startswith("{% 'word-count-' & $job.job")
