"""The command `nlp` itself: its subcommands, version, shell completion and errors."""

from __future__ import annotations

import click

from cli.environment import PROJECT_ROOT
from cli.options import Invocation, examples, global_options
from cli.ui.errors import explain
from cli.ui.lazy_group import LazyCommand, LazyGroup

COMPLETION_VARIABLE = "_NLP_COMPLETE"
# Name, place and summary of each command. `nlp --help` shows the summaries without importing the commands.
COMMANDS = (
    ("companies", "cli.commands.companies:companies", "Manage the companies that are watched."),
    ("dead-letters", "cli.commands.dead_letters:dead_letters", "See the messages that failed, and send them again."),
    ("deploy", "cli.commands.stacks:deploy", "Deploy a stack to AWS with Pulumi, making it when it is new."),
    (
        "doctor",
        "cli.commands.doctor:doctor",
        "Check what a deployment needs: credentials, quotas, mail, domain and rights on AWS.",
    ),
    ("documents", "cli.commands.documents:documents", "Manage the documents of a project."),
    ("jobs", "cli.commands.jobs:jobs", "Start, follow and cancel jobs over all documents, and download their files."),
    ("login", "cli.commands.login:login", "Sign in to the API."),
    ("logout", "cli.commands.login:logout", "Sign out."),
    ("observations", "cli.commands.observations:observations", "Show what was observed of companies."),
    ("preview", "cli.commands.stacks:preview", "Show what `nlp deploy` would change, changing nothing on AWS."),
    ("projects", "cli.commands.projects:projects", "Manage projects, which hold documents and jobs."),
    ("quotas", "cli.commands.quotas:quotas", "Show your quotas: what is used, what is left, and when it renews."),
    ("run", "cli.commands.run:run", "Start a run now: every company is analysed."),
    ("teardown", "cli.commands.stacks:teardown", "Remove everything that a stack has on AWS."),
    ("token", "cli.commands.login:token", "Print the access token, for curl and other programs."),
    ("users", "cli.commands.users:users", "Manage who may sign in, and their roles."),
)
# Former names. They still work, and tell the new name.
FORMER_COMMANDS = (
    (
        "results",
        "cli.commands.former_results:results",
        "Former name of `nlp observations`, and of `nlp jobs download`.",
    ),
)


class Nlp(LazyGroup):
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
        "nlp observations --company Nike --since 7d",
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


for command in COMMANDS:
    nlp.add_command(LazyCommand(*command))
for command in FORMER_COMMANDS:
    nlp.add_command(LazyCommand(*command, hidden=True))
