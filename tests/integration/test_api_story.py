"""The whole story: sign in, create a project, upload documents, run both kinds of jobs, download what they made."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import docx
import pytest

from local.demo.api_client import ApiUser
from tests.handlers.batch.word_documents import full_document
from tests.integration.api_story import TO_GERMAN, Backstage, assert_problem, run, subject, without_accents

TEXT = "Dear all,\n\nWe are happy with the wonderful service. It costs only 3.5 euros a month.\n"
MARKDOWN = "# The plan\n\nWe **really** like it, see [the page](https://example.com/plan).\n\n```\ncode = 1\n```\n"
HTML = '<html><body><h1>News</h1><p class="x">The delay is a <b>terrible</b> failure &amp; a shame.</p></body></html>\n'
DOCUMENTS = {
    "report.docx": full_document(),
    "letter.txt": TEXT.encode(),
    "plan.md": MARKDOWN.encode(),
    "news.html": HTML.encode(),
}
KINDS = {"analyse": {}, "translate": TO_GERMAN}


@dataclass
class Story:
    """What came of it: ids by name and by kind, the jobs as they were seen, their files."""

    project: str
    documents: dict[str, str]
    jobs: dict[str, str]
    seen: dict[str, list[dict[str, Any]]]
    files: dict[str, dict[str, bytes]]

    def result(self, kind: str, name: str) -> Any:
        return json.loads(self.files[kind][name])

    def translated(self, name: str) -> bytes:
        stem, _, suffix = name.partition(".")
        return self.files["translate"][f"documents/{self.documents[name]}/{stem}.de.{suffix}"]

    def path(self, name: str) -> str:
        return f"{self.documents[name]}/{name}"


@pytest.fixture(scope="module")
def story(ann: ApiUser) -> Story:
    project = ann.create_project("The whole story")
    documents = {name: ann.upload(project, name, content) for name, content in DOCUMENTS.items()}
    # Both at the same time: only jobs of one kind exclude each other.
    jobs_path = f"/projects/{project}/jobs"
    seen = {kind: [ann.call("POST", jobs_path, {"kind": kind, "options": KINDS[kind]})] for kind in KINDS}
    jobs: dict[str, str] = {kind: first["job"] for kind, [first] in seen.items()}
    for kind, job in jobs.items():
        ann.follow_job(project, job, seen[kind].append)
    files = {kind: ann.results(project, job) for kind, job in jobs.items()}
    return Story(project, documents, jobs, seen, files)


def test_the_project_is_its_owners(ann: ApiUser, story: Story) -> None:
    project = ann.call("GET", f"/projects/{story.project}")

    assert (project["name"], project["owner"], project["active"]) == ("The whole story", subject(ann), True)
    assert project in ann.call("GET", "/projects?limit=100")["projects"]


def test_documents_have_arrived(ann: ApiUser, story: Story) -> None:
    listed = ann.call("GET", f"/projects/{story.project}/documents")["documents"]

    assert [one["name"] for one in listed] == list(reversed(DOCUMENTS)), "newest first"
    assert {one["name"]: (one["document"], one["uploaded"], one["size"]) for one in listed} == {
        name: (document, True, len(DOCUMENTS[name])) for name, document in story.documents.items()
    }
    assert {one["created_by"] for one in listed} == {subject(ann)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_passes_through_its_states(ann: ApiUser, backstage: Backstage, story: Story, kind: str) -> None:
    seen, job = story.seen[kind], story.jobs[kind]

    assert list(dict.fromkeys(one["status"] for one in seen)) == ["running", "completed"]
    last = seen[-1]
    assert last["requested_by"] == subject(ann)
    assert last["requested_at"] <= last["started_at"] <= last["finished_at"]
    assert last["cause"] is None
    assert backstage.ended(kind, job)["status"] == "SUCCEEDED"
    expected = ["Prepare", "MarkRunning", "Process", "HasProcessed", "HasDelivered", "MarkCompleted", "Completed"]
    assert backstage.states(kind, job) == expected
    assert backstage.processing_jobs(job) == {f"{kind}-{job}": "Completed"}
    assert backstage.lock(story.project, kind) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_latest_is_of_its_kind(ann: ApiUser, story: Story, kind: str) -> None:
    latest = f"/projects/{story.project}/jobs/latest"

    assert ann.call("GET", f"{latest}?kind={kind}")["job"] == story.jobs[kind]
    results = ann.call("GET", f"{latest}/results?kind={kind}")
    assert results["job"] == story.jobs[kind]
    assert {one["name"]: one["size"] for one in results["results"]} == {
        name: len(content) for name, content in story.files[kind].items()
    }
    assert_problem(ann.request("GET", latest), 422, "invalid-fields", "kind")


def test_jobs_are_listed_by_status(ann: ApiUser, story: Story) -> None:
    jobs = f"/projects/{story.project}/jobs"

    assert {one["job"] for one in ann.call("GET", jobs)["jobs"]} == set(story.jobs.values())
    completed = ann.call("GET", f"{jobs}?status=completed")["jobs"]
    assert {one["job"]: one["status"] for one in completed} == dict.fromkeys(story.jobs.values(), "completed")
    assert ann.call("GET", f"{jobs}?status=failed") == {"jobs": [], "next": None}


# Translations


def test_a_translated_word_document_keeps_its_form(story: Story) -> None:
    before, after = (
        docx.Document(io.BytesIO(one)) for one in (DOCUMENTS["report.docx"], story.translated("report.docx"))
    )

    assert shape(after) == shape(before)
    assert len(after.inline_shapes) == 1, "the picture"
    texts = [paragraph.text for paragraph in after.paragraphs if re.search("[a-z]", paragraph.text)]
    assert texts
    assert all(without_accents(text) != text for text in texts), "all of it is translated"
    assert after.tables[0].cell(0, 1).text == "Résült"
    assert "åññüål" in after.paragraphs[0].text
    assert "héådér" in after.sections[0].header.paragraphs[0].text


def shape(document: Any) -> list[Any]:
    """Describe a document: styles, formatted pieces of text, tables, header and footer, without accents."""
    section = document.sections[0]
    return [
        paragraphs(document),
        [table.style.name for table in document.tables],
        paragraphs(section.header),
        paragraphs(section.footer),
    ]


def paragraphs(container: Any) -> list[Any]:
    nested = [paragraphs(cell) for table in container.tables for row in table.rows for cell in row.cells]
    return [
        (one.style.name, pieces(one), [link.address for link in one.hyperlinks]) for one in container.paragraphs
    ] + nested


def pieces(paragraph: Any) -> list[tuple[Any, str]]:
    """Text by its format; where runs of one format meet, it does not matter which of them has it."""
    found: list[tuple[Any, str]] = []
    for one in paragraph.runs:
        colour = one.font.color.rgb if one.font.color else None
        form, text = (one.bold, one.italic, one.font.size, colour), without_accents(one.text)
        if found and found[-1][0] == form:
            text = found.pop()[1] + text
        if text:
            found.append((form, text))
    return found


def test_translated_texts_keep_their_markup(story: Story) -> None:
    text, markdown, html = (story.translated(name).decode() for name in ("letter.txt", "plan.md", "news.html"))

    assert [without_accents(one) for one in (text, markdown, html)] == [TEXT, MARKDOWN, HTML]
    assert "3.5 éürós å móñth." in text
    assert "**réållý**" in markdown
    assert "[thé pågé](https://example.com/plan)" in markdown
    assert "```\ncode = 1\n```" in markdown, "code is not translated"
    assert "<b>térrîblé</b>" in html


# Analyses


def test_an_analysis_tells_of_each_document(story: Story) -> None:
    analysis = story.result("analyse", "analysis.json")

    documents = {one["name"]: one for one in analysis["documents"]}
    assert set(documents) == {story.path(name) for name in DOCUMENTS}
    assert {one["language"] for one in documents.values()} == {"en"}
    letter, news = documents[story.path("letter.txt")], documents[story.path("news.html")]
    assert (letter["sentiment"], news["sentiment"]) == ("POSITIVE", "NEGATIVE")
    assert sum(letter["scores"].values()) == pytest.approx(1, abs=0.001)
    assert any("wonderful service" in phrase["text"] for phrase in letter["key_phrases"])
    assert "It costs only 3.5 euros a month." in letter["summary"]
    assert all(one["topic"] for one in documents.values())
    rows = list(csv.DictReader(io.StringIO(story.files["analyse"]["documents.csv"].decode(), newline="")))
    assert {row["document"]: (row["language"], row["sentiment"], int(row["words"])) for row in rows} == {
        name: (one["language"], one["sentiment"], one["words"]) for name, one in documents.items()
    }


class Page(HTMLParser):
    """What a page shows, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_of_an_analysis_needs_nothing_else(story: Story) -> None:
    page = Page(story.files["analyse"]["report.html"].decode())

    assert page.tags.count("svg") >= len(DOCUMENTS)
    assert page.addresses == []
    assert "script" not in page.tags
    assert all(part in page.text for name in DOCUMENTS for part in story.path(name).split("/"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_tells_of_each_document(story: Story, kind: str) -> None:
    report = story.result(kind, "report.json")

    assert (report["job"], report["kind"], report["instances"]) == (story.jobs[kind], kind, 1)
    documents = {one["name"]: one for one in report["documents"]}
    assert set(documents) == {story.path(name) for name in DOCUMENTS}
    assert {one["status"] for one in documents.values()} == {"completed"}
    assert all(one["characters"] > 0 and one["seconds"] >= 0 for one in documents.values())
    assert report["totals"]["documents"] == report["totals"]["completed"] == len(DOCUMENTS)
    assert report["totals"]["characters"] == sum(one["characters"] for one in documents.values())
    assert report["estimated_cost"]["amount"] > 0
    if kind == "translate":
        assert {one["output"] for one in documents.values()} == set(story.files[kind]) - {"report.json"}


# Another run


def test_a_failed_job_is_not_the_latest_and_a_new_one_takes_nothing_away(ann: ApiUser, story: Story) -> None:
    before = story.jobs["translate"]
    for document in story.documents.values():
        ann.call("DELETE", f"/projects/{story.project}/documents/{document}")
    assert ann.call("GET", f"/projects/{story.project}/documents") == {"documents": [], "next": None}
    refused = ann.request("POST", f"/projects/{story.project}/jobs", {"kind": "translate", "options": TO_GERMAN})
    assert_problem(refused, 409, "no-documents")

    ann.upload(story.project, "blank.txt", b" \n")
    failed = run(ann, story.project)
    assert failed["status"] == "failed"
    assert latest(ann, story) == before
    assert set(ann.results(story.project, failed["job"])) == {"report.json"}

    ann.upload(story.project, "letter.txt", b"Good news.")
    after = run(ann, story.project)["job"]
    assert latest(ann, story) == after
    assert ann.results(story.project, before) == story.files["translate"]
    assert set(ann.results(story.project, after)) & set(story.files["translate"]) == {"report.json"}


def latest(user: ApiUser, story: Story) -> str:
    return user.call("GET", f"/projects/{story.project}/jobs/latest?kind=translate")["job"]
