"""Templates of keys and prefixes."""

from __future__ import annotations

import pytest

from schema import projects
from schema.templates import before_fields, fields, fill, pattern, pieces


def test_fields_are_filled() -> None:
    assert fill("projects/{project}/jobs/{job}/", project="p", job="j") == "projects/p/jobs/j/"


def test_values_with_braces_are_put_in_as_they_are() -> None:
    assert fill("JOB#{job}", job='{"a": "{project}"}') == 'JOB#{"a": "{project}"}'


def test_further_values_are_ignored() -> None:
    assert fill("JOB#{job}", job="j", project="p") == "JOB#j"


def test_missing_value_is_named() -> None:
    with pytest.raises(KeyError, match="project"):
        fill("projects/{project}/", job="j")


def test_fields_are_listed_in_order() -> None:
    assert fields(projects.RESULTS_PREFIX) == ["project", "job"]
    assert fields(projects.PROJECT) == []


def test_pieces_give_the_template_back() -> None:
    split = pieces("{project}#{status}/")
    assert split == [("", "project"), ("#", "status"), ("/", None)]


def test_policies_have_a_question_mark_for_each_character_of_an_id_and_stars_for_other_fields() -> None:
    assert pattern(projects.DOCUMENTS_PREFIX) == f"projects/{'?' * 36}/documents/"
    assert pattern(projects.MODELS_PREFIX) == "models/*/"
    assert before_fields(projects.MODELS_PREFIX) == "models/"
