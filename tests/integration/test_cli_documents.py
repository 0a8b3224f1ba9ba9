"""`nlp` from sign-in to results, as its users run it, against the product on the embedded AWS."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import httpx
import pytest

from local.demo.api_client import ApiUser
from local.deploy.deployer import ROOT
from local.deploy.stack import LocalStack, findable

NAME = "Contracts & Söhne"
PASSWORD = "A-good-password-1"


class User:
    """Somebody at a terminal: a folder of their own, and no AWS credentials."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.folder = folder
        folder.mkdir()
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "NLP_"))}
        self._variables = {
            **inherited,
            "NLP_STATE": str(state),
            "XDG_STATE_HOME": str(folder / ".state"),
            "COLUMNS": "80",
        }

    def nlp(self, *arguments: str, code: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [ROOT / "nlp", *arguments],
            cwd=self.folder,
            env=self._variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.nlp(*arguments, "--json", code=code).stdout)


@pytest.fixture(scope="module")
def state(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("stack") / "state.json"
    with findable(stack.aws, stack.outputs, ApiUser(stack, "cli@example.com"), file):
        yield file


@pytest.fixture
def user(tmp_path: Path, state: Path) -> User:
    return User(tmp_path / "home", state)


def contract() -> bytes:
    document = docx.Document()
    document.add_paragraph("The delivery was on time. We are very happy with it.").runs[0].bold = True
    document.add_table(1, 2).cell(0, 1).text = "A wonderful price"
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def test_from_sign_in_to_results(user: User) -> None:
    assert user.nlp("login").stdout == "Signed in as cli@example.com.\n"
    project = user.json("projects", "create", NAME)["project"]
    (user.folder / "papers").mkdir()
    (user.folder / "papers" / "contract.docx").write_bytes(contract())
    (user.folder / "papers" / "note.txt").write_text("The report is bad. I hate the delay.\n")
    (user.folder / "papers" / "broken.docx").write_text("no Word document")
    (user.folder / "picture.png").write_bytes(b"\x89PNG")

    uploaded = user.json("documents", "upload", "-p", NAME, "papers", "picture.png", code=3)
    assert {one["name"] for one in uploaded["uploaded"]} == {"contract.docx", "note.txt", "broken.docx"}
    assert [(one["file"], "type is not known" in one["reason"]) for one in uploaded["failed"]] == [
        ("picture.png", True)
    ]
    sizes = {one["name"]: one["size"] for one in user.json("documents", "list", "-p", NAME)}
    assert sizes == {path.name: path.stat().st_size for path in (user.folder / "papers").iterdir()}

    translated = user.json("jobs", "start", "-p", NAME, "translate", "--to", "de", "--wait")
    assert (translated["status"], translated["options"]["target"]) == ("completed", "de")
    followed = user.nlp("jobs", "start", "-p", project, "analyse", "--summary-sentences", "1", "--wait")
    assert "The analyse job" in followed.stdout
    assert "is completed, in" in followed.stdout
    assert "analyse job" in followed.stderr

    jobs = user.json("jobs", "list", "-p", NAME)
    assert [(job["kind"], job["status"]) for job in jobs] == [("analyse", "completed"), ("translate", "completed")]
    ended = user.nlp("jobs", "cancel", "-p", NAME, translated["job"], code=1)
    assert ended.stderr.startswith("nlp: The job is not running")
    assert ended.stderr.count("\n") == 1

    check_results(user, translated["job"])


def check_results(user: User, translation: str) -> None:
    got = user.nlp("jobs", "download", "-p", NAME, translation, "-o", "german")
    assert "could not work on 1 of 3 documents" in got.stderr
    assert "broken.docx" in got.stderr
    names = {path.name for path in (user.folder / "german").rglob("*") if path.is_file()}
    assert names == {"contract.de.docx", "note.de.txt", "report.json"}
    (file,) = (user.folder / "german").rglob("*.docx")
    assert docx.Document(str(file)).paragraphs[0].runs[0].bold
    again = user.nlp("jobs", "download", "-p", NAME, translation, "-o", "german", code=1)
    assert "would be overwritten" in again.stderr

    done = user.json("jobs", "download", "-p", NAME, "--kind", "analyse")
    folder = user.folder / done["folder"]
    assert {one["name"] for one in done["files"]} == {path.name for path in folder.iterdir()}
    assert "report.html" in {path.name for path in folder.iterdir()}
    assert all(one["size"] == (folder / one["name"]).stat().st_size for one in done["files"])


def test_an_invited_user_shares_a_project(user: User, tmp_path: Path, state: Path) -> None:
    invited = user.json("users", "add", "invited@example.com", "--role", "reader")
    ann = User(tmp_path / "ann", state)
    answers = f"{invited['temporary_password']}\n{PASSWORD}\n"
    signed_in = ann.nlp("login", "--email", "invited@example.com", "--password-stdin", "--json", given=answers)
    her = json.loads(signed_in.stdout)

    project = user.json("projects", "create", "Letters")["project"]
    assert ann.json("projects", "list") == []
    assert "There is no such project" in ann.nlp("projects", "show", project, code=1).stderr
    shared = user.json("projects", "share", project, "invited@example.com")
    assert shared["shared_with"] == [her["user"]]
    assert ann.json("projects", "show", "Letters")["owner"] == shared["owner"] != her["user"]
    assert "This needs the role editor" in ann.nlp("projects", "archive", project, code=1).stderr
    user.json("users", "role", "invited@example.com", "editor")
    ann.nlp("login", "--email", "invited@example.com", "--password-stdin", given=f"{PASSWORD}\n")
    assert "only its owner may change it" in ann.nlp("projects", "archive", project, code=1).stderr
    assert user.json("projects", "archive", project)["archived"]
    (ann.folder / "a.txt").write_text("Hello.")
    assert "archived" in ann.nlp("documents", "upload", "-p", project, "a.txt", code=1).stderr

    ann.nlp("logout")
    wrong = ann.nlp("login", "--email", "invited@example.com", "--password-stdin", code=1, given="Another-password-1\n")
    assert wrong.stderr == "nlp: The e-mail address or the password is wrong.\n"


@pytest.fixture
def slow_translation(stack: LocalStack) -> Iterator[None]:
    stack.aws.control.set_latency("translate", 60)
    yield
    stack.aws.control.set_latency("translate", 0)


@pytest.mark.usefixtures("slow_translation")
def test_a_job_that_runs_is_refused_a_second_time_and_cancelled(user: User) -> None:
    project = user.json("projects", "create", "Cancelled")["project"]
    (user.folder / "a.txt").write_text("The delay is bad.\n")
    user.nlp("documents", "upload", "-p", project, "a.txt")
    job = user.json("jobs", "start", "-p", project, "translate", "--to", "de")["job"]
    second = user.nlp("jobs", "start", "-p", project, "translate", "--to", "fr", code=1)
    assert job in second.stderr
    assert f"nlp jobs list -p {project} --status running" in second.stderr
    early = user.nlp("jobs", "show", "-p", project, job, "--wait", "--timeout", "1s", code=1)
    assert "still runs" in early.stderr
    assert user.json("jobs", "cancel", "-p", project, job)["status"] == "cancelled"
    waited = user.nlp("jobs", "show", "-p", project, job, "--wait", code=3)
    assert "is cancelled: Cancelled by" in waited.stderr
    statuses = [one["status"] for one in user.json("jobs", "list", "-p", project)]
    assert statuses == ["rejected", "cancelled"]
    refused = user.nlp("jobs", "download", "-p", project, job, code=1)
    assert "only a job that has completed has results" in refused.stderr


def test_the_token_is_for_other_programs(user: User, stack: LocalStack) -> None:
    token = user.nlp("token").stdout.strip()
    answer = httpx.get(f"{stack.outputs['api_url']}/projects", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert user.json("token")["expires_at"] > time.time()
