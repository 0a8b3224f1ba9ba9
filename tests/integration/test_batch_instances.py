"""Jobs on two instances: documents shared among them, and results put together to those of one instance."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
from schema import projects as keys
from tests.handlers.batch.word_documents import full_document, simple_document
from tests.integration.api_story import TO_GERMAN, Backstage, run

FOOTBALL = "The football players of the team had a wonderful season. Their {} match was a great victory for the team."
ENERGY = "Energy prices are terrible for the markets. The {} report on energy was a failure, and so is the climate."
DOCUMENTS: dict[str, bytes] = {
    **{f"football-{word}.txt": FOOTBALL.format(word).encode() for word in ("first", "second", "third", "last")},
    **{f"energy-{word}.md": f"# Energy\n\n{ENERGY.format(word)}\n".encode() for word in ("first", "second", "last")},
    "deutsch.txt": b"Das Wetter ist heute nicht gut, und die Preise sind hoch. Wir sind nicht zufrieden damit.",
    "copy.html": f"<html><p>{FOOTBALL.format('first')}</p></html>".encode(),
    "report.docx": full_document(),
    "word.docx": simple_document(ENERGY.format("other")),
    "corrupt.docx": full_document()[:2000],
    "blank.txt": b"\n",
}
KINDS = {"translate": TO_GERMAN, "analyse": {"topics": 2}}
_TIMED = ("job", "started_at", "finished_at", "seconds", "instances")


@dataclass
class Product:
    """A deployment with somebody who uses it."""

    user: ApiUser
    backstage: Backstage

    @classmethod
    def of(cls, stack: LocalStack) -> Product:
        return cls(ApiUser(stack, "instances@example.com"), Backstage(stack))

    def project_with(self, documents: dict[str, bytes]) -> str:
        """Create a project whose documents have the same keys in every deployment."""
        project = self.user.create_project("Shared")
        bucket = self.backstage.stack.outputs["documents_bucket"]
        for name, content in documents.items():
            identifier = uuid.uuid5(uuid.NAMESPACE_URL, name)
            key = f"{keys.documents_prefix(project)}{identifier}/{name}"
            self.backstage.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return project

    def parts(self, project: str, job: str) -> dict[str, Any]:
        """Reports of the instances by their names, as they lie beside the results."""
        s3, bucket = self.backstage.client("s3"), self.backstage.stack.outputs["documents_bucket"]
        prefix = f"{keys.results_prefix(project, job)}parts/"
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        names = [one["Key"] for one in found if one["Key"].endswith("/report.json")]
        return {
            name.removeprefix(prefix).partition("/")[0]: json.loads(
                s3.get_object(Bucket=bucket, Key=name)["Body"].read()
            )
            for name in names
        }


@pytest.fixture(scope="module")
def alone(stack: LocalStack) -> Product:
    return Product.of(stack)


@pytest.fixture(scope="module")
def pair(stack: LocalStack) -> Product:
    return Product.of(deploy_to(stack.aws, {"jobs": {"instance_count": 2}}))


def without_times(files: dict[str, bytes]) -> dict[str, object]:
    """Results of a job, its report without what time and chance decide."""
    report = json.loads(files["report.json"])
    for name in _TIMED:
        del report[name]
    del report["totals"]["document_seconds"]
    for document in report["documents"]:
        del document["seconds"]
    return {**files, "report.json": report}


@pytest.mark.parametrize("kind", KINDS)
def test_results_of_two_instances_are_those_of_one(alone: Product, pair: Product, kind: str) -> None:
    files: dict[str, dict[str, bytes]] = {}
    for name, product in (("alone", alone), ("pair", pair)):
        project = product.project_with(DOCUMENTS)
        job = run(product.user, project, kind, KINDS[kind])
        assert (job["status"], job["cause"]) == ("completed", None)
        files[name] = product.user.results(project, job["job"])

    assert without_times(files["pair"]) == without_times(files["alone"])
    report = json.loads(files["pair"]["report.json"])
    assert (report["instances"], report["totals"]["documents"], report["totals"]["failed"]) == (2, len(DOCUMENTS), 2)
    assert report["estimated_cost"]["amount"] > 0


def test_each_instance_has_its_share(pair: Product) -> None:
    project = pair.project_with(DOCUMENTS)

    job = run(pair.user, project, "analyse", {})["job"]

    assert pair.backstage.processing_jobs(job) == {f"analyse-{job}": "Completed", f"analyse-{job}-merge": "Completed"}
    parts = pair.parts(project, job)
    assert parts.keys() == {"algo-1", "algo-2"}
    shares = [{one["name"] for one in part["documents"]} for part in parts.values()]
    assert sorted(map(len, shares)) == [len(DOCUMENTS) // 2, len(DOCUMENTS) - len(DOCUMENTS) // 2]
    assert len(shares[0] | shares[1]) == len(DOCUMENTS)
    described = pair.backstage.client("sagemaker").describe_processing_job
    counts = [
        described(ProcessingJobName=name)["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
        for name in (f"analyse-{job}", f"analyse-{job}-merge")
    ]
    assert counts == [2, 1]
    assert not [name for name in pair.user.results(project, job) if name.startswith("parts/")]


@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_may_have_nothing_to_do(pair: Product, kind: str) -> None:
    project = pair.project_with({"only.txt": FOOTBALL.encode()})

    job = run(pair.user, project, kind, KINDS[kind])

    assert (job["status"], job["cause"]) == ("completed", None)
    report = json.loads(pair.user.results(project, job["job"])["report.json"])
    assert (report["instances"], report["totals"]["completed"]) == (2, 1)


def test_an_instance_whose_documents_are_all_bad_does_not_stop_the_other(pair: Product) -> None:
    project = pair.project_with({"blank.txt": b" ", "good.txt": FOOTBALL.encode()})

    job = run(pair.user, project)

    assert (job["status"], job["cause"]) == ("completed", None)
    report = json.loads(pair.user.results(project, job["job"])["report.json"])
    assert {one["name"].rpartition("/")[2]: one["status"] for one in report["documents"]} == {
        "blank.txt": "failed",
        "good.txt": "completed",
    }


def test_a_job_of_bad_documents_alone_fails_with_the_reasons_of_both_instances(pair: Product) -> None:
    project = pair.project_with({"blank.txt": b" ", "corrupt.docx": full_document()[:2000]})

    job = run(pair.user, project)

    assert job["status"] == "failed"
    for words in ("No document could be processed.", "blank.txt: It has no text.", "corrupt.docx: It is corrupt"):
        assert words in job["cause"]
    assert pair.backstage.processing_jobs(job["job"]) == {
        f"translate-{job['job']}": "Completed",
        f"translate-{job['job']}-merge": "Completed",
    }
    assert set(pair.user.results(project, job["job"])) == {"report.json"}
