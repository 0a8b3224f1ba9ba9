"""Find the deployment of a stack: on AWS through Pulumi or a file of outputs, or on the embedded AWS."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.aws.deployment import Deployment
from cli.environment import LOCAL, OUTPUTS_VARIABLE, PROJECT_ROOT
from cli.ui.errors import CliError
from schema.local_stack import STATE_FILE, STATE_VARIABLE

PROBE_TIMEOUT_S = 2


def find_deployment(stack: str | None) -> Deployment:
    """Find the deployment of a stack.

    Parameters
    ----------
    stack : str or None
        The stack's name. None: the outputs file that NLP_OUTPUTS names, otherwise the local deployment.

    Raises
    ------
    CliError
        When there is none, saying how to get one.
    """
    outputs_file = os.environ.get(OUTPUTS_VARIABLE)
    if stack == LOCAL or (stack is None and not outputs_file):
        return _find_local()
    if outputs_file:
        return Deployment(stack or Path(outputs_file).stem, _read_json(Path(outputs_file), OUTPUTS_VARIABLE))
    from cli.aws.pulumi_stack import read_outputs

    assert stack is not None  # noqa: S101 - a stack without a name is the local one, found above
    return Deployment(stack, read_outputs(stack))


def _find_local() -> Deployment:
    path = Path(os.environ.get(STATE_VARIABLE) or PROJECT_ROOT / STATE_FILE)
    if not path.exists():
        raise CliError(
            "No local deployment is running: run `make serve` in another terminal, "
            "or choose a deployed stack with --stack NAME."
        )
    state = _read_json(path, STATE_VARIABLE)
    endpoint, outputs = state.get("endpoint"), state.get("outputs")
    if outputs is None and (outputs_file := os.environ.get(OUTPUTS_VARIABLE)):  # Pulumi deployed, not `make serve`
        outputs = _read_json(Path(outputs_file), OUTPUTS_VARIABLE)
    if not isinstance(endpoint, str) or not isinstance(outputs, dict):
        raise CliError(f"{path} does not describe a local deployment: run `make serve` again.")
    if not _answers(endpoint):
        raise CliError(
            f"The local deployment at {endpoint} does not answer any more: run `make serve` in another terminal."
        )
    return Deployment(
        LOCAL, {"region": state.get("region"), **outputs}, endpoint, state.get("credentials"), state.get("user")
    )


def _answers(endpoint: str) -> bool:
    try:
        address = urlsplit(endpoint)
        with socket.create_connection((address.hostname or "", address.port or 80), PROBE_TIMEOUT_S):
            return True
    except (OSError, ValueError):
        return False


def _read_json(path: Path, variable: str) -> dict[str, Any]:
    import msgspec

    from cli.ui.json_input import decode_json

    try:
        return decode_json(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise CliError(f"Cannot read {path} ({variable}): {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CliError(
            f"{path} ({variable}) is not a JSON object: {error}. "
            "Make it with `pulumi stack output --json`, or remove the variable."
        ) from None
