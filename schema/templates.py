"""Templates of keys and addresses, such as `projects/{project}/documents/`.

A template is filled in three ways: with values by Python, with variables by a state machine, and with `?` and `*` by a
policy.
This module has what they share; `components/blocks/workflow` writes the expressions of state machines.
"""

from __future__ import annotations

import re
from string import Formatter

from schema.ids import ANY_ID

_FIELD = re.compile(r"\{(\w+)\}")
# Fields that are ids.
_IDS = frozenset(("project", "document", "job"))


def fill(template: str, **values: str) -> str:
    """Put values into a template.

    Parameters
    ----------
    template
        A text with fields such as `{project}`.
    values
        A value for each field; further values are ignored.

    Raises
    ------
    KeyError
        A field has no value.
    """
    return template.format(**values)


def fields(template: str) -> list[str]:
    """List the names of a template's fields, in order."""
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def pieces(template: str) -> list[tuple[str, str | None]]:
    """Split a template into pairs of literal text and the name of the field behind it; None at the end."""
    return [(text, name) for text, name, _, _ in Formatter().parse(template)]


def pattern(template: str) -> str:
    """Replace each field by what it can be, as the resources of an IAM policy are written.

    An id is one `?` for each of its characters, because `*` also stands for slashes: `projects/*/documents/*` would
    hold for `projects/<id>/jobs/<id>/results/documents/a.docx` too.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return _FIELD.sub(lambda field: ANY_ID if field[1] in _IDS else "*", template)


def before_fields(template: str) -> str:
    """Cut a template before its first field: the prefix that all filled templates share."""
    return template.partition("{")[0]
