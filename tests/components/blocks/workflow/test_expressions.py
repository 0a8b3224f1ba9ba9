"""Expressions mean what they were built for, whatever texts they hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonata.jsonata import Jsonata

from components.blocks.workflow.expressions import (
    Expression,
    Value,
    all_of,
    any_of,
    call,
    equal,
    exists,
    joined,
    jsonata,
    let,
    merged,
    template,
    text,
    value,
    variable,
    when,
)
from schema import jobs, projects
from schema.templates import fields, fill


def evaluated(expression: Expression, **variables: Any) -> Any:
    found = Jsonata.jsonata(expression.code)
    frame = found.create_frame()
    for name, content in variables.items():
        frame.bind(name, content)
    return found.evaluate(None, frame)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    TEXTS | st.integers(0, 1000) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


@given(TEXTS)
def test_a_text_is_itself(content: str) -> None:
    assert evaluated(text(content)) == content


@given(VALUES)
def test_a_value_is_itself(content: Any) -> None:
    assert evaluated(value(content)) == content


def test_expressions_inside_values_stay_expressions() -> None:
    content: Value = {"a": variable("x"), "b": [variable("x"), "$x"]}
    assert value(content).code == "{'a': $x, 'b': [$x, '$x']}"
    assert evaluated(value(content), x=1) == {"a": 1, "b": [1, "$x"]}


@pytest.mark.parametrize(
    "content",
    [*jobs.RECORD.values(), projects.LOCK, projects.LATEST, projects.MODELS_PREFIX, projects.PROJECT, "", "it's {job}"],
)
def test_a_template_is_filled_as_python_fills_it(content: str) -> None:
    values = {name: f"the {name}'s \\ value" for name in fields(content)}
    expressions = {name: variable("job").field(name) for name in values}
    assert evaluated(template(content, expressions), job=values) == fill(content, **values)


def test_a_template_needs_all_values() -> None:
    with pytest.raises(KeyError, match="model"):
        template(projects.MODELS_PREFIX, {"job": variable("job")})


def test_fields_are_read_whatever_their_names() -> None:
    job = variable("job").field("environment", "A B")
    assert job.code == "$job.environment.`A B`"
    assert evaluated(job, job={"environment": {"A B": 1}}) == 1


@pytest.mark.parametrize(("number", "answer"), [(1, "few"), (2, "few"), (3, "many"), (None, "none")])
def test_choices(number: int | None, answer: str) -> None:
    x = variable("x")
    is_few = any_of(equal(x, 1), all_of(equal(x, 2), exists(x)))
    chosen = when(exists(x), when(is_few, "few", "many"), "none")
    assert evaluated(chosen, **({"x": number} if number else {})) == answer


def test_local_variables_use_those_before_them() -> None:
    bound = let({"a": text("x"), "b": joined(variable("a"), text("y"))}, joined(variable("b"), text("z")))
    assert evaluated(bound) == "xyz"


def test_later_objects_replace_fields() -> None:
    assert evaluated(merged(value({"a": 1, "b": 1}), variable("x")), x={"b": 2}) == {"a": 1, "b": 2}


def test_an_expression_is_marked_in_a_definition() -> None:
    assert jsonata(call("substring", variable("cause"), 0, 5)) == "{% $substring($cause, 0, 5) %}"
