"""`make demo` and `make serve`."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.aws.embedded_aws import EmbeddedAwsError
from local.demo.api_client import ApiError
from local.demo.pipeline_client import RunError
from local.deploy.deployer import ROOT, DeployError
from local.deploy.stack import StackError

console = Console(highlight=False)


@click.group()
def main() -> None:
    """Cloud NLP on this machine."""
    # SIGTERM and SIGHUP clean up as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))


@main.command()
@click.option("--live", is_flag=True, help="Use texts of the real Wikipedia (needs the internet).")
@click.option(
    "--companies",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=ROOT / "companies.txt",
    help="File of company names, one per line.  [default: companies.txt]",
)
@click.option("--picture", type=click.Path(path_type=Path), help="Also save the output as an SVG picture.")
def demo(live: bool, companies: Path, picture: Path | None) -> None:
    """Deploy to an embedded AWS, analyse companies, run jobs over documents, show the results, stop."""
    from local.demo import walkthrough

    names = walkthrough.read_names(companies)
    if not names:
        raise click.BadParameter(f"{companies} names no company", param_hint="--companies")
    shown = Console(highlight=False, record=True, width=120, force_terminal=True) if picture else console
    _run(lambda: walkthrough.demo(shown, live, names))
    if picture:
        picture.write_text(_without_web_fonts(shown.export_svg(title="make demo")))


@main.command()
@click.option("--live", is_flag=True, help="Use texts of the real Wikipedia (needs the internet).")
@click.option("--port", default=4566, show_default=True, help="Port of the AWS endpoint; texts are one port above.")
@click.option("--empty", is_flag=True, help="Deploy nothing, for `pulumi up -s local`.")
def serve(live: bool, port: int, empty: bool) -> None:
    """Deploy to an embedded AWS and keep it running until Ctrl-C."""
    from local.demo import serve as steps

    _run(lambda: steps.serve(console, live, port, empty))


def _without_web_fonts(svg: str) -> str:
    """Remove web fonts, so that viewers use a font of their own instead of fetching one."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _run(action: Callable[[], Any]) -> None:
    try:
        action()
    except KeyboardInterrupt:
        console.print("\nStopped.")
        sys.exit(130)
    except (ApiError, DeployError, EmbeddedAwsError, RunError, StackError) as error:
        console.print("Failed:", style="red", end=" ")
        console.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m local")
