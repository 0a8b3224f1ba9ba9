"""Times as they are stored and answered: UTC, ISO 8601, whole seconds, such as `2026-11-21T06:52:00Z`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# `2026-11-21T06:52:00`
_SECONDS = 19


def utc_now(after_seconds: int = 0) -> str:
    """Say what time it is, or will be in some seconds."""
    return (datetime.now(UTC) + timedelta(seconds=after_seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_seconds(time: str) -> str:
    """Cut a time's fraction of a second off: Step Functions' own times have one."""
    return time[:_SECONDS] + "Z"
