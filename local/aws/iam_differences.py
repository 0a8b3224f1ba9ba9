"""Where the emulator's IAM differs from AWS's, made the same.

- Loopback counts as TLS. The embedded AWS speaks HTTP to clients on the same machine only, so `aws:SecureTransport`
  would be false and the program's own policies would refuse every request to its queues and buckets.
- Amazon SQS has no permissions of their own for batch requests: `SendMessageBatch` needs `sqs:SendMessage`, and so on
  (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html).
"""

from __future__ import annotations

from typing import Any

_SQS_BATCH_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}


def install() -> None:
    """Change the emulator. Has to run before `ministack.app` is imported."""
    from ministack.core import iam_actions, iam_evaluator

    original_origin = iam_evaluator.pin_request_origin
    original_action = iam_actions.extract_iam_action

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001 - ministack's signature
        original_origin(source_ip, secure_transport=True)

    def extract_iam_action(*args: Any, **kwargs: Any) -> str | None:
        action = original_action(*args, **kwargs)
        return _SQS_BATCH_ACTIONS.get(action or "", action)

    iam_evaluator.pin_request_origin = pin_request_origin
    iam_actions.extract_iam_action = extract_iam_action
