"""Differences between the emulator's IAM and that of AWS.

- Loopback counts as TLS. The embedded AWS speaks HTTP to clients on the same machine only, so `aws:SecureTransport`
  would be false and the program's own policies would refuse every request to its queues and buckets.
- Amazon SQS has no separate permissions for batch requests: `SendMessageBatch` needs `sqs:SendMessage`, and so on
  (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.aws.emulator import replace

_SQS_BATCH_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}


def install() -> None:
    """Change the emulator. Has to run before `ministack.app` is imported."""
    from ministack.core import iam_actions, iam_evaluator

    replace(iam_evaluator, "pin_request_origin(source_ip, secure_transport)", _pinning_with)
    replace(
        iam_actions, "extract_iam_action(service, method, path, headers, body, query_params)", _extracting_action_with
    )


def _pinning_with(pin: Callable[..., None]) -> Callable[[str, bool], None]:
    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001 - ministack's signature
        pin(source_ip, secure_transport=True)

    return pin_request_origin


def _extracting_action_with(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    def extract_iam_action(*arguments: Any, **named: Any) -> str | None:
        action = extract(*arguments, **named)
        return _SQS_BATCH_ACTIONS.get(action or "", action)

    return extract_iam_action
