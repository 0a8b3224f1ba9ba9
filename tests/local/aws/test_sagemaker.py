"""Parts of the embedded SageMaker that need no job to run: validation, files, names."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from local.aws.json_service import ServiceError
from local.aws.request_validation import validate
from local.aws.sagemaker.files import ProcessingError, exit_message, local_path, relative_name, write_configuration
from local.aws.sagemaker.jobs import ProcessingJob
from local.aws.sagemaker.program import LogStream, Program
from local.aws.sagemaker.surroundings import Surroundings

REQUEST: dict[str, Any] = {
    "ProcessingJobName": "job",
    "RoleArn": "arn:aws:iam::000000000000:role/job",
    "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["python3", "x.py"]},
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
}


def refusal(**changes: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        validate("sagemaker", "CreateProcessingJob", {**REQUEST, **changes})
    return caught.value.code, caught.value.message


def test_a_valid_request() -> None:
    validate("sagemaker", "CreateProcessingJob", REQUEST)


def test_a_refusal_is_worded_as_by_aws() -> None:
    code, message = refusal(ProcessingJobName="-x")
    assert code == "ValidationException"
    assert message == (
        "1 validation error detected: Value '-x' at 'processingJobName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"RoleArn": None}, "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"),
        ({"ProcessingJobName": "x" * 64}, "Member must have length less than or equal to 63"),
        ({"ProcessingResources": {"ClusterConfig": {}}}, "at 'processingResources.clusterConfig.volumeSizeInGB'"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint",
        ),
        ({"Environment": {"A": "x" * 257}}, "at 'environment.A.member'"),
        ({"Environment": {"1A": "x"}}, "at 'environment.key'"),
        ({"ProcessingInputs": [{}]}, "at 'processingInputs.1.member.inputName'"),
        ({"ProcessingInputs": [{"InputName": str(n)} for n in range(11)]}, "less than or equal to 10"),
        (
            {"ProcessingInputs": [{"InputName": "a", "S3Input": {"S3Uri": "s3://a/b", "S3DataType": "All"}}]},
            "Member must satisfy enum value set: [ManifestFile, S3Prefix]",
        ),
    ],
)
def test_refusals(changes: dict[str, Any], words: str) -> None:
    code, message = refusal(**changes)
    assert code == "ValidationException"
    assert words in message


def test_all_mistakes_are_told_at_once() -> None:
    assert refusal(ProcessingJobName="-", RoleArn="x")[1].startswith("3 validation errors detected: ")


@pytest.mark.parametrize(
    "changes",
    [{"Environment": []}, {"ProcessingJobName": 7}, {"StoppingCondition": {"MaxRuntimeInSeconds": True}}],
)
def test_values_of_a_wrong_type(changes: dict[str, Any]) -> None:
    assert refusal(**changes)[0] == "SerializationException"


@pytest.mark.parametrize(
    ("prefix", "key", "name"),
    [
        ("in/", "in/a.txt", "a.txt"),
        ("in/", "in/sub/a.txt", "sub/a.txt"),
        ("in", "in/sub/a.txt", "sub/a.txt"),
        ("in/a.txt", "in/a.txt", "a.txt"),
        ("a.txt", "a.txt", "a.txt"),
        ("in/part", "in/part-1.csv", "part-1.csv"),
        ("in/part", "in/parts/1.csv", "parts/1.csv"),
        ("", "sub/a.txt", "sub/a.txt"),
    ],
)
def test_names_of_objects_in_the_inputs_folder(prefix: str, key: str, name: str) -> None:
    assert relative_name(prefix, key) == name


def test_paths_of_the_container(tmp_path: Path) -> None:
    assert local_path(tmp_path, "/opt/ml/processing/input/code") == tmp_path / "processing/input/code"


def test_exit_messages_are_joined_and_cut(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("a", "b", "c")]
    for root, text in zip(roots, ("one ", None, "ü" * 600), strict=True):
        (root / "output").mkdir(parents=True)
        if text:
            (root / "output/message").write_text(text)
    message = exit_message(roots)
    assert message is not None
    assert message == "one " + "ü" * 510
    assert len(message.encode()) == 1024
    assert exit_message(roots[1:2]) is None
    (roots[1] / "output/message").write_bytes(b"\xff")
    with pytest.raises(ProcessingError, match="not encoded in UTF-8"):
        exit_message(roots)


def test_configuration_files(tmp_path: Path) -> None:
    write_configuration(tmp_path, REQUEST, "algo-2", ["algo-1", "algo-2"])
    resources = json.loads((tmp_path / "config/resourceconfig.json").read_text())
    assert (resources["current_host"], resources["hosts"]) == ("algo-2", ["algo-1", "algo-2"])
    assert json.loads((tmp_path / "config/processingjobconfig.json").read_text()) == REQUEST


class Logs:
    """Stands in for a client of CloudWatch Logs."""

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceAlreadyExistsException(Exception): ...  # noqa: N818

    def __init__(self) -> None:
        self.lines: list[str] = []

    def create_log_group(self, **_: Any) -> None:
        raise self.exceptions.ResourceAlreadyExistsException

    def create_log_stream(self, **_: Any) -> None: ...

    def put_log_events(self, *, logEvents: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        self.lines += [event["message"] for event in logEvents]


def run_program(tmp_path: Path, *command: str, **environment: str) -> tuple[int | None, list[str]]:
    logs = Logs()
    log = LogStream(logs, "job/algo-1-0")
    program = Program(tmp_path, command, environment, log)
    program.start()
    deadline = time.monotonic() + 20
    while program.exit_code() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    log.wait()
    return program.exit_code(), logs.lines


def test_a_program_and_its_log(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import os, sys\nprint(os.environ['A'])\nprint()\nprint('x', file=sys.stderr)\n"
        "print(os.environ['PROCESSING_ROOT'], sys.argv[1:], sys.executable)\nraise SystemExit(5)"
    )
    code, lines = run_program(tmp_path, "python3", "/opt/ml/run.py", "/opt/ml", "/opt/mlx", A="ü")
    assert code == 5
    assert lines[:2] == ["ü", "x"]
    assert lines[2].startswith(f"{tmp_path}/processing ['{tmp_path}', '/opt/mlx']")
    assert Path(lines[2].split()[-1]).parent == Path(sys.executable).parent


def test_a_program_ended_by_a_signal(tmp_path: Path) -> None:
    assert run_program(tmp_path, "sh", "-c", "kill -TERM $$") == (143, [])


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    assert run_program(tmp_path, "/opt/ml/none") == (127, [f"{tmp_path}/none: No such file or directory"])


def test_a_jobs_life_before_it_runs() -> None:
    surroundings = Surroundings("eu-central-1", "http://127.0.0.1:1", {"AWS_ACCESS_KEY_ID": "a"})
    job = ProcessingJob(REQUEST, "arn:job", surroundings)
    description = job.description()
    assert description["ProcessingJobStatus"] == "InProgress"
    assert description["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}
    assert not job.wait(0)
    assert job.stop()
    assert job.summary()["ProcessingJobStatus"] == "Stopping"
    assert surroundings.variables()["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
