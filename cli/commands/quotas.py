"""`nlp quotas`: what you may use, and what is left of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from cli.options import Invocation, examples, global_options
from cli.ui.output import hint, write_json, write_table
from cli.ui.text import clock_duration

_OF = {"user": "you", "project": "each project", "stack": "all users"}


@click.command(epilog=examples("nlp quotas", "nlp quotas --json | jq '.[] | select(.left == 0)'"))
@global_options()
@click.pass_obj
def quotas(invocation: Invocation) -> None:
    """Show your quotas: what is used, what is left, and when it renews."""
    found: list[dict[str, Any]] = invocation.api.get("quotas")["quotas"]
    if invocation.json:
        write_json(found)
        return
    rows = [
        [one["quota"], _OF[one["of"]], _number(one["used"]), _number(one["left"]), _number(one["limit"]), _renewal(one)]
        for one in found
    ]
    headings = ["quota", "of", "used", "left", "limit", "renews"]
    write_table(headings, rows, _style, right=["used", "left", "limit"], whole=["quota"])
    if any(one["left"] == 0 for one in found):
        hint("What does not renew by itself is free again when something is deleted, archived or has ended.")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"


def _renewal(quota: dict[str, Any]) -> str:
    if quota["renews_at"] is None:
        return ""
    seconds = (datetime.fromisoformat(quota["renews_at"]) - datetime.now(UTC)).total_seconds()
    return f"in {clock_duration(seconds)}"


def _style(heading: str, cell: str) -> str:
    return "red" if heading == "left" and cell == "0" else ""
