"""Input of executions that a schedule starts, in the form in which the API gives it."""

from __future__ import annotations

from collections.abc import Sequence

from components.blocks.workflow.execution import BUCKET, INPUT
from components.blocks.workflow.expressions import (
    Expression,
    Value,
    all_of,
    call,
    exists,
    joined,
    let,
    merged,
    template,
    text,
    value,
    variable,
    when,
)
from schema.job_kind import Channel
from schema.jobs import MAX_CHARACTERS_FIELD, MAX_CHARACTERS_VARIABLE, OPTIONS_VARIABLE, OUTPUT_FIELD
from schema.projects import RESULTS_PREFIX
from schema.templates import fields


def composed_input(channels: Sequence[Channel]) -> Expression:
    """Write the input of an execution from what a schedule gives: project, options, limit and values for templates."""
    id_ = variable("id")
    known = {"project": INPUT.field("project"), "job": id_}

    def address(prefix: str) -> Expression:
        values = {name: INPUT.field(name) for name in fields(prefix)} | known
        return joined(text("s3://"), BUCKET, text("/"), template(prefix, values))

    always: dict[str, Value] = {
        **known,
        "environment": {
            OPTIONS_VARIABLE: INPUT.field("options"),
            MAX_CHARACTERS_VARIABLE: INPUT.field(MAX_CHARACTERS_FIELD),
        },
        OUTPUT_FIELD: address(RESULTS_PREFIX),
    }
    optional: list[Expression] = []
    for channel in channels:
        given = [exists(INPUT.field(name)) for name in fields(channel.prefix) if name not in known]
        found: dict[str, Value] = {channel.field: address(channel.prefix)}
        if given:
            optional.append(when(all_of(*given), found, {}))
        else:
            always |= found
    return let({"id": _sortable_id()}, merged(value(always), *optional))


def _sortable_id() -> Expression:
    """Write a UUID of version 7: the time in milliseconds, then random digits.

    https://www.rfc-editor.org/rfc/rfc9562#section-5.7
    """
    time = variable("time")
    digits = call("pad", call("formatBase", call("millis"), 16), -12, "0")
    return let(
        {"time": digits},
        joined(
            call("substring", time, 0, 8),
            text("-"),
            call("substring", time, 8),
            text("-7"),
            call("substring", call("uuid"), 15),
        ),
    )
