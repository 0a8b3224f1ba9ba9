"""`nlp jobs download`: complete files, inside of the folder, and links that end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import cli.api.transfers
from cli.api import backoff
from cli.api.client import Api
from cli.api.downloads import Downloader, ResultFile, ResultList, safe_path
from cli.aws.deployment import Deployment
from cli.ui.errors import CliError
from tests.cli.commands.test_jobs import JOB, JOBS, job
from tests.support.cli_api import DROPPED, PROJECT, Answer, ApiServer, Request, answer, jwt, page, running_api

RESULTS = f"{JOBS}/{JOB}/results"
REPORT = (
    b'{"documents": [{"name": "d1/a.docx", "status": "failed", "reason": "It is empty."}, {"status": "completed"}]}'
)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(backoff, "BACKOFF", replace(backoff.BACKOFF, first_seconds=0.001))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with running_api(tmp_path) as server:
        server.on("GET", f"{JOBS}/{JOB}", answer(job("completed")))
        yield server


def offer(api: ApiServer, *pages: dict[str, bytes], ends_in: timedelta = timedelta(minutes=15)) -> None:
    """Offer files, whose links name how often the list was read."""
    ends = (datetime.now(UTC) + ends_in).strftime("%Y-%m-%dT%H:%M:%SZ")
    reads = [0]

    def read(request: Request) -> Answer:
        reads[0] += 1
        number = int(request.query.get("cursor", 0))
        results = [
            {"name": name, "size": len(content), "url": f"{api.url}/files/{name.strip('/')}?read={reads[0]}"}
            for name, content in pages[number].items()
        ]
        following = str(number + 1) if number + 1 < len(pages) else None
        return answer({"job": JOB, "results": results, "expires_at": ends, "next": following})

    api.on("GET", RESULTS, read)
    for files in pages:
        for name, content in files.items():
            api.on("GET", f"/files/{name.strip('/')}", Answer(200, content))


def download(api: ApiServer, *arguments: str, code: int = 0) -> Any:
    return api.json("jobs", "download", "-p", PROJECT, JOB, *arguments, code=code)


def files_below(folder: str | Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_all_pages(api: ApiServer) -> None:
    offer(api, {"documents/d1/a.de.docx": b"a" * 200_000, "größe.csv": b"b"}, {"report.json": REPORT})
    done = download(api, "-o", "out")
    expected = {"documents/d1/a.de.docx": b"a" * 200_000, "größe.csv": b"b", "report.json": REPORT}
    assert files_below("out") == expected
    assert {one["name"]: one["size"] for one in done["files"]} == {name: len(text) for name, text in expected.items()}
    assert (done["job"], done["folder"], done["failed"]) == (JOB, "out", [])
    links = [request for request in api.requests if request.path.startswith("/files/")]
    assert len(links) == 3
    assert not any("authorization" in request.headers for request in links)  # links carry their own permission


def test_what_is_shown(api: ApiServer) -> None:
    offer(api, {"report.json": REPORT})
    result = api.invoke("jobs", "download", "-p", PROJECT, JOB)
    folder = f"translate-{JOB}"
    assert result.stdout.splitlines()[1].split() == [str(len(REPORT)), "B", "report.json"]
    assert f"Downloaded 1 file into {folder}: " in result.stdout
    assert "could not work on 1 of 2 documents:\n  d1/a.docx: It is empty." in result.stderr
    assert list(files_below(folder)) == ["report.json"]


def test_the_latest_job_is_the_default(api: ApiServer) -> None:
    offer(api, {"a.csv": b"a"})
    api.on("GET", JOBS, page("jobs", job("completed")))
    api.invoke("jobs", "download", "-p", PROJECT)
    api.on("GET", f"{JOBS}/latest", answer(job("completed")))
    api.invoke("jobs", "download", "-p", PROJECT, "latest", "--kind", "translate", "-o", "other")
    assert {path.name for path in Path().iterdir()} == {f"translate-{JOB}", "other"}


def test_a_job_without_results(api: ApiServer) -> None:
    offer(api, {})
    assert "Downloaded 0 files" in api.invoke("jobs", "download", "-p", PROJECT, JOB).stdout


def test_a_failed_job_has_its_report_or_its_cause(api: ApiServer) -> None:
    api.on("GET", f"{JOBS}/{JOB}", answer(job("failed", cause="No document could be processed.")))
    offer(api, {"report.json": REPORT})
    download(api, "-o", "out")
    assert list(files_below("out")) == ["report.json"]
    offer(api, {})
    error = api.invoke("jobs", "download", "-p", PROJECT, JOB, code=1).stderr
    assert f"The translate job {JOB} failed and left no files: No document could be processed." in error


def test_nothing_is_overwritten_without_force(api: ApiServer) -> None:
    offer(api, {"a.csv": b"new", "b.csv": b"new"})
    Path("out").mkdir()
    Path("out/b.csv").write_text("mine")
    error = api.invoke("jobs", "download", "-p", PROJECT, JOB, "-o", "out", code=1).stderr
    assert "1 file in out would be overwritten (b.csv)" in error
    assert files_below("out") == {"b.csv": b"mine"}
    download(api, "-o", "out", "--force")
    assert files_below("out") == {"a.csv": b"new", "b.csv": b"new"}


@pytest.mark.parametrize("name", ["../up.txt", "a/../../up.txt", "/etc/up.txt", "a//b", "./a", "a\\..\\b", "", "a/"])
def test_names_that_are_no_files_in_the_folder(name: str) -> None:
    with pytest.raises(CliError, match="its name is not one"):
        safe_path(Path("out"), name)


def test_no_name_leads_out_of_the_folder(api: ApiServer) -> None:
    Path("elsewhere").mkdir()
    Path("out").mkdir()
    Path("out/link").symlink_to(Path("elsewhere").resolve())
    offer(api, {"../up.txt": b"x", "/absolute.txt": b"x", "link/in.txt": b"x", "fine.txt": b"x"})
    done = download(api, "-o", "out", "--force", code=3)
    assert sorted(one["name"] for one in done["failed"]) == ["../up.txt", "/absolute.txt", "link/in.txt"]
    assert {str(path) for path in Path().rglob("*.txt")} == {"out/fine.txt"}
    assert not (api.folder / "up.txt").exists()


def test_one_that_fails_does_not_stop_the_others(api: ApiServer) -> None:
    offer(api, {"a.csv": b"a", "b.csv": b"b", "c.csv": b"c"})
    api.on("GET", "/files/b.csv", Answer(404))
    result = api.invoke("jobs", "download", "-p", PROJECT, JOB, "-o", "out", code=3)
    assert result.stderr.splitlines()[-2:] == [
        "b.csv: it could not be downloaded: S3 answers with 404",
        "nlp: 1 of 3 files not downloaded.",
    ]
    assert files_below("out") == {"a.csv": b"a", "c.csv": b"c"}


@pytest.mark.parametrize(
    "passing",
    [DROPPED, Answer(503), Answer(200, b"ha", {"content-length": "4", "connection": "close"}), Answer(200, b"x")],
)
def test_s3_fails_for_a_moment(api: ApiServer, passing: Answer) -> None:
    offer(api, {"a.csv": b"half"})
    api.on("GET", "/files/a.csv", passing, Answer(200, b"half"))
    download(api, "-o", "out")
    assert files_below("out") == {"a.csv": b"half"}


def test_what_stays_incomplete_is_not_there(api: ApiServer) -> None:
    offer(api, {"a.csv": b"whole"})
    api.on("GET", "/files/a.csv", Answer(200, b"part"))
    (failed,) = download(api, "-o", "out", code=3)["failed"]
    assert "not complete" in failed["reason"]
    assert list(Path("out").iterdir()) == []


def test_a_refused_link_is_replaced(api: ApiServer) -> None:
    offer(api, {"a.csv": b"a"}, {"b.csv": b"b"})
    api.on("GET", "/files/b.csv", Answer(403), Answer(200, b"b"))
    download(api, "-o", "out")
    assert [request.query["read"] for request in api.received("GET", "/files/b.csv")] == ["2", "3"]
    assert api.received("GET", RESULTS)[-1].query["cursor"] == "1"


def test_a_link_that_is_about_to_end_is_replaced(api: ApiServer) -> None:
    offer(api, {"a.csv": b"a"}, ends_in=timedelta(seconds=30))
    download(api, "-o", "out")
    (request,) = api.received("GET", "/files/a.csv")
    assert request.query["read"] == "2"


def test_a_file_that_is_gone_meanwhile(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLP_TOKEN", jwt())
    offer(api, {"a.csv": b"a"})
    opened = Api(Deployment("local", {"api_url": api.url, "region": "eu-central-1"}, api.url))
    results = ResultList(opened, PROJECT, JOB)
    results.files()
    with pytest.raises(CliError, match="not among the results any more"):
        results.link(ResultFile("gone.csv", 1, 0))
    opened.close()


def test_what_is_stopped_is_not_there(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLP_TOKEN", jwt())
    offer(api, {"a.csv": b"a" * 500_000})
    opened = Api(Deployment("local", {"api_url": api.url, "region": "eu-central-1"}, api.url))
    stop, results = cli.api.transfers.Stop(), ResultList(opened, PROJECT, JOB)
    downloader = Downloader(opened, results, Path("out"), stop, lambda _: stop.now())
    with pytest.raises(cli.api.transfers.StoppedError):
        downloader.download(results.files()[0])
    assert list(Path("out").iterdir()) == []
    opened.close()


def test_a_folder_that_cannot_be_written_to(api: ApiServer) -> None:
    offer(api, {"a/b.csv": b"a"})
    Path("out").mkdir()
    Path("out/a").write_text("a file")
    (failed,) = download(api, "-o", "out", code=3)["failed"]
    assert failed["reason"].startswith("it cannot be written: ")


def test_files_have_the_usual_permissions(api: ApiServer) -> None:
    offer(api, {"a.csv": b"a"})
    before = os.umask(0o022)
    try:
        download(api, "-o", "out")
    finally:
        os.umask(before)
    assert Path("out/a.csv").stat().st_mode & 0o777 == 0o644
