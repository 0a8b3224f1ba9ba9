"""Keys of projects' items and objects."""

from __future__ import annotations

import re

import pytest

from schema import projects
from schema.templates import fill, pattern


def test_keys() -> None:
    assert projects.project_key("p") == ("PROJECT#p", "PROJECT")
    assert projects.member_key("p", "u") == ("PROJECT#p", "MEMBER#u")
    assert projects.document_key("p", "d") == ("PROJECT#p", "DOCUMENT#d")
    assert projects.job_key("p", "j") == ("PROJECT#p", "JOB#j")
    assert projects.lock_key("p", "translate") == ("PROJECT#p", "RUNNING#translate")
    assert projects.latest_key("p", "translate") == ("PROJECT#p", "LATEST#translate")
    assert projects.project_status("p", "failed") == "p#failed"


def test_object_of_a_document_leads_back_to_it() -> None:
    key = projects.document_object("p", "d", "a/b.txt")
    assert key == "projects/p/documents/d/a/b.txt"
    assert projects.document_of_object(key) == projects.document_key("p", "d")


@pytest.mark.parametrize(
    "key", ["projects/p/documents/d", "projects/p/jobs/j/results/a", "results/p/j/a", "models/m/config.json", ""]
)
def test_other_objects_have_no_document(key: str) -> None:
    assert projects.document_of_object(key) is None


def test_prefixes() -> None:
    assert projects.documents_prefix("p") == "projects/p/documents/"
    assert projects.results_prefix("p", "j") == "results/p/j/"
    assert projects.model_prefix("opus-mt-en-de") == "models/opus-mt-en-de/"


def test_ids_sort_before_the_mark_that_ends_a_list() -> None:
    assert all(character < projects.AFTER_ALL_IDS for character in "0123456789abcdefghijklmnopqrstuvwxyz-ABCXYZ")


PREFIXES = {
    "documents": projects.DOCUMENTS_PREFIX,
    "results": projects.RESULTS_PREFIX,
    "former results": projects.FORMER_RESULTS_PREFIX,
    "models": projects.MODELS_PREFIX,
    "programs": projects.PROGRAMS_PREFIX,
}


@pytest.mark.parametrize("sort", PREFIXES)
def test_a_policy_for_one_sort_of_objects_holds_for_no_other(sort: str) -> None:
    """`*` and `?` of IAM stand for slashes, too."""
    granted = re.escape(f"{pattern(PREFIXES[sort])}*").replace(r"\*", ".*").replace(r"\?", ".")
    values = dict.fromkeys(("project", "job"), "01979f5c-2d5e-7b4a-9c1e-5f7d3a8b6c20")
    parts = [*(fill(prefix, **values, model="m") for prefix in PREFIXES.values()), "a"]
    for other, prefix in PREFIXES.items():
        for below in parts:
            key = fill(prefix, **values, model="m") + f"{below}/{values['job']}/a.txt"
            assert bool(re.fullmatch(granted, key)) == (other == sort), (sort, key)
