"""Batch jobs of the product and of the naive baseline, side by side on one embedded AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.roles import make_role
from bench.runs import BenchmarkError
from local.aws.embedded_aws import EmbeddedAws
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema.projects import results_prefix

OPTIONS: dict[str, dict[str, str]] = {"translate": {"source": "en", "target": "de"}, "analyse": {}}
PARAGRAPHS = 6

_NAIVE = "naive-documents"
_SERVICES = ("comprehend:*", "logs:*", "s3:*", "translate:*")
_PROGRAM = Path(__file__).parent / "naive" / "documents.py"
_FOLDER = "/opt/ml/processing"
_TIMEOUT_SECONDS = 1800
_POLL_SECONDS = 0.2
_UPLOADS = 8
# Some 400 characters, as paragraphs of reports have; numbers make each one different.
_PARAGRAPH = (
    "In quarter {0} of its report number {1}, the company says that sales grew by {2}.{0} percent, because prices of "
    "energy fell and the markets of Europe were good. Dr. Smith, its president, expects a wonderful year for all of "
    "its {1} employees. Others see delays, terrible losses and a failure of project {2}, e.g. in the north, where the "
    "weather was bad and the costs of transport went up again."
)


@dataclass(frozen=True)
class JobRun:
    """What one job took.

    Attributes
    ----------
    documents, characters
        What it worked on.
    seconds
        From the start of its program to the end of the upload of its results; with several instances, the job that
        puts their results together included.
    merge_seconds
        How much of it the latter takes.
    requests
        Its requests to Amazon Translate and Amazon Comprehend.
    """

    documents: int
    characters: int
    seconds: float
    merge_seconds: float
    requests: int

    @property
    def documents_per_second(self) -> float:
        """Throughput."""
        return self.documents / self.seconds


def make_documents(count: int, first: int = 0) -> dict[str, str]:
    """Make text documents, by name, that have no paragraph in common."""
    return {
        f"{number:05}.txt": "\n\n".join(_PARAGRAPH.format(place + 1, number, place) for place in range(PARAGRAPHS))
        for number in range(first, first + count)
    }


def make_file(path: Path, megabytes: float) -> Path:
    """Write a text file of a size, without a paragraph twice, and return its path."""
    with path.open("w") as file:
        written = number = 0
        while written < megabytes * 1e6:
            written += file.write(_PARAGRAPH.format(number % PARAGRAPHS, number, number) + "\n\n")
            number += 1
    return path


class Product:
    """The deployed product and somebody who uses it."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._user = ApiUser(stack, "bench@example.com")

    def run(self, kind: str, documents: Mapping[str, str | Path]) -> JobRun:
        """Run a job through the API over documents of a project of its own.

        Parameters
        ----------
        kind
            Of the job.
        documents
            Texts or files by name.

        Raises
        ------
        BenchmarkError
            It did not complete, or left a document out.
        """
        project = self._user.create_project(f"Benchmark of {kind}")
        aws = self._stack.aws
        _upload(aws, self._stack.outputs["documents_bucket"], f"projects/{project}/documents/", documents)
        before = _requests(aws)
        job = self._user.start_job(project, kind, OPTIONS[kind])
        ended = self._user.follow_job(project, job, timeout_seconds=_TIMEOUT_SECONDS)
        if ended["status"] != "completed":
            raise BenchmarkError(f"the job has {ended['status']}: {ended['cause']}")
        totals = json.loads(self._result(project, job, "report.json"))["totals"]
        if totals["completed"] != len(documents):
            raise BenchmarkError(f"{totals['failed']} of {len(documents)} documents failed")
        name = f"{kind}-{job}"
        spans = _processing_seconds(aws, name)
        return JobRun(
            len(documents),
            totals["characters"],
            sum(spans.values()),
            spans.get(f"{name}-merge", 0),
            _requests(aws) - before,
        )

    def _result(self, project: str, job: str, name: str) -> bytes:
        key = f"{results_prefix(project, job)}{name}"
        bucket = self._stack.outputs["documents_bucket"]
        return self._stack.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


class Naive:
    """The naive program as a processing job of its own."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._aws = aws
        self._count = 0
        aws.client("s3").create_bucket(Bucket=_NAIVE, CreateBucketConfiguration={"LocationConstraint": aws.region})
        aws.client("s3").upload_file(str(_PROGRAM), _NAIVE, "code/documents.py")
        self._role = make_role(aws, _NAIVE, "sagemaker.amazonaws.com", _SERVICES)

    def run(self, kind: str, documents: Mapping[str, str]) -> JobRun:
        """Run a job.

        Raises
        ------
        BenchmarkError
            It did not complete, or left a document out.
        """
        self._count += 1
        name = f"{_NAIVE}-{kind}-{self._count}"
        _upload(self._aws, _NAIVE, f"{name}/documents/", documents)
        before = _requests(self._aws)
        self._aws.client("sagemaker").create_processing_job(
            ProcessingJobName=name,
            RoleArn=self._role,
            AppSpecification={
                "ImageUri": "000000000000.dkr.ecr.eu-central-1.amazonaws.com/python:3",
                "ContainerEntrypoint": ["python3", f"{_FOLDER}/input/code/documents.py"],
            },
            Environment={"JOB_KIND": kind},
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
            },
            ProcessingInputs=[_input("code", "code/"), _input("documents", f"{name}/documents/")],
            ProcessingOutputConfig={"Outputs": [_output(f"{name}/results")]},
        )
        _await_end(self._aws, name)
        found = self._aws.client("s3").list_objects_v2(Bucket=_NAIVE, Prefix=f"{name}/results/")["KeyCount"]
        if found != len(documents):
            raise BenchmarkError(f"the baseline wrote {found} results for {len(documents)} documents")
        [seconds] = _processing_seconds(self._aws, name).values()
        return JobRun(len(documents), sum(map(len, documents.values())), seconds, 0, _requests(self._aws) - before)


def _input(name: str, prefix: str) -> Any:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": f"s3://{_NAIVE}/{prefix}",
            "LocalPath": f"{_FOLDER}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def _output(prefix: str) -> Any:
    place = {"S3Uri": f"s3://{_NAIVE}/{prefix}", "LocalPath": f"{_FOLDER}/output", "S3UploadMode": "EndOfJob"}
    return {"OutputName": "output", "S3Output": place}


def _upload(aws: EmbeddedAws, bucket: str, prefix: str, documents: Mapping[str, str | Path]) -> None:
    s3 = aws.client("s3")

    def put(name: str) -> None:
        content = documents[name]
        if isinstance(content, Path):
            s3.upload_file(str(content), bucket, f"{prefix}{name}")
        else:
            s3.put_object(Bucket=bucket, Key=f"{prefix}{name}", Body=content.encode())

    with ThreadPoolExecutor(_UPLOADS) as threads:
        list(threads.map(put, documents))


def _requests(aws: EmbeddedAws) -> int:
    counts = aws.control.requests()
    return sum(sum(counts.get(service, {}).values()) for service in ("translate", "comprehend"))


def _await_end(aws: EmbeddedAws, name: str) -> None:
    sagemaker, deadline = aws.client("sagemaker"), time.monotonic() + _TIMEOUT_SECONDS
    while (found := sagemaker.describe_processing_job(ProcessingJobName=name))["ProcessingJobStatus"] == "InProgress":
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{name} has not ended within {_TIMEOUT_SECONDS} s")
        time.sleep(_POLL_SECONDS)
    if found["ProcessingJobStatus"] != "Completed":
        raise BenchmarkError(f"{name}: {found.get('FailureReason')}")


def _processing_seconds(aws: EmbeddedAws, name: str) -> dict[str, float]:
    """Tell how long a job was at work, and the one that puts its instances' results together, by their names."""
    sagemaker = aws.client("sagemaker")
    names = [
        one["ProcessingJobName"] for one in sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"]
    ]
    described = {one: sagemaker.describe_processing_job(ProcessingJobName=one) for one in names}
    return {
        one: (found["ProcessingEndTime"] - found["ProcessingStartTime"]).total_seconds()
        for one, found in described.items()
    }
