"""`nlp doctor`: checks before a deployment, and the policy of whoever deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.environment import LOCAL
from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, progress, say, write_json
from cli.ui.text import counted, printable

if TYPE_CHECKING:
    from cli.aws.doctor.finding import Finding
    from cli.aws.doctor.surroundings import Surroundings

STYLES = {"ok": "green", "warning": "yellow", "failed": "red"}


@click.command(
    epilog=examples(
        "nlp --stack dev doctor",
        "nlp doctor --stack prod --json",
        "nlp --stack dev doctor --policy",
        "nlp --stack dev doctor --policy --read-only",
    )
)
@click.option("--policy", is_flag=True, help="Print the IAM policies of whoever deploys, and check nothing.")
@click.option("--read-only", is_flag=True, help="With --policy: only what a preview reads.")
@click.option("--account", metavar="ID", default="*", help="With --policy: the AWS account (default: any).")
@global_options()
@click.pass_obj
def doctor(invocation: Invocation, policy: bool, read_only: bool, account: str) -> None:
    """Check what a deployment needs: credentials, quotas, mail, domain and rights on AWS."""
    if not policy and (read_only or account != "*"):
        raise click.UsageError("--read-only and --account belong to --policy.")
    if policy:
        _print_policies(invocation.stack, account, read_only)
        return
    from cli.aws.doctor.checks import TOTAL, run_checks

    around = _surroundings(invocation)
    with progress(f"Checking stack {invocation.stack}", TOTAL, always=True) as finished:
        findings = run_checks(around, finished)
    if invocation.json:
        write_json({"stack": invocation.stack, "checks": findings})
    else:
        _show(findings)
    failed = [finding.check for finding in findings if finding.status == "failed"]
    if failed:
        raise CliError(f"{counted(len(failed), 'check')} failed ({', '.join(failed)}): the stack would not work.")
    if not invocation.json:
        hint(f"Next: nlp --stack {invocation.stack} deploy" if invocation.stack != LOCAL else "Next: nlp run --wait")


def _surroundings(invocation: Invocation) -> Surroundings:
    from cli.aws.doctor.surroundings import Surroundings, on_aws, on_deployment
    from cli.aws.stack_settings import read_settings

    settings = read_settings(invocation.stack)
    if settings.is_local:
        return Surroundings(settings, on_deployment(invocation.deployment))
    return Surroundings(settings, on_aws)


def _print_policies(stack: str, account: str, read_only: bool) -> None:
    from cli.aws.deployer.policy import policy_documents
    from cli.aws.stack_settings import read_settings

    region = read_settings(stack).region or "*"
    documents = policy_documents(stack=stack, region=region, account=account, read_only=read_only)
    write_json(documents)
    hint(f"{counted(len(documents), 'policy', 'policies')}: IAM limits the length of one. Attach all of them.")


def _show(findings: list[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        status = click.style(finding.status.ljust(len("warning")), fg=STYLES[finding.status])
        say(f"{status}  {finding.check.ljust(width)}  {printable(finding.message)}")
        if finding.advice:
            say(f"{'':7}  {'':{width}}  -> {printable(finding.advice)}")
