"""Times in the form that is stored and answered: UTC, ISO 8601, whole seconds: `2026-11-21T06:52:00Z`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# `2026-11-21T06:52:00`
_SECONDS = 19


def utc_now(after_seconds: int = 0) -> str:
    """Format the present time, or the time after some seconds."""
    return format_time(datetime.now(UTC) + timedelta(seconds=after_seconds))


def utc_at(seconds: float) -> datetime:
    """Return the time that is so many seconds after the beginning of 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def format_time(moment: datetime) -> str:
    """Format a time, which is in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_seconds(time: str) -> str:
    """Cut off a time's fraction of a second, which times of Step Functions have."""
    return time[:_SECONDS] + "Z"
