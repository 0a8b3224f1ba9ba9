"""Pulumi's Automation API: outputs of a stack, and the errors of its command-line tool in one line."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cli.environment import OUTPUTS_VARIABLE, PROJECT_ROOT
from cli.ui.errors import CliError
from cli.ui.json_input import decode_json

if TYPE_CHECKING:
    from pulumi.automation import LocalWorkspace, Workspace

INSTALL = (
    "`brew install pulumi/tap/pulumi` or `curl -fsSL https://get.pulumi.com | sh` (https://pulumi.com/docs/install)"
)
# Words of Pulumi's own messages, and what helps.
ADVICE = (
    (
        "PULUMI_ACCESS_TOKEN must be set",
        "Pulumi is not signed in: run `pulumi login`.",
    ),
    ("passphrase", "The stack's secrets need their passphrase: set PULUMI_CONFIG_PASSPHRASE and try again."),
    (
        "No valid credential sources found",
        "There are no AWS credentials: run `aws sso login` or set AWS_PROFILE.",
    ),
    ("ExpiredToken", "The AWS credentials have expired: sign in again (`aws sso login`) and retry."),
)


class PulumiError(CliError):
    """A failure of Pulumi that has its own advice already."""


@contextmanager
def pulumi_errors(stack: str) -> Iterator[None]:
    """Turn what the Automation API raises into errors with advice.

    Parameters
    ----------
    stack : str
        The stack's name.
    """
    from pulumi import automation
    from pulumi.automation.errors import InvalidVersionError

    try:
        yield
    except FileNotFoundError:
        raise CliError(
            f"The Pulumi command-line tool is not installed: get it by {INSTALL}. "
            f"Without it, commands on a deployed stack work with {OUTPUTS_VARIABLE}=FILE, "
            "made elsewhere by `pulumi stack output --json`."
        ) from None
    except (PermissionError, subprocess.CalledProcessError) as error:
        raise CliError(f"Pulumi does not start ({error}): install it again, {INSTALL}.") from None
    except InvalidVersionError as error:
        raise CliError(f"The Pulumi command-line tool does not fit: {error} Get it by {INSTALL}.") from None
    except automation.StackNotFoundError:
        raise CliError(
            f"There is no stack {stack!r}: deploy it with `nlp --stack {stack} deploy`, or see `pulumi stack ls`."
        ) from None
    except automation.ConcurrentUpdateError:
        raise CliError(
            f"Another update of stack {stack!r} is in progress: wait for it, or end it with `pulumi cancel -s {stack}`."
        ) from None
    except automation.CommandError as error:
        raise _advice(str(error)) from None
    except RuntimeError as error:
        # Of the Automation API itself, when the tool ended well but told too little.
        raise CliError(f"Pulumi failed: {error}.") from None


def _advice(text: str) -> CliError:
    for words, advice in ADVICE:
        if words in text:
            return PulumiError(advice)
    return CliError(f"Pulumi failed: {_reason(text)}")


def _reason(text: str) -> str:
    """Find the line that says why in what the command printed."""
    printed = text.partition("\n stderr: ")[2] or text
    lines = [plain_text(line).strip() for line in printed.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error:")]
    return (errors or lines or ["no reason given"])[-1].removeprefix("error:").strip()


def plain_text(message: str) -> str:
    """Remove Pulumi's colour marks, such as ``<{%reset%}>``."""
    return re.sub(r"<\{%.*?%\}>", "", message)


def open_workspace() -> LocalWorkspace:
    """Open this project as a workspace of the Automation API. Starts ``pulumi version``."""
    from pulumi import automation

    return automation.LocalWorkspace(work_dir=str(PROJECT_ROOT))


def read_outputs(stack: str) -> dict[str, Any]:
    """Read the exports of a deployed stack.

    Raises
    ------
    CliError
        When Pulumi is not installed or not signed in, or the stack does not exist or was never deployed.
    """
    with pulumi_errors(stack):
        # Stack.outputs would also decrypt secrets, for which one may have no passphrase; there are none here.
        outputs = decode_json(_run(open_workspace(), "stack", "output", "--json", "--stack", stack))
    if not outputs:
        raise CliError(f"Stack {stack!r} is not deployed: run `nlp --stack {stack} deploy`.")
    return outputs


def protected_resources(workspace: Workspace, stack: str) -> list[str]:
    """Read which resources of a stack are protected against deletion, as ``name (type)``."""
    exported = decode_json(_run(workspace, "stack", "export", "--stack", stack))
    resources = (exported.get("deployment") or {}).get("resources") or []
    return [
        f"{resource_name(resource['urn'])} ({resource['type']})" for resource in resources if resource.get("protect")
    ]


def resource_name(urn: str) -> str:
    """Return the name at the end of a resource's URN."""
    return urn.split("::", 3)[-1]


def _run(workspace: Workspace, *arguments: str) -> str:
    return workspace.pulumi_command.run(list(arguments), workspace.work_dir, workspace.env_vars).stdout
