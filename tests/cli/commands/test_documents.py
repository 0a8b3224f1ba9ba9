"""`nlp documents`: which files are chosen, how they are sent, and what becomes of those that fail."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.api import backoff
from cli.ui.document_files import select
from schema.limits import UPLOAD_BYTES
from tests.support.cli_api import (
    DOCUMENTS,
    DROPPED,
    IDS,
    PROJECT,
    STORED,
    Answer,
    ApiServer,
    Request,
    announcing,
    answer,
    described,
    page,
    problem,
    project,
    running_api,
    take_documents,
)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(backoff, "BACKOFF", replace(backoff.BACKOFF, first_seconds=0.001))
    monkeypatch.chdir(tmp_path)
    with running_api(tmp_path) as server:
        take_documents(server)
        yield server


def write(path: str, content: str = "Hello.") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def upload(api: ApiServer, *files: str, code: int = 0, **options: Any) -> Any:
    return api.json("documents", "upload", "-p", PROJECT, *files, code=code, **options)


def test_a_file_is_sent_by_its_form(api: ApiServer) -> None:
    write("größe.txt", "Grüße")
    done = upload(api, "größe.txt")
    (sent,) = done["uploaded"]
    assert (sent["file"], sent["document"], sent["uploaded"], sent["size"]) == ("größe.txt", IDS[0], True, 7)
    (form,) = api.received("POST", "/bucket")
    assert "authorization" not in form.headers  # the form is the permission; the token is none of S3's business
    names = re.findall(rb' name="([^"]+)"', form.body)
    assert names == [b"key", b"Content-Type", b"policy", b"file"]
    assert f"documents/{IDS[0]}/größe.txt".encode() in form.body
    assert "Grüße".encode() in form.body


def test_several_files_and_folders(api: ApiServer) -> None:
    for name in ("docs/a.txt", "docs/deep/b.md", "docs/c.DOCX", "docs/d.png", "docs/.hidden.txt", "docs/.git/e.txt"):
        write(name)
    write("f.html")
    done = upload(api, "docs", "f.html", "docs/a.txt")
    assert sorted(one["file"] for one in done["uploaded"]) == ["docs/a.txt", "docs/c.DOCX", "docs/deep/b.md", "f.html"]
    assert (done["skipped"], done["failed"]) == (["docs/d.png"], [])
    assert len(api.received("POST", "/bucket")) == 4
    shown = api.invoke("documents", "upload", "-p", PROJECT, "docs", "f.html")
    assert "Uploaded 4 files, 24 B in" in shown.stdout
    assert "Skipped 1 file of other types: d.png" in shown.stderr


def test_what_cannot_be_a_document_is_not_announced(api: ApiServer) -> None:
    write("fine.txt")
    write("empty.txt", "")
    write("a.pdf")
    Path("folder.txt").mkdir()
    os.mkfifo("pipe.txt")
    with Path("large.txt").open("wb") as large:
        large.truncate(UPLOAD_BYTES + 1)
    files = ("empty.txt", "a.pdf", "missing.txt", "pipe.txt", "large.txt", "fine.txt")
    result = api.invoke("documents", "upload", "-p", PROJECT, *files, code=3)
    assert result.stderr.splitlines()[-1] == "nlp: 5 of 6 files not uploaded."
    for file, reason in {
        "empty.txt": "it is empty",
        "a.pdf": "ends in .docx, .txt, .md, .html",
        "missing.txt": "no such file",
        "pipe.txt": "not a file",
        "large.txt": "has 104,857,601 bytes, and a document has at most 104,857,600 ",
    }.items():
        assert re.search(rf"(?m)^{file}: .*{reason}", result.stderr)
    assert [request.json["name"] for request in api.received("POST", DOCUMENTS)] == ["fine.txt"]


def test_the_bounds_of_a_size(tmp_path: Path) -> None:
    sizes = {"one.txt": 1, "most.txt": UPLOAD_BYTES}
    for name, size in sizes.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert {file.path.name: file.size for file in select([tmp_path]).files} == sizes


def test_nothing_to_upload(api: ApiServer) -> None:
    write("docs/a.png")
    assert "There is no document" in api.invoke("documents", "upload", "-p", PROJECT, "docs", code=1).stderr
    assert upload(api, "a.pdf", code=3)["failed"][0]["file"] == "a.pdf"
    assert api.requests == []


@pytest.mark.parametrize(
    "passing",
    [DROPPED, Answer(503), Answer(500), Answer(400, b"<Error><Code>RequestTimeout</Code></Error>")],
)
def test_s3_fails_for_a_moment(api: ApiServer, passing: Answer) -> None:
    write("a.txt", "content")
    api.on("POST", "/bucket", passing, passing, STORED)
    assert len(upload(api, "a.txt")["uploaded"]) == 1
    assert [b"content" in form.body for form in api.received("POST", "/bucket")] == [True] * 3
    assert len(api.received("POST", DOCUMENTS)) == 1


def test_an_announcement_whose_answer_is_lost_makes_one_document(api: ApiServer) -> None:
    write("a.txt")
    announce = announcing(api)

    def lose(request: Request) -> Answer:
        announce(request)
        return DROPPED

    api.on("POST", DOCUMENTS, lose, announce)
    (sent,) = upload(api, "a.txt")["uploaded"]
    assert sent["document"] == IDS[0]
    first, second = api.received("POST", DOCUMENTS)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_a_form_that_has_expired_is_replaced_before_it_is_used(api: ApiServer) -> None:
    write("a.txt")
    api.on("POST", DOCUMENTS, announcing(api, timedelta(minutes=-1)), announcing(api))
    upload(api, "a.txt")
    first, second = api.received("POST", DOCUMENTS)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len(api.received("POST", "/bucket")) == 1


def test_a_form_that_expires_meanwhile_is_replaced(api: ApiServer) -> None:
    write("a.txt")
    api.on("POST", DOCUMENTS, announcing(api, timedelta(minutes=-1)))
    expired = Answer(403, b"<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>")
    api.on("POST", "/bucket", expired, STORED)
    (sent,) = upload(api, "a.txt")["uploaded"]
    assert sent["document"] == IDS[0]
    assert len({request.headers["idempotency-key"] for request in api.received("POST", DOCUMENTS)}) == 1


def test_one_that_fails_does_not_stop_the_others_and_leaves_nothing(api: ApiServer) -> None:
    for number in range(6):
        write(f"{number}.txt")
    refusal = Answer(403, b"<Error><Code>AccessDenied</Code><Message>Invalid policy.</Message></Error>")

    def store(request: Request) -> Answer:
        return refusal if b"/3.txt" in request.body else STORED

    api.on("POST", "/bucket", store)
    api.on("DELETE", f"{DOCUMENTS}/{IDS[0]}", Answer(204))
    done = upload(api, *(f"{number}.txt" for number in range(6)), code=3)
    assert done["failed"] == [{"file": "3.txt", "reason": "S3 refuses it: Invalid policy."}]
    assert len(done["uploaded"]) == 5
    assert len([request for request in api.requests if request.method == "DELETE"]) == 1


def test_a_refused_name_is_told(api: ApiServer) -> None:
    write("a.txt")
    wrong = [{"field": "name", "expected": "a file name of at most 255 bytes"}]
    api.on("POST", DOCUMENTS, problem("invalid-fields", 422, errors=wrong))
    (failed,) = upload(api, "a.txt", code=3)["failed"]
    assert "name: a file name of at most 255 bytes" in failed["reason"]


def test_an_archived_project_is_told_before_anything_is_sent(api: ApiServer) -> None:
    write("a.txt")
    api.on("GET", f"/projects/{PROJECT}", answer(project(active=False)))
    error = api.invoke("documents", "upload", "-p", PROJECT, "a.txt", code=1).stderr
    assert f"nlp projects change {PROJECT} --restore" in error
    assert len(api.requests) == 1


def test_list(api: ApiServer) -> None:
    there = described(IDS[0], "a.txt", uploaded=True, size=2048)
    api.on("GET", DOCUMENTS, page("documents", there, described(IDS[1], "b.txt")), page("documents"))
    _, first, second = api.invoke("documents", "list", "-p", PROJECT).stdout.splitlines()
    assert first.split()[:3] == [IDS[0], "2.0", "KiB"]
    assert second.split()[:3] == [IDS[1], "not", "sent"]
    assert "nlp documents upload" in api.invoke("documents", "list", "-p", PROJECT).stderr
    assert api.json("documents", "list", env={"NLP_PROJECT": PROJECT}) == []
    assert "--project" in api.invoke("documents", "list", code=2).stderr


def test_delete(api: ApiServer) -> None:
    api.on("DELETE", f"{DOCUMENTS}/{IDS[0]}", Answer(204))
    api.on("DELETE", f"{DOCUMENTS}/{IDS[1]}", DROPPED, problem("not-found", 404))  # done, and the answer was lost
    api.on("DELETE", f"{DOCUMENTS}/{IDS[2]}", problem("not-found", 404, "There is no such document."))
    done = api.json("documents", "delete", "-p", PROJECT, *IDS[:3], code=3)
    assert done["deleted"] == IDS[:2]
    assert done["failed"] == [{"document": IDS[2], "reason": "Not found: There is no such document."}]


@pytest.mark.parametrize("name", ["ü" * 120 + ".md", "CON.txt", "a\u200bb.md", " a.md"])
def test_a_file_whose_name_no_document_can_have_is_to_be_renamed(api: ApiServer, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Text.")
    take_documents(api)
    shown = api.invoke("documents", "upload", "-p", PROJECT, str(tmp_path / name), code=3).stderr
    assert "rename the file, and upload it then: expected a file name of at most 200 bytes of UTF-8" in shown
    assert api.received("POST", DOCUMENTS) == []
