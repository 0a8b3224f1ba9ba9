"""Error codes of AWS's services, by what they mean for a caller."""

from __future__ import annotations

# Too many requests: the same request will pass later. Also reasons for which DynamoDB cancels a transaction.
THROTTLED = frozenset(
    (
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    )
)
# Failures of a service, and conflicts with another request: the same request may pass at once or later.
TRANSIENT = frozenset(
    (
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    )
)
