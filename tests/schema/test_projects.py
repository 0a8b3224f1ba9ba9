"""Keys of projects' items and objects."""

from __future__ import annotations

import pytest

from schema import projects


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


@pytest.mark.parametrize("key", ["projects/p/documents/d", "projects/p/jobs/j/results/a", "models/m/config.json", ""])
def test_other_objects_have_no_document(key: str) -> None:
    assert projects.document_of_object(key) is None


def test_prefixes() -> None:
    assert projects.documents_prefix("p") == "projects/p/documents/"
    assert projects.results_prefix("p", "j") == "projects/p/jobs/j/results/"
    assert projects.model_prefix("opus-mt-en-de") == "models/opus-mt-en-de/"


def test_ids_sort_before_the_mark_that_ends_a_list() -> None:
    assert all(character < projects.AFTER_ALL_IDS for character in "0123456789abcdefghijklmnopqrstuvwxyz-ABCXYZ")
