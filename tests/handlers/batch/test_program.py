"""The program as SageMaker runs it, with folders, environment variables and AWS on the network.

A few tests run it in a process of its own, which proves exit codes and that a process imports all it needs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import docx
import pytest

from handlers.batch.errors import internal_error, is_internal
from handlers.batch.run import find_program, unpack
from schema.jobs import OF_DOCUMENTS_MARK
from tests.handlers.batch.conftest import Outcome, Run
from tests.handlers.batch.fake_aws import FakeAws, RefusalError
from tests.handlers.batch.test_bad_documents import OLE, bomb
from tests.handlers.batch.word_documents import full_document, simple_document
from tests.support.pulumi_mocks import ROOT_FOLDER

ENGLISH = {"source": "en", "target": "de"}
TEXTS = {
    "documents/1/a.txt": b"The football season was good for all players of the team this year.\n",
    "documents/2/b.md": b"# Football\n\nThe football players of the team had a good season this year.\n",
    "documents/3/c.html": b"<html><p>Energy prices are bad for the climate and the markets of the world.</p>",
    "documents/4/d.txt": b"Bad energy prices are bad news for the markets and the climate of the world.\n",
    "documents/5/e.txt": b"The football season was good for all players of the team this year.\n",
    "documents/6/empty.txt": b"",
    "documents/7/blank.txt": b" \n\n",
    "documents/8/wrong.docx": b"no document",
}
BAD = {"6/empty.txt", "7/blank.txt", "8/wrong.docx"}


def test_translate(run_process: Run, aws: FakeAws) -> None:
    done = run_process("translate", ENGLISH, {**TEXTS, "documents/9/w.docx": full_document()})
    assert done.code == 0, done.logs
    assert {name for name, status in done.statuses().items() if status == "failed"} == BAD
    written = {path.relative_to(done.output).as_posix() for path in done.output.rglob("*") if path.is_file()}
    names = ("1/a.de.txt", "2/b.de.md", "3/c.de.html", "4/d.de.txt", "5/e.de.txt", "9/w.de.docx")
    assert written == {"report.json", *(f"documents/{name}" for name in names)}
    assert (done.output / "documents/2/b.de.md").read_bytes() == TEXTS["documents/2/b.md"].upper()
    assert docx.Document(str(done.output / "documents/9/w.de.docx")).paragraphs[0].text == "THE ANNUAL REPORT"
    totals = done.report["totals"]
    assert totals["usage"] == {"translate_characters": sum(map(len, aws.translated))}
    assert done.report["estimated_cost"]["amount"] == round(sum(map(len, aws.translated)) * 15 / 1e6, 6)
    lines = [json.loads(line) for line in done.logs.splitlines()]
    [metrics] = [line for line in lines if "_aws" in line]
    assert (metrics["Documents"], metrics["DocumentsFailed"]) == (9, 3)
    assert 20 < metrics["PeakMegabytes"] < 500
    assert {line["job"] for line in lines} == {"job-1"}


def test_a_rerun_overwrites_its_own_results(run_container: Run) -> None:
    inputs = {"documents/1/w.docx": full_document()}
    first = run_container("translate", ENGLISH, inputs)
    before = (first.output / "documents/1/w.de.docx").read_bytes()
    assert (run_container("translate", ENGLISH, inputs).output / "documents/1/w.de.docx").read_bytes() == before


def test_the_language_is_found_for_each_document(run_container: Run, aws: FakeAws) -> None:
    texts = {
        "documents/a.txt": b"Das ist nicht ein Satz.",
        "documents/b.txt": b"A text.",
        "documents/c.txt": b"swedish",
    }
    done = run_container("translate", {"target": "de"}, texts)
    assert done.code == 0, done.logs
    assert {document["name"]: document["notes"] for document in done.report["documents"]} == {
        "a.txt": ["Its language is `de`.", "It is in `de` already, so it was not changed."],
        "b.txt": ["Its language is `en`."],
        "c.txt": ["Its language is `sv`."],
    }
    assert (done.output / "documents/a.de.txt").read_bytes() == texts["documents/a.txt"]
    assert aws.translated == ["A text.", "swedish"] or aws.translated == ["swedish", "A text."]


def test_one_refused_document_does_not_stop_the_others(run_container: Run, aws: FakeAws) -> None:
    aws.poison = "Energy"
    done = run_container("translate", ENGLISH, TEXTS)
    failed = {document["name"]: document["reason"] for document in done.report["documents"] if "reason" in document}
    assert failed.keys() == BAD | {"3/c.html"}
    assert (
        failed["3/c.html"]
        == "Amazon Translate refused it (InvalidRequestException): InvalidRequestException of the test"
    )
    assert not (done.output / "documents/3").exists() or not list((done.output / "documents/3").iterdir())


@pytest.mark.parametrize(("kind", "options"), [("translate", ENGLISH), ("analyse", {})])
def test_every_kind_of_bad_document_is_reported_and_the_rest_delivered(
    run_container: Run, kind: str, options: dict[str, str]
) -> None:
    pages = simple_document(*(f"page {number} " + "words " * 500 for number in range(500)))
    documents = {
        "empty.txt": (b"", "It is empty."),
        "blank.md": (b"\n \n", "It has no text."),
        "corrupt.docx": (full_document()[:-2000], "It is corrupt: the file is not a complete Word document."),
        "encrypted.docx": (OLE + "EncryptedPackage".encode("utf-16-le"), "It is encrypted. Remove its password"),
        "old.docx": (OLE, "It is in the old .doc format."),
        "pages.docx": (pages, "It has about 502 pages; at most 400 are allowed. Split it."),
        "picture.docx": (b"\x89PNG....", "Its name ends in .docx, but it is a picture (PNG)."),
        "table.xlsx": (b"PK\x03\x04....", "Documents of this type are not supported. It is a zip archive."),
        "script.html": (b"<html><script>words()</script>", "It has no text."),
        "bomb.docx": (bomb(), "It is too large when unpacked: 1 files with 20000007 bytes;"),
        "russian.txt": ("\u041f\u0440\u0438\u0432\u0435\u0442".encode("cp1251"), "Its encoding cannot be told."),
    }
    inputs = {f"documents/{name}": content for name, (content, _) in documents.items()}
    good = {"documents/good.txt": b"Some good words.", "documents/good.docx": full_document()}

    done = run_container(kind, options, {**inputs, **good}, MAX_EXPANDED_BYTES="10000000")

    assert done.code == 0, done.logs
    reports = {document.pop("name"): document for document in done.report["documents"]}
    for name, (_, reason) in documents.items():
        assert reports[name]["status"] == "failed"
        assert reports[name]["reason"].startswith(reason)
    assert all(report["seconds"] >= 0 and report["characters"] >= 0 for report in reports.values())
    assert [name for name, report in reports.items() if report["status"] == "completed"] == ["good.docx", "good.txt"]
    totals = done.report["totals"]
    assert (totals["documents"], totals["completed"], totals["failed"]) == (13, 2, 11)
    assert totals["characters"] == sum(report["characters"] for report in reports.values())
    assert done.report["estimated_cost"]["currency"] == "USD"
    if kind == "translate":
        assert sorted(path.name for path in (done.output / "documents").iterdir()) == ["good.de.docx", "good.de.txt"]
    else:
        analysed = json.loads((done.output / "analysis.json").read_bytes())["documents"]
        assert [document["name"] for document in analysed] == ["good.docx", "good.txt"]


def test_a_job_that_delivers_nothing_says_so_and_has_its_report(run_container: Run) -> None:
    done = run_container("translate", ENGLISH, {name: text for name, text in TEXTS.items() if name[10:] in BAD})
    assert done.code == 0, "SageMaker uploads nothing of a program that fails"
    assert done.message.startswith(
        f"{OF_DOCUMENTS_MARK}No document could be processed. 6/empty.txt: It is empty. 7/blank.txt: It has no text."
    )
    assert set(done.statuses().values()) == {"failed"}


def test_documents_that_a_service_refused_are_not_to_blame(run_container: Run, aws: FakeAws) -> None:
    aws.failures["TranslateText"] = [RefusalError("AccessDeniedException")]
    done = run_container("translate", ENGLISH, {"documents/1/a.txt": b"Good.", "documents/2/b.txt": b""})
    assert done.code == 0
    assert done.message.startswith("No document could be processed. 1/a.txt: Amazon Translate refused it"), done.message


@pytest.mark.parametrize(
    ("reason", "internal"),
    [
        (internal_error("KeyError"), True),
        ("Amazon Comprehend did not analyse it in time.", True),
        ("It is empty.", False),
        # What authors choose: the name of a part, and text.
        ("It is corrupt: Amazon Translate refused it is missing.", False),
        ("It is corrupt: It could not be processed because of an internal error is missing.", False),
    ],
)
def test_reasons_tell_whose_fault_it_is(reason: str, internal: bool) -> None:
    assert is_internal(reason) is internal


def test_no_reason_starts_with_what_an_author_chooses() -> None:
    """Whoever writes a document cannot have an operator called by the names in it."""
    folder = ROOT_FOLDER / "handlers" / "batch" / "documents"
    starts = [
        found for file in folder.glob("*.py") for found in re.findall(r'DocumentError\(\s*f"\{', file.read_text())
    ]
    assert starts == []


def test_a_job_without_documents_is_done(run_container: Run) -> None:
    for kind, options in (("translate", ENGLISH), ("analyse", {})):
        done = run_container(kind, options, {})
        assert (done.code, done.report["totals"]["documents"]) == (0, 0), done.logs


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("translate", {"target": "xx"}, "`target`: expected a language code of Amazon Translate, one of af, am"),
        (
            "translate",
            {"target": "german"},
            "JOB_OPTIONS of a job of kind translate: `target`: expected a language code",
        ),
        ("translate", {}, "missing required field `target`"),
        ("translate", "{", "JOB_OPTIONS of a job of kind translate: Input data was truncated"),
        ("analyse", {"topics": 21}, "Expected `int` <= 20 - at `\\$.topics`"),
        ("train", {}, "Environment variables: .*'train' - at `\\$.job_kind`"),
        ("translate", {"source": "en", "target": "de", "engine": "marian"}, "The model lacks model.bin, config.json"),
        ("merge", {}, "There is nothing to merge"),
    ],
)
def test_mistakes_are_named(run_container: Run, kind: str, options: object, message: str) -> None:
    done = run_container(kind, options, {})
    assert done.code == 1
    assert re.search(message, done.message), done.message


def test_a_failed_process_has_its_exit_code_and_message(run_process: Run) -> None:
    done = run_process("translate", {}, {})
    assert done.code == 1
    assert "missing required field `target`" in done.message


def test_limits_come_from_the_environment(run_container: Run) -> None:
    done = run_container("translate", ENGLISH, TEXTS, MAX_DOCUMENT_BYTES="60")
    assert done.message.startswith(f"{OF_DOCUMENTS_MARK}No document could be processed.")
    assert "at most 60 are allowed" in done.message
    assert "`$.max_pages`" in run_container("translate", ENGLISH, {}, MAX_PAGES="none").message


def test_analyse(run_process: Run, aws: FakeAws) -> None:
    done = run_process("analyse", {"topics": 2}, TEXTS)
    assert done.code == 0, done.logs
    result = json.loads((done.output / "analysis.json").read_bytes())
    by_name = {document["name"]: document for document in result["documents"]}
    assert by_name.keys() == {"1/a.txt", "2/b.md", "3/c.html", "4/d.txt", "5/e.txt"}
    assert by_name["1/a.txt"]["topic"] == by_name["2/b.md"]["topic"] != by_name["4/d.txt"]["topic"]
    assert by_name["5/e.txt"]["nearly_same_as"] == "1/a.txt"
    assert [group["first"] for group in result["near_duplicates"]] == ["1/a.txt"]
    # All five documents share each call.
    assert aws.calls == {"BatchDetectDominantLanguage": 1, "BatchDetectSentiment": 1, "BatchDetectKeyPhrases": 1}
    assert done.report["totals"]["usage"] == {"comprehend_units": 5 * 3 * 3}
    assert (done.output / "report.html").read_text().startswith("<!doctype html>")
    assert not (done.output / "parts").exists()


def test_two_instances_and_a_merge_are_one_instance(run_container: Run, tmp_path: Path) -> None:
    alone = run_container("translate", ENGLISH, TEXTS)
    hosts = ("algo-1", "algo-2")
    shards = [dict(list(TEXTS.items())[number::2]) for number in range(2)]
    shutil.rmtree(tmp_path / "translate-algo-1" / "processing" / "input")
    before = _contents(alone)
    shutil.rmtree(alone.output)
    instances = [
        run_container("translate", ENGLISH, shard, host, hosts) for host, shard in zip(hosts, shards, strict=True)
    ]
    assert [done.code for done in instances] == [0, 0], instances[0].logs
    together = tmp_path / "merge-algo-1" / "processing" / "input"
    for done in instances:
        assert not (done.output / "report.json").exists()
        shutil.copytree(done.output / "parts", together / "parts", dirs_exist_ok=True)
    merged = run_container("merge", {}, {})
    assert merged.code == 0, merged.logs
    assert merged.report["instances"] == 2
    for done in instances:
        shutil.copytree(done.output / "documents", merged.output / "documents", dirs_exist_ok=True)
    after = _contents(merged)
    assert after == before


def _contents(done: Outcome) -> dict[str, object]:
    """All results, the report without what time decides."""
    contents: dict[str, object] = {
        path.relative_to(done.output).as_posix(): path.read_bytes() for path in done.output.rglob("*") if path.is_file()
    }
    report = done.report
    for timed in ("started_at", "finished_at", "seconds", "instances"):
        del report[timed]
    del report["totals"]["document_seconds"]
    for document in report["documents"]:
        del document["seconds"]
    contents["report.json"] = report
    return contents


def test_an_instance_without_documents_and_one_with_bad_ones_are_no_failure(run_container: Run) -> None:
    hosts = ("algo-1", "algo-2")
    assert run_container("analyse", {}, {}, "algo-1", hosts).code == 0
    assert run_container("analyse", {}, {"documents/a.txt": b""}, "algo-2", hosts).code == 0


def test_throttling_is_waited_for(run_container: Run, aws: FakeAws) -> None:
    aws.failures["TranslateText"] = [RefusalError("ThrottlingException"), RefusalError("InternalServerException", 500)]
    done = run_container("translate", ENGLISH, {"documents/a.txt": b"Some words"})
    assert done.code == 0, done.logs
    assert aws.calls["TranslateText"] == 3


def test_the_launcher_runs_an_archive_with_packages_of_wheels(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels" / "small-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small/__init__.py", "code = 7")
    code = tmp_path / "code"
    code.mkdir()
    with zipfile.ZipFile(code / "program.zip", "w") as archive:
        archive.writestr("handlers/batch/main.py", "import small\ndef main():\n    return small.code")
    shutil.copy(ROOT_FOLDER / "handlers" / "batch" / "run.py", code)
    done = subprocess.run([sys.executable, code / "run.py"], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (7, b"")


def test_the_launcher_names_what_it_cannot_unpack(tmp_path: Path) -> None:
    (tmp_path / "b.whl").write_bytes(b"no wheel")
    with pytest.raises(SystemExit, match=r"b\.whl cannot be unpacked"):
        unpack([tmp_path / "b.whl"], tmp_path)


def test_the_launcher_finds_the_program_in_both_layouts(tmp_path: Path) -> None:
    main = tmp_path / "handlers" / "batch" / "main.py"
    main.parent.mkdir(parents=True)
    main.touch()
    nowhere = Path("/nowhere")
    assert find_program(nowhere / "run.py", tmp_path) == tmp_path
    assert find_program(main.parent / "run.py", nowhere) == tmp_path
    with pytest.raises(SystemExit, match=r"no program\.zip beside it"):
        find_program(nowhere / "run.py", nowhere)
