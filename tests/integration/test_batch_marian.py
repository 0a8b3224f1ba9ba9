"""MarianMT through the deployed product: the model comes from the bucket, and nothing of AWS translates."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import docx
import pytest

from handlers.batch.budget import Budget
from handlers.batch.translate.marian import MarianEngine
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
from tests.handlers.batch.marian_model import make_model
from tests.handlers.batch.word_documents import simple_document
from tests.integration.api_story import Backstage, assert_problem, run

WITH_MODEL = {"source": "en", "target": "de", "engine": "marian"}
SENTENCES = ["The quick brown fox jumps over the lazy dog.", "A good company pays its people."]


@dataclass
class Product:
    """A deployment with somebody who uses it."""

    user: ApiUser
    backstage: Backstage
    is_isolated: bool

    def put_model(self, folder: Path, pair: str) -> str:
        """Put a model where jobs find it; returns its address."""
        bucket, prefix = self.backstage.stack.outputs["documents_bucket"], f"models/opus-mt-{pair}/"
        for path in folder.iterdir():
            self.backstage.client("s3").upload_file(str(path), bucket, prefix + path.name)
        return f"s3://{bucket}/{prefix}"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    make_model(folder)
    return folder


@pytest.fixture(scope="module")
def expected(model: Path) -> list[str]:
    """What the model makes of the sentences."""
    engine = MarianEngine(model)
    translated = engine.translate(SENTENCES, "en", Budget(60))
    engine.close()
    assert translated != SENTENCES
    return translated


@pytest.fixture(scope="module", params=["with network", "isolated"])
def product(stack: LocalStack, request: pytest.FixtureRequest) -> Product:
    """The product as the stack's settings have it, and one whose jobs reach no network."""
    is_isolated = request.param == "isolated"
    deployed = deploy_to(stack.aws, {"jobs": {"isolated_translation": True}}) if is_isolated else stack
    return Product(ApiUser(deployed, "marian@example.com"), Backstage(deployed), is_isolated)


def test_documents_are_translated_by_the_model_of_the_bucket(
    product: Product, model: Path, expected: list[str]
) -> None:
    address = product.put_model(model, "en-de")
    project = product.user.create_project("Own model")
    documents = {
        "letter.txt": "\n".join(SENTENCES).encode(),
        "plan.md": f"# {SENTENCES[0]}\n\n- {SENTENCES[1]}\n".encode(),
        "report.docx": simple_document(*SENTENCES),
    }
    ids = {name: product.user.upload(project, name, content) for name, content in documents.items()}
    before = product.backstage.control.requests()

    job = run(product.user, project, "translate", WITH_MODEL)

    assert (job["status"], job["cause"]) == ("completed", None)
    files = product.user.results(project, job["job"])
    results = {name: files[f"documents/{ids[name]}/{name.replace('.', '.de.')}"] for name in documents}
    assert results["letter.txt"].decode() == "\n".join(expected)
    assert results["plan.md"].decode().startswith("# ")
    assert [one.text for one in docx.Document(io.BytesIO(results["report.docx"])).paragraphs] == expected
    after = product.backstage.control.requests()
    for service in ("translate", "comprehend"):
        assert after.get(service) == before.get(service), "no service of AWS has translated"
    described = product.backstage.client("sagemaker").describe_processing_job(
        ProcessingJobName=f"translate-{job['job']}"
    )
    channels = {one["InputName"]: one["S3Input"]["S3Uri"] for one in described["ProcessingInputs"]}
    assert channels["model"] == address
    assert described["NetworkConfig"]["EnableNetworkIsolation"] is product.is_isolated


def test_a_job_without_a_model_in_the_bucket_is_refused(product: Product) -> None:
    project = product.user.create_project("No model")
    product.user.upload(project, "letter.txt", SENTENCES[0].encode())
    options = {**WITH_MODEL, "target": "fr"}

    answer = product.user.request("POST", f"/projects/{project}/jobs", {"kind": "translate", "options": options})

    field = "options.target" if product.is_isolated else "options.engine"
    problem = assert_problem(answer, 422, "invalid-fields", field)
    assert problem["errors"][0]["expected"].endswith(": there is no MarianMT model from en to fr")
    assert product.user.call("GET", f"/projects/{project}/jobs")["jobs"] == []


def test_a_model_that_is_none_fails_the_job_in_words(product: Product, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    product.put_model(tmp_path, "en-es")
    project = product.user.create_project("Half a model")
    product.user.upload(project, "letter.txt", SENTENCES[0].encode())

    job = run(product.user, project, "translate", {**WITH_MODEL, "target": "es"})

    assert job["status"] == "failed"
    assert job["cause"].startswith("The model lacks config.json, source.spm, target.spm: expected a CTranslate2 model")
