"""The command `nlp` itself: its subcommands, version, shell completion and errors."""

from __future__ import annotations

import click

from cli.aws.deployment import PROJECT_ROOT
from cli.commands.companies import companies
from cli.commands.dead_letters import dead_letters
from cli.commands.documents import documents
from cli.commands.jobs import jobs
from cli.commands.login import login, logout, token
from cli.commands.projects import projects
from cli.commands.results import results
from cli.commands.run import run
from cli.commands.stacks import deploy, preview, teardown
from cli.commands.users import users
from cli.errors import explain
from cli.ui.options import Invocation, examples, global_options

COMPLETION_VARIABLE = "_NLP_COMPLETE"


class Nlp(click.Group):
    """A group whose expected failures are one line on stderr."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            explained = explain(error)
            if explained is None:
                raise
            raise explained from error


def _print_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    import tomllib

    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    click.echo(f"nlp {project['version']}")
    context.exit()


@click.group(
    cls=Nlp,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "nlp companies add -i Nike -i Adidas",
        "nlp run --wait",
        "nlp results --company Nike --since 7d",
        "nlp documents upload -p Contracts *.docx",
        "nlp jobs start -p Contracts translate --to de --wait",
        "nlp --stack dev deploy",
        'eval "$(nlp completion bash)"',
    ),
)
@global_options(environment=True)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def nlp(context: click.Context) -> None:
    """Watch what the world says of companies, translate and analyse documents, and deploy all of it."""
    context.ensure_object(Invocation)


@nlp.command(epilog=examples('eval "$(nlp completion bash)"', "nlp completion zsh >> ~/.zshrc"))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes nlp's commands and options in a shell."""
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None  # noqa: S101 - click has all three shells
    click.echo(complete(nlp, {}, "nlp", COMPLETION_VARIABLE).source())


COMPANIES = (companies, run, results, dead_letters)
DOCUMENTS = (login, logout, token, users, projects, documents, jobs)

for command in (*COMPANIES, *DOCUMENTS, deploy, preview, teardown):
    nlp.add_command(command)
