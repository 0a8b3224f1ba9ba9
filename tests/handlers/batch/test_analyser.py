"""Analysis of documents: full batches, weights, failures of one among many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handlers.batch.allowance import Allowance
from handlers.batch.analyse import batches as batches_module
from handlers.batch.analyse import work
from handlers.batch.analyse.analyser import Analyser
from handlers.batch.analyse.batches import Batches
from handlers.batch.analyse.document import Analysis, text_parts
from handlers.batch.analyse.job import write_results
from handlers.batch.clock import JobClock
from handlers.batch.comprehend import Comprehend, dominant_language
from handlers.batch.errors import DocumentError, JobError
from handlers.batch.isolation.conversation import Conversations
from handlers.batch.isolation.machine import memory_for_documents
from handlers.batch.isolation.processes import Processes
from handlers.batch.job import Environment, Job, ResourceConfig
from handlers.batch.merge import merge
from handlers.batch.report import DocumentReport, make_report, now, write_report
from handlers.common.job_options import OPTIONS_OF_KIND
from schema.limits import COMPREHEND_TEXT_BYTES
from tests.handlers.aws_fakes import client_error
from tests.handlers.batch.fake_aws import FakeAws, RefusalError
from tests.handlers.batch.support import LIMITS, budget


class Client:
    """A Comprehend client without a network."""

    def __init__(self, aws: FakeAws) -> None:
        self._aws = aws

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._aws.answer(operation, request)
        except RefusalError as refusal:
            raise client_error(refusal.code, operation) from refusal

    def batch_detect_dominant_language(self, **request: Any) -> dict[str, Any]:
        return self._call("BatchDetectDominantLanguage", request)

    def batch_detect_sentiment(self, **request: Any) -> dict[str, Any]:
        return self._call("BatchDetectSentiment", request)

    def batch_detect_key_phrases(self, **request: Any) -> dict[str, Any]:
        return self._call("BatchDetectKeyPhrases", request)


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with Processes(work, memory_for_documents()) as started:
        yield started


# Analyses the documents of a folder: their names, a language, the seconds of a document.
Analyse = Callable[..., tuple[list[Analysis], list[DocumentReport]]]


@pytest.fixture
def analyse_files(aws: FakeAws, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> Analyse:
    # A busy machine must not decide which texts share a call.
    monkeypatch.setattr(batches_module, "_LINGER_SECONDS", 100)

    def analyse_files(
        folder: Path, names: Sequence[str], seconds: float = 100, language: str | None = None
    ) -> tuple[list[Analysis], list[DocumentReport]]:
        batches = Batches(Comprehend(Client(aws), sleep=lambda _: None), 4)
        batches.expect(len(names), 64)
        analyser = Analyser(
            language=language,
            summary_sentences=3,
            batches=batches,
            limits=LIMITS,
            clock=JobClock(None, seconds),
            conversations=Conversations(processes, 10**9),
            allowance=Allowance(None),
        )
        with ThreadPoolExecutor(64) as threads:
            reports = list(threads.map(lambda name: analyser.analyse(folder, name), names))
        batches.close()
        return analyser.analyses, reports

    return analyse_files


@pytest.fixture
def analyse(analyse_files: Analyse) -> Callable[..., tuple[dict[str, Analysis], dict[str, DocumentReport]]]:
    def analyse(
        folder: Path, texts: dict[str, str], seconds: float = 100, language: str | None = None
    ) -> tuple[dict[str, Analysis], dict[str, DocumentReport]]:
        for name, text in texts.items():
            (folder / name).write_text(text)
        analyses, reports = analyse_files(folder, sorted(texts), seconds, language)
        assert [report.name for report in reports] == sorted(texts)
        return {found.name: found for found in analyses}, {report.name: report for report in reports}

    return analyse


def test_short_documents_share_calls(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    analyses, reports = analyse(tmp_path, {f"{number:03}.txt": f"Text {number} good" for number in range(60)})
    assert len(analyses) == 60
    assert aws.calls == {"BatchDetectDominantLanguage": 3, "BatchDetectSentiment": 3, "BatchDetectKeyPhrases": 3}
    assert {report.status for report in reports.values()} == {"completed"}
    assert reports["000.txt"].usage == {"comprehend_units": 9}


def test_documents_longer_than_a_window(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    line = "This sentence of the document is good for all.\n"
    count = work.WINDOW_PARTS * COMPREHEND_TEXT_BYTES // len(line) * 2
    analyses, reports = analyse(tmp_path, {"a.txt": line * 1000, "b.txt": line, "c.txt": line * count})
    assert [analyses[name].words for name in ("a.txt", "b.txt", "c.txt")] == [9000, 9, 9 * count]
    assert aws.calls["BatchDetectDominantLanguage"] <= 3
    assert analyses["a.txt"].key_phrases[0].score == pytest.approx(900)
    assert reports["c.txt"].characters == count * (len(line) - 1)
    assert reports["c.txt"].counted_characters >= reports["c.txt"].sent_characters >= count * (len(line) - 1)


def test_parts_weigh_what_they_are_long(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    long, short = "good good good " * 330, "bad "
    analyses, _ = analyse(tmp_path, {"a.txt": f"{long}\n{short * 600}"})
    found = analyses["a.txt"]
    assert found.scores is not None
    assert sum(found.scores) == pytest.approx(1, abs=0.001)
    assert found.sentiment == "POSITIVE"
    assert found.scores[0] == pytest.approx(0.99 * len(long) / (len(long) + 2400), abs=0.02)


def test_languages_are_kept_apart(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    texts = {"a.txt": "A good text.", "b.txt": "Das ist nicht ein guter Text.", "c.txt": "swedish text is here"}
    analyses, reports = analyse(tmp_path, texts)
    assert {name: found.language for name, found in analyses.items()} == {"a.txt": "en", "b.txt": "de", "c.txt": "sv"}
    assert (analyses["c.txt"].sentiment, analyses["c.txt"].key_phrases) == (None, [])
    assert reports["c.txt"].notes == ["Its language is `sv`: no sentiment, no key phrases."]
    assert analyses["c.txt"].summary == ["swedish text is here"]
    assert aws.calls["BatchDetectSentiment"] == 2


def test_a_given_language_is_not_asked_for(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    analyses, _ = analyse(tmp_path, {"a.txt": "Das ist nicht ein Text."}, language="fr")
    assert analyses["a.txt"].language == "fr"
    assert aws.calls["BatchDetectDominantLanguage"] == 0


def test_one_refused_text_fails_its_document_alone(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    aws.poison = "poison"
    analyses, reports = analyse(tmp_path, {"a.txt": "good", "b.txt": "poison", "c.txt": "", "d.txt": "fine"})
    assert analyses.keys() == {"a.txt", "d.txt"}
    assert reports["b.txt"].reason == "Amazon Comprehend refused it (INVALID_REQUEST): poison"
    assert reports["c.txt"].reason == "It is empty."


def test_a_document_that_breaks_in_the_middle_is_not_half_analysed(
    tmp_path: Path, aws: FakeAws, analyse_files: Analyse
) -> None:
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe" + "good ".encode("utf-16-le") * 50_000 + b"x")
    analyses, [report] = analyse_files(tmp_path, ["b.txt"])
    assert (report.status, analyses) == ("failed", [])
    assert report.reason == "It is corrupt: not valid utf-16-le."


def test_the_time_of_a_document_is_limited(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    _, reports = analyse(tmp_path, {"a.txt": "good"}, seconds=1e-9)
    assert "time limit" in str(reports["a.txt"].reason)


def test_failed_calls(tmp_path: Path, aws: FakeAws, analyse: Any) -> None:
    aws.failures = {"BatchDetectSentiment": [RefusalError("ThrottlingException")] * 3, "BatchDetectKeyPhrases": []}
    analyses, _ = analyse(tmp_path, {"a.txt": "good"})
    assert analyses["a.txt"].sentiment == "POSITIVE"
    assert aws.calls["BatchDetectSentiment"] == 4
    aws.failures = {"BatchDetectKeyPhrases": [RefusalError("AccessDeniedException")]}
    _, reports = analyse(tmp_path, {"a.txt": "good"})
    assert str(reports["a.txt"].reason).startswith("Amazon Comprehend refused it (AccessDeniedException)")


def job_of(root: Path, host: str = "algo-1", hosts: tuple[str, ...] = ("algo-1",)) -> Job:
    environment = Environment(job_kind="analyse", job_id="j", processing_root=str(root))
    return Job(environment=environment, options=None, resources=ResourceConfig(host, list(hosts)))


def write_part(analyse_files: Analyse, source: Path, root: Path, host: str, names: list[str], job: str = "j") -> Path:
    """Do what one of two instances does; gives the folder of its part."""
    options = msgspec.to_builtins(OPTIONS_OF_KIND["analyse"]())
    analyses, documents = analyse_files(source, names)
    share = job_of(root, host, ("algo-1", "algo-2"))
    write_results(share, analyses, None)
    report = make_report(
        job=job,
        kind="analyse",
        options=options,
        documents=documents,
        started=now(),
        finished=now(),
        instances=2,
    )
    write_report(share.part, report)
    return share.part


def test_two_instances_and_a_merge_are_one_instance(tmp_path: Path, aws: FakeAws, analyse_files: Analyse) -> None:
    source = tmp_path / "documents"
    source.mkdir()
    names = [f"{number:02}.txt" for number in range(15)]
    for number, name in enumerate(names):
        subject = "football players of the team" if number % 3 else "energy prices of the markets"
        (source / name).write_text(f"The {subject} were good in {number % 5} good seasons. It is so." if number else "")
    write_results(job_of(tmp_path / "alone"), analyse_files(source, names)[0], None)
    for host in range(2):
        write_part(analyse_files, source, tmp_path, f"algo-{host + 1}", names[host::2])
    report = merge(tmp_path / "output" / "parts", tmp_path / "merged")
    assert (report.instances, report.totals.documents, report.totals.failed) == (2, 15, 1)
    files = {path.name: path.read_bytes() for path in (tmp_path / "alone" / "output").iterdir()}
    assert files.keys() == {"analysis.json", "documents.csv", "report.html"}
    assert {path.name: path.read_bytes() for path in (tmp_path / "merged").iterdir()} == files
    assert b'"nearly_same_as": "0' in files["analysis.json"]


def test_parts_that_cannot_be_merged(tmp_path: Path, analyse_files: Analyse) -> None:
    (tmp_path / "a.txt").write_text("good words")
    parts = write_part(analyse_files, tmp_path, tmp_path, "algo-1", ["a.txt"]).parent
    with pytest.raises(JobError, match="Only 1 of 2 instances have left their part"):
        merge(parts, tmp_path)
    second = write_part(analyse_files, tmp_path, tmp_path, "algo-2", [], job="another")
    with pytest.raises(JobError, match="belong to different jobs"):
        merge(parts, tmp_path)
    (second / "report.json").write_text("{")
    with pytest.raises(JobError, match="The report of algo-2 cannot be read"):
        merge(parts, tmp_path)
    write_part(analyse_files, tmp_path, tmp_path, "algo-2", [])
    (second / "analyses.jsonl").write_text("{}\n")
    with pytest.raises(JobError, match="The part of algo-2 cannot be read"):
        merge(parts, tmp_path)
    (second / "analyses.jsonl").unlink()
    with pytest.raises(JobError, match="The part of algo-2 cannot be read"):
        merge(parts, tmp_path)


def test_texts_that_got_no_answer_are_sent_again() -> None:
    calls: list[list[str]] = []

    class Forgetful:
        def batch_detect_sentiment(self, **request: Any) -> dict[str, Any]:
            calls.append(request["TextList"])
            scores = dict.fromkeys(("Positive", "Negative", "Neutral", "Mixed"), 0.25)
            failed = [{"Index": 1, "ErrorCode": "INTERNAL_SERVER_ERROR"}] if len(calls[-1]) > 1 else []
            return {"ResultList": [{"Index": 0, "SentimentScore": scores}], "ErrorList": failed}

    answers = Comprehend(Forgetful(), sleep=lambda _: None).sentiments(["a", "b", "c"], "en", [budget()] * 3)
    assert calls == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert not any(isinstance(answer, DocumentError) for answer in answers)


def test_parts_are_cut_between_sentences_and_lose_nothing() -> None:
    paragraphs = ["Short one.", "Dr. Smith paid 3.50 dollars for it. " * 400, "ä" * 9000, "End."]
    parts = list(text_parts(iter(paragraphs), "en"))
    assert all(len(part.encode()) <= COMPREHEND_TEXT_BYTES for part in parts)
    assert "".join("".join(parts).split()) == "".join("".join(paragraphs).split())
    assert sum(part.endswith("it.") for part in parts) >= 2


def test_the_dominant_language() -> None:
    two = [{"LanguageCode": "de", "Score": 0.4}, {"LanguageCode": "en", "Score": 0.6}]
    assert dominant_language({"Languages": two}) == ("en", 0.6)
    assert dominant_language({"Languages": []}) == ("en", 0.0)
