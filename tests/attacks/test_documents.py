"""Documents that want more than their share: the job of their project goes on, and they are named with the reason."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest

from local.demo.api_client import ApiUser
from tests.handlers.batch.hostile_documents import (
    large_types,
    many_footnotes,
    many_signs,
    repeated_parts,
    with_entry,
    with_relation,
)
from tests.handlers.batch.word_documents import simple_document
from tests.integration.api_story import TO_GERMAN, run

GOOD = {f"good-{number}.txt": f"Season number {number} was good for the team.".encode() for number in range(12)}
# By name: the document, and the words with which it is refused.
HOSTILE = {
    "types-1.docx": (large_types(49), "[Content_Types].xml has more than 1000000 bytes when unpacked."),
    "types-2.docx": (large_types(49), "[Content_Types].xml has more than 1000000 bytes when unpacked."),
    "overrides.docx": (repeated_parts(20_000), "[Content_Types].xml has more than 1000000 bytes when unpacked."),
    "notes.docx": (many_footnotes(9_200_000), "at most 400 are allowed. Split it."),
    "names.docx": (with_entry("../../evil"), "It is not safe: it holds a file named '../../evil'."),
}
# Documents that took minutes or much money, and take neither now.
SLOW = {"signs.md": many_signs(300), "fewer-overrides.docx": repeated_parts(5000)}
# Longer than a job with only good documents takes, and shorter than what one of these documents took.
_SECONDS = 240


@pytest.fixture(scope="module")
def outcome(ann: ApiUser) -> dict[str, dict[str, object]]:
    """What a job over good and hostile documents says of each, by name."""
    project = ann.create_project("Hostile documents")
    documents = {**GOOD, **SLOW, **{name: content for name, (content, _) in HOSTILE.items()}}
    for name, content in documents.items():
        ann.upload(project, name, content)
    started = time.monotonic()
    job = run(ann, project, "translate", TO_GERMAN)
    assert job["status"] == "completed", job["cause"]
    assert time.monotonic() - started < _SECONDS
    report = json.loads(ann.results(project, job["job"])["report.json"])
    return {one["name"].rpartition("/")[2]: one for one in report["documents"]}


def test_good_documents_are_delivered_beside_hostile_ones(outcome: dict[str, dict[str, object]]) -> None:
    assert {name for name, one in outcome.items() if one["status"] == "completed"} == {*GOOD, *SLOW}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_named_with_its_reason(outcome: dict[str, dict[str, object]], name: str) -> None:
    assert outcome[name]["status"] == "failed"
    assert HOSTILE[name][1] in str(outcome[name]["reason"])
    assert outcome[name].get("sent_characters", 0) == 0, "it has cost nothing"


def test_no_more_was_sent_than_was_counted(outcome: dict[str, dict[str, object]]) -> None:
    for name in (*GOOD, *SLOW):
        assert 0 < int(str(outcome[name]["sent_characters"])) <= int(str(outcome[name]["counted_characters"]))


def test_a_translated_document_leads_to_no_outside_file(ann: ApiUser) -> None:
    project = ann.create_project("Outside files")
    ann.upload(project, "template.docx", with_relation("attachedTemplate", "https://evil.example/a.dotm"))
    ann.upload(project, "plain.docx", simple_document("Some plain words."))
    job = run(ann, project, "translate", TO_GERMAN)
    results = ann.results(project, job["job"])
    [new] = [content for name, content in results.items() if name.endswith("template.de.docx")]
    with zipfile.ZipFile(io.BytesIO(new)) as archive:
        assert not [name for name in archive.namelist() if b"evil.example" in archive.read(name)]
    [report] = [one for one in json.loads(results["report.json"])["documents"] if one["name"].endswith("template.docx")]
    assert "1 references to files outside of it were taken out." in report["notes"]
