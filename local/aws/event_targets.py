"""Permissions of EventBridge rules whose targets are state machines.

Ministack starts them without checking the target's role. Here the role must allow it, as on AWS. A refused start is a
failed invocation, which no caller sees: AWS retries it, counts it as `FailedInvocations`, and the alarm on that metric
reports it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from local.aws.emulator import replace
from local.aws.roles import denial, session_credentials, trusts

PRINCIPAL = "events.amazonaws.com"
_SESSION = "events"

logger = logging.getLogger(__name__)


def install() -> None:
    """Change ministack's EventBridge. Has to run after `ministack.app` is imported."""
    from ministack.services import eventbridge

    replace(eventbridge, "_invoke_target(target, event, rule, view)", _invoking_with)


def refusal(target: dict[str, Any]) -> str | None:
    """Return why a target may not be invoked, None when it may.

    Parameters
    ----------
    target
        As `PutTargets` takes it.
    """
    arn, role = target.get("Arn", ""), target.get("RoleArn", "")
    if not arn.startswith("arn:aws:states:"):
        return None
    if not trusts(role, PRINCIPAL):
        return f"{PRINCIPAL} may not assume the role '{role}'"
    return denial(session_credentials(role, _SESSION)["AWS_ACCESS_KEY_ID"], "states:StartExecution", arn)


def _invoking_with(invoke: Callable[..., None]) -> Callable[..., None]:
    def invoke_target(target: dict[str, Any], *rest: Any, **named: Any) -> None:
        refused = refusal(target)
        if refused:
            logger.warning("EventBridge: target %s not invoked: %s", target.get("Id"), refused)
            return
        invoke(target, *rest, **named)

    return invoke_target
