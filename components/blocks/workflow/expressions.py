"""JSONata expressions, built of parts. Every builder returns a complete expression.

Language: https://docs.jsonata.org and https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html.
Operators bind in this order, the loosest first: `any_of`, `all_of`, `equal`, `joined`. An operand must bind more
tightly than its operator; `when`, `let` and calls bind most tightly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schema.templates import pieces


@dataclass(frozen=True)
class Expression:
    """An expression.

    Attributes
    ----------
    code
        Its JSONata, without the marks `{%` and `%}`.
    """

    code: str

    def field(self, *names: str) -> Expression:
        """Read a field, or a field of a field."""
        return Expression(".".join((self.code, *(name if name.isidentifier() else f"`{name}`" for name in names))))


# A value: an expression, string, number or boolean, or lists and mappings of them.
Value = Expression | str | int | Sequence["Value"] | Mapping[str, "Value"]


def jsonata(expression: Expression) -> str:
    """Mark an expression with `{% %}`; a definition takes all other strings literally."""
    return f"{{% {expression.code} %}}"


def variable(name: str) -> Expression:
    """Read a variable of the state machine."""
    return Expression(f"${name}")


def text(content: str) -> Expression:
    """Write a text, in single quotes and with JSON's escapes."""
    escaped = json.dumps(content, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\u0027")
    return Expression(f"'{escaped}'")


def value(content: Value) -> Expression:
    """Write a value; expressions inside it stay expressions."""
    if isinstance(content, Expression):
        return content
    if isinstance(content, str):
        return text(content)
    if isinstance(content, Mapping):
        fields = (f"{text(name).code}: {value(one).code}" for name, one in content.items())
        return Expression(f"{{{', '.join(fields)}}}")
    if isinstance(content, Sequence):
        return Expression(f"[{', '.join(value(one).code for one in content)}]")
    return Expression(json.dumps(content))


def template(content: str, values: Mapping[str, Expression]) -> Expression:
    """Fill a template such as `projects/{project}/documents/`.

    Parameters
    ----------
    content
        The template.
    values
        A text expression for each field.

    Raises
    ------
    KeyError
        A field has no value.
    """
    parts: list[Expression] = []
    for literal, name in pieces(content):
        if literal:
            parts.append(text(literal))
        if name:
            parts.append(values[name])
    return joined(*parts) if parts else text("")


def joined(*parts: Expression) -> Expression:
    """Join texts."""
    return Expression(" & ".join(part.code for part in parts))


def call(function: str, *arguments: Value) -> Expression:
    """Call a function, named without `$`."""
    return Expression(f"${function}({', '.join(value(argument).code for argument in arguments)})")


def exists(expression: Expression) -> Expression:
    """Tell whether there is a value."""
    return call("exists", expression)


def equal(left: Expression, right: Value) -> Expression:
    """Compare two values."""
    return Expression(f"{left.code} = {value(right).code}")


def all_of(*conditions: Expression) -> Expression:
    """Tell whether all conditions hold."""
    return Expression(" and ".join(condition.code for condition in conditions))


def any_of(*conditions: Expression) -> Expression:
    """Tell whether a condition holds; each may be a comparison."""
    return Expression(" or ".join(condition.code for condition in conditions))


def when(condition: Expression, then: Value, otherwise: Value) -> Expression:
    """Choose between two values."""
    return Expression(f"({condition.code} ? {value(then).code} : {value(otherwise).code})")


def let(variables: Mapping[str, Expression], result: Expression) -> Expression:
    """Bind local variables, each of which may use those before it, for a result."""
    bindings = "".join(f"${name} := {bound.code}; " for name, bound in variables.items())
    return Expression(f"({bindings}{result.code})")


def merged(*objects: Expression) -> Expression:
    """Merge objects; fields of later ones replace those of earlier ones."""
    return call("merge", objects)
