"""The command as a whole: finding a deployment, global options, help, completion, errors and start-up time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from botocore import exceptions
from click.testing import CliRunner, Result

from cli.app import COMMANDS, FORMER_COMMANDS, nlp
from cli.environment import PROJECT_ROOT
from cli.ui.errors import CliError, explain
from cli.ui.lazy_group import LazyCommand
from tests.support.cli_aws import Product

CLEAN = {"NLP_STACK": None, "NLP_OUTPUTS": None, "NLP_STATE": None}


def invoke(*arguments: str, code: int = 0, **environment: str) -> Result:
    result = CliRunner().invoke(nlp, arguments, env={**CLEAN, **environment}, prog_name="nlp")
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, listed in group.commands.items():
        command = listed.load() if isinstance(listed, LazyCommand) else listed
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL_COMMANDS = dict(commands(nlp))


@pytest.mark.parametrize(("name", "place", "summary"), [*COMMANDS, *FORMER_COMMANDS])
def test_listed_summaries_are_those_of_the_commands(name: str, place: str, summary: str) -> None:
    command = ALL_COMMANDS[(name,)]
    assert (command.name, command.get_short_help_str(limit=200)) == (name, summary), place


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_help_shows_examples(path: tuple[str, ...]) -> None:
    shown = invoke(*path, "--help").stdout
    assert re.search(r"Examples:\n +.*nlp ", shown)
    if path != ("completion",):
        assert "--stack" in shown
        assert "--json" in shown


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert invoke("--version").stdout == f"nlp {project['version']}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    assert "_NLP_COMPLETE" in invoke("completion", shell).stdout


def complete(words: str) -> str:
    """Complete the last word, which is empty after a space."""
    position = str(len(words.split(" ")) - 1)
    environment = {"_NLP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": position}
    return CliRunner().invoke(nlp, env=environment, prog_name="nlp").stdout


def test_completion_of_commands_and_options() -> None:
    assert "plain,dead-letters" in complete("nlp ")
    assert "plain,redrive" in complete("nlp dead-letters ")
    assert "plain,--wait" in complete("nlp run --w")
    assert "plain,download" in complete("nlp jobs ")
    assert "plain,--force" in complete("nlp jobs download --f")


def test_usage_errors_have_exit_code_2() -> None:
    assert "No such command" in invoke("no-such-command", code=2).stderr
    assert "No such option" in invoke("run", "--no-such-option", code=2).stderr


def test_no_local_deployment(tmp_path: Path) -> None:
    error = invoke("companies", "list", code=1, NLP_STATE=str(tmp_path / "state.json")).stderr
    assert "run `make serve`" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ('{"endpoint": "http://127.0.0.1:1", "region": "r", "outputs": {}}', "does not answer any more"),
        ("{", "is not a JSON object"),
        ('{"endpoint": 5}', "does not describe a local deployment"),
    ],
)
def test_bad_local_deployment(tmp_path: Path, state: str, expected: str) -> None:
    (tmp_path / "state.json").write_text(state, encoding="utf-8")
    error = invoke("observations", code=1, NLP_STATE=str(tmp_path / "state.json")).stderr
    assert expected in error
    assert error.count("\n") == 1


def test_missing_output(product: Product) -> None:
    state = json.loads(product.state_file.read_text(encoding="utf-8"))
    del state["outputs"]["companies_table"]
    product.state_file.write_text(json.dumps(state), encoding="utf-8")
    assert "no output 'companies_table'" in product.invoke("observations", code=1).stderr


def test_outputs_file_needs_no_pulumi(product: Product, tmp_path: Path) -> None:
    product.add("Nike")
    product.observe("Nike", "latest")
    file = tmp_path / "dev.json"
    file.write_text(json.dumps(product.outputs), encoding="utf-8")
    environment = {
        "NLP_OUTPUTS": str(file),
        "AWS_ENDPOINT_URL": product.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PATH": "",
    }
    assert product.json("--stack", "dev", "observations", env=environment)[0]["company"] == "Nike"
    # The file is also used when no stack is chosen, but never for the local one.
    environment["NLP_STATE"] = str(tmp_path / "none.json")
    assert product.json("observations", env=environment)[0]["company"] == "Nike"
    assert "make serve" in product.invoke("--stack", "local", "observations", code=1, env=environment).stderr


def test_missing_outputs_file() -> None:
    error = invoke("--stack", "dev", "observations", code=1, NLP_OUTPUTS="missing.json").stderr
    assert "Cannot read missing.json (NLP_OUTPUTS)" in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("--stack", "local", "--json", "companies", "list"),
        ("companies", "--stack", "local", "--json", "list"),
        ("companies", "list", "--stack", "local", "--json"),
        ("--stack", "other", "companies", "list", "--json", "--stack", "local"),
    ],
)
@pytest.mark.usefixtures("companies_api")
def test_global_options_anywhere(product: Product, arguments: tuple[str, ...]) -> None:
    product.add("Nike")
    shown = product.invoke(*arguments, env={"NLP_STACK": "another"}).stdout
    assert json.loads(shown)[0]["name"] == "Nike"


def test_stack_from_the_environment() -> None:
    error = invoke("companies", "list", code=1, NLP_STACK="dev", NLP_OUTPUTS="missing.json").stderr
    assert "missing.json" in error


def answer(code: str, message: str = "The reason.") -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "Scan")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answer("AccessDeniedException"), "Access denied to Scan: The reason."),
        (answer("ExpiredTokenException"), "aws sso login"),
        (answer("UnrecognizedClientException"), "AWS_PROFILE"),
        (answer("ThrottlingException"), "try again in a minute"),
        (answer("ResourceNotFoundException"), "deploy it again"),
        (answer("ValidationException"), "Scan failed with ValidationException: The reason."),
        (exceptions.NoCredentialsError(), "No AWS credentials"),
        (exceptions.UnauthorizedSSOTokenError(), "sign-in has expired"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "not reachable"),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), "not reachable"),
        (exceptions.ConnectionClosedError(endpoint_url="https://x"), "not reachable"),
        (exceptions.ProfileNotFound(profile="x"), "AWS_PROFILE"),
    ],
)
def test_expected_failures_are_explained(error: Exception, expected: str) -> None:
    explained = explain(error)
    assert isinstance(explained, CliError)
    assert expected in explained.message
    assert explained.exit_code == 1


def test_unexpected_failures_keep_their_traceback() -> None:
    assert explain(KeyError("x")) is None


def test_failure_of_a_request_is_one_line(product: Product) -> None:
    product.client("dynamodb").delete_table(TableName=product.outputs["companies_table"])
    error = product.invoke("observations", code=1).stderr
    assert error.startswith("nlp: Scan found nothing under the deployment's name")
    assert error.count("\n") == 1


# Runs the command line and names on stderr, when it ends, all modules that were imported. (Python's -X importtime does
# not name those that `importlib.import_module` imports.)
LISTING_MODULES = """
import atexit, runpy, sys
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
runpy.run_module("cli", run_name="__main__")
"""


def run_cli(*arguments: str, start: tuple[str, ...] = ("-m", "cli"), **environment: Any) -> Any:
    return subprocess.run(
        [sys.executable, *start, *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def imported(*arguments: str, **environment: Any) -> tuple[set[str], list[str]]:
    """Run a command: which modules it imports, and what it prints."""
    done = run_cli(*arguments, start=("-c", LISTING_MODULES), **environment)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split()), done.stdout.splitlines()


def test_help_imports_nothing_slow_and_no_command() -> None:
    modules, _ = imported("--help")
    assert "click" in modules
    assert modules.isdisjoint({"boto3", "botocore", "httpx", "rich", "pulumi", "msgspec", "concurrent.futures"})
    assert [
        module for module in modules if module.startswith(("cli.commands", "cli.aws", "cli.api", "schema.jobs"))
    ] == []


def test_a_command_imports_no_other_command() -> None:
    modules, _ = imported("jobs", "--help")
    of_commands = {target.partition(":")[0] for _, target, _ in COMMANDS}
    assert modules & of_commands == {"cli.commands.jobs"}
    assert "cli.commands.job_download" not in modules
    assert modules.isdisjoint({"boto3", "botocore", "httpx", "rich", "pulumi", "msgspec"})


def test_observations_of_the_local_stack_need_no_pulumi(product: Product) -> None:
    product.add("Nike")
    product.observe("Nike", "latest")
    modules, shown = imported("observations", NLP_STATE=str(product.state_file))
    assert shown[1].startswith("Nike")
    assert "boto3" in modules
    assert "pulumi" not in modules


def test_piped_output_has_no_colours(product: Product) -> None:
    product.add("Nike")
    product.observe("Nike", "latest")
    done = run_cli("observations", NLP_STATE=str(product.state_file))
    assert "POSITIVE" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
