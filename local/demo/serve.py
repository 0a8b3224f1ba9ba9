"""`make serve`: the embedded AWS with the product on it, until it is stopped."""

from __future__ import annotations

import signal

from rich.console import Console

from local.aws.embedded_aws import EmbeddedAws
from local.demo.api_client import ApiUser
from local.demo.pipeline_client import add_companies
from local.demo.progress import Stages
from local.demo.walkthrough import read_names, show_deployment
from local.deploy.deployer import ROOT
from local.deploy.stack import LocalStack, deploy_to, findable, refuse_second


def serve(console: Console, live: bool, port: int, empty: bool) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    console
        Output.
    live
        Use texts of the real Wikipedia instead of the project's samples.
    port
        Port of the AWS endpoint; the text source has the next one.
    empty
        Deploy nothing.
    """
    refuse_second()
    stages = Stages(console)
    with stages.stage("Start an AWS on this machine, IAM enforced"):
        aws = EmbeddedAws(port=port, control_port=port + 1, live=live)
        aws.start()
    try:
        show_access(console, aws)
        if empty:
            console.print("\nNothing is deployed. [bold]pulumi up -s local[/] does it (see docs/deploying.md).")
            with findable(aws, None):
                _wait(console)
            return
        with stages.stage("Deploy the Pulumi program, stack local") as step:
            stack = deploy_to(aws, on_resource=step.advance)
        show_deployment(console, stack)
        add_companies(stack, read_names(ROOT / "companies.txt"))
        user = ApiUser(stack)
        show_stack(console, stack)
        show_api(console, stack, user)
        with findable(aws, stack.outputs, user):
            _wait(console)
    finally:
        aws.close()


def show_access(console: Console, aws: EmbeddedAws) -> None:
    """Show the environment variables for the AWS command line and SDKs."""
    console.print("\n[bold]For the AWS command line and any SDK[/]")
    settings = {"AWS_ENDPOINT_URL": aws.endpoint, "AWS_REGION": aws.region, **aws.credentials}
    for name, value in settings.items():
        console.print(f"  export {name}={value}", soft_wrap=True)


def show_stack(console: Console, stack: LocalStack) -> None:
    """Show the program's exports, and commands to try."""
    console.print("\n[bold]Deployed[/]")
    width = max(len(name) for name in stack.outputs)
    for name, value in sorted(stack.outputs.items()):
        console.print(f"  {name:<{width}}  {value}", soft_wrap=True)
    console.print(
        "\n[bold]In another terminal[/]\n"
        "  ./nlp companies list\n"
        "  ./nlp run --wait\n"
        "  ./nlp observations\n"
        "  ./nlp projects create Letters\n"
        "  ./nlp documents upload -p Letters local/samples/documents\n"
        "  ./nlp jobs start -p Letters translate --from en --to de --wait\n"
        "  ./nlp jobs download -p Letters latest --kind translate\n"
        f"  aws dynamodb scan --table-name {stack.outputs['companies_table']}   (after the exports above)",
        soft_wrap=True,
    )


def show_api(console: Console, stack: LocalStack, user: ApiUser) -> None:
    """Show how to call the API, with an access token."""
    url = stack.outputs["api_url"]
    console.print(
        f"\n[bold]The HTTP API, signed in as {user.email}[/] (the token is valid for 15 minutes; "
        "./nlp token prints another)\n"
        f"  export NLP_TOKEN={user.token}\n"
        f'  curl -H "Authorization: Bearer $NLP_TOKEN" {url}/projects\n'
        f"  curl {url}/openapi.json",
        soft_wrap=True,
    )


def _wait(console: Console) -> None:
    console.print("\nRunning. Ctrl-C stops it and leaves nothing behind.")
    signal.pause()
