"""Processing jobs of the embedded SageMaker: programs really run, with IAM enforced, and end without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.aws.embedded_aws import ACCOUNT_ID, EmbeddedAws
from tests.integration.processing import (
    JOB_STATEMENTS,
    LOG_GROUP,
    ROOT,
    cluster,
    job_request,
    log_lines,
    make_bucket,
    make_role,
    new_name,
    put,
    results,
    run_job,
    s3_input,
    wait_for,
    wait_for_job,
)
from tests.integration.test_embedded_aws import error_code, group_members, needs_proc

HEADER = """
    import json, os, pathlib, signal, subprocess, sys, time
    root = pathlib.Path(os.environ["PROCESSING_ROOT"]).parent
    output = root / "processing/output"
    config = {name: json.loads((root / f"config/{name}.json").read_text())
              for name in ("resourceconfig", "processingjobconfig")}
    host = config["resourceconfig"]["current_host"]
"""
REPORT = (
    HEADER
    + """
    files = sorted(str(path.relative_to(root)) for path in (root / "processing/input").rglob("*") if path.is_file())
    known = {"files": files, "environment": dict(os.environ), "arguments": sys.argv[1:], **config}
    (output / "sub").mkdir()
    (output / "sub" / f"{host}.json").write_text(json.dumps(known))
    (root / "output/message").write_text(f"{host} is done. ")
    print("out", host)
    print("err", host, file=sys.stderr)
"""
)
SLEEP = HEADER + '\n    print("started")\n    time.sleep(600)\n'
STUBBORN = (
    HEADER
    + """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("pids", os.getpid(), child.pid)
    time.sleep(600)
"""
)


def test_a_job_on_three_instances(aws: EmbeddedAws, job_role: str) -> None:
    for number in range(7):
        put(aws, f"corpus/{number}/ü {number}.txt", f"text {number}")
    put(aws, "corpus/folder/", "")
    name = new_name("Three")
    inputs = [
        s3_input("code", f"{name}/code/run.py"),
        s3_input("documents", "corpus/", S3DataDistributionType="ShardedByS3Key"),
        s3_input("model", "corpus/1", S3DataDistributionType="FullyReplicated"),
    ]
    job = run_job(
        aws,
        job_role,
        REPORT,
        ProcessingJobName=name,
        ProcessingInputs=inputs,
        ProcessingResources=cluster(3),
        Environment={"JOB_KIND": "analyse"},
        AppSpecification={
            "ImageUri": "sklearn",
            "ContainerEntrypoint": ["python3", f"{ROOT}/input/code/run.py"],
            "ContainerArguments": ["--in", f"{ROOT}/input", "/opt/mlx"],
        },
    )
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == "algo-1 is done. algo-2 is done. algo-3 is done. "
    assert "FailureReason" not in job
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"] == job["LastModifiedTime"]
    assert job["ProcessingJobArn"] == f"arn:aws:sagemaker:{aws.region}:{ACCOUNT_ID}:processing-job/{name.lower()}"
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}

    reports = {key: json.loads(text) for key, text in results(aws, name).items()}
    assert sorted(reports) == [f"sub/algo-{number}.json" for number in (1, 2, 3)]
    shards = [[file for file in report["files"] if "documents" in file] for report in reports.values()]
    assert [len(shard) for shard in shards] == [3, 2, 2]
    expected = {f"processing/input/documents/{number}/ü {number}.txt" for number in range(7)}
    assert {file for shard in shards for file in shard} == expected
    for host, report in zip(("algo-1", "algo-2", "algo-3"), reports.values(), strict=True):
        assert "processing/input/code/run.py" in report["files"]
        assert "processing/input/model/ü 1.txt" in report["files"]
        assert report["resourceconfig"]["current_host"] == host
        assert report["resourceconfig"]["hosts"] == ["algo-1", "algo-2", "algo-3"]
        assert report["processingjobconfig"]["ProcessingJobName"] == name
        assert report["processingjobconfig"]["Environment"] == {"JOB_KIND": "analyse"}
        environment = report["environment"]
        assert report["arguments"] == ["--in", f"{environment['PROCESSING_ROOT']}/input", "/opt/mlx"]
        assert environment["JOB_KIND"] == "analyse"
        assert environment["AWS_REGION"] == aws.region
        assert "AWS_DEFAULT_REGION" not in environment
        assert host in environment["PROCESSING_ROOT"]
    assert log_lines(aws, name) == {f"algo-{n}": [f"out algo-{n}", f"err algo-{n}"] for n in (1, 2, 3)}


def test_a_failing_instance_fails_the_job_and_ends_the_others(aws: EmbeddedAws, job_role: str) -> None:
    program = HEADER + (
        '\n    (output / "half.txt").write_text("half")'
        '\n    if host == "algo-1": time.sleep(600)'
        '\n    (root / "output/message").write_text("No model. " * 200)'
        "\n    sys.exit(3)\n"
    )
    job = run_job(aws, job_role, program, ProcessingResources=cluster(2))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: , exit code: 3"
    assert job["ExitMessage"] == ("No model. " * 200)[:1024]
    assert results(aws, job["ProcessingJobName"]) == {}
    assert (job["ProcessingEndTime"] - job["ProcessingStartTime"]).total_seconds() < 60


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "AlgorithmError: , exit code: 137"),
        (
            HEADER + '\n    (root / "output/message").write_bytes(b"\\xff")\n',
            "ClientError: The exit message is not encoded in UTF-8.",
        ),
    ],
)
def test_other_failures(aws: EmbeddedAws, job_role: str, program: str, reason: str) -> None:
    job = run_job(aws, job_role, program)
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == ("Failed", reason)


def test_a_program_that_does_not_exist(aws: EmbeddedAws, job_role: str) -> None:
    specification = {"ImageUri": "x", "ContainerEntrypoint": [f"{ROOT}/input/code/missing"]}
    job = run_job(aws, job_role, "", AppSpecification=specification)
    assert job["FailureReason"] == "AlgorithmError: , exit code: 127"
    (line,) = log_lines(aws, job["ProcessingJobName"])["algo-1"]
    assert line.endswith("/processing/input/code/missing: No such file or directory")


def test_an_empty_input_fails_the_job(aws: EmbeddedAws, job_role: str) -> None:
    job = run_job(aws, job_role, "", ProcessingInputs=[s3_input("code", "nothing/here/")])
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        'ClientError: No S3 objects found under S3 URL "s3://batch-files/nothing/here/"'
    )
    assert "ProcessingStartTime" not in job


def test_what_a_job_wrote_before_it_was_stopped(aws: EmbeddedAws, job_role: str) -> None:
    program = HEADER + '\n    (output / "early.txt").write_text("early")\n    print("written")\n    time.sleep(600)\n'
    request = job_request(aws, job_role, program)
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    output["S3Output"]["S3UploadMode"] = "Continuous"
    name = request["ProcessingJobName"]
    aws.client("sagemaker").create_processing_job(**request)
    wait_for_line(aws, name)
    aws.client("sagemaker").stop_processing_job(ProcessingJobName=name)
    assert wait_for_job(aws, name)["ProcessingJobStatus"] == "Stopped"
    assert results(aws, name) == {"early.txt": "early"}


@needs_proc
def test_a_stop_ends_all_processes(aws: EmbeddedAws, job_role: str) -> None:
    sagemaker = aws.client("sagemaker")
    request = job_request(aws, job_role, STUBBORN, ProcessingResources=cluster(2))
    name = request["ProcessingJobName"]
    sagemaker.create_processing_job(**request)
    lines = wait_for(lambda: (found := log_lines_of(aws, name)) and len(found) == 2 and found, "both programs")
    pids = [int(pid) for line in lines for pid in line.split()[1:]]
    assert set(pids) <= set(group_members(aws.pid))
    sagemaker.stop_processing_job(ProcessingJobName=name)
    assert sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == "Stopping"
    job = wait_for_job(aws, name)
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert not set(pids) & set(group_members(aws.pid))
    refused = error_code(sagemaker.stop_processing_job, ProcessingJobName=name)
    assert refused == ("ValidationException", 400)


def test_the_time_limit_stops_a_job(aws: EmbeddedAws, job_role: str) -> None:
    job = run_job(aws, job_role, SLEEP, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["ProcessingJobStatus"] == "Stopped"
    seconds = (job["ProcessingEndTime"] - job["ProcessingStartTime"]).total_seconds()
    assert 1 <= seconds < 20


def test_an_isolated_program_cannot_reach_aws(aws: EmbeddedAws, job_role: str) -> None:
    job = run_job(aws, job_role, REPORT, NetworkConfig={"EnableNetworkIsolation": True})
    (report,) = results(aws, job["ProcessingJobName"]).values()
    assert not [name for name in json.loads(report)["environment"] if name.startswith("AWS_")]


@needs_proc
def test_no_program_outlives_the_embedded_aws() -> None:
    with EmbeddedAws() as aws:
        make_bucket(aws)
        request = job_request(aws, make_role(aws, JOB_STATEMENTS), STUBBORN)
        aws.client("sagemaker").create_processing_job(**request)
        (line,) = wait_for(lambda: log_lines_of(aws, request["ProcessingJobName"]), "the program")
        group, workspace = aws.pid, aws.log_path.parent
        assert {int(pid) for pid in line.split()[1:]} <= set(group_members(group))
    assert group_members(group) == []
    assert not workspace.exists()


def wait_for_line(aws: EmbeddedAws, name: str) -> None:
    wait_for(lambda: log_lines_of(aws, name), "a line of the log")


def log_lines_of(aws: EmbeddedAws, name: str) -> list[str]:
    """All lines of a job, empty while there is no log."""
    find: Callable[..., Any] = aws.client("logs").describe_log_groups
    if not find(logGroupNamePrefix=LOG_GROUP)["logGroups"]:
        return []
    return [line for lines in log_lines(aws, name).values() for line in lines]
