"""The embedded AWS behaves like AWS where it matters here, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.control import ControlError
from local.aws.embedded_aws import ACCOUNT_ID, PROJECT_ROOT, EmbeddedAws, EmbeddedAwsError
from tests.integration.noting_function import NotingFunction, wait_until
from tests.integration.processing import BUCKET

needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")


def error_code(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def client_of(aws: EmbeddedAws, keys: dict[str, str], service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=aws.endpoint,
        region_name=aws.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )


def group_members(group: int) -> list[int]:
    """Living processes of a group; a zombie only waits for its exit code to be read."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, member_of = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(member_of) == group and state != "Z":
            members.append(int(stat.parent.name))
    return members


def listening_addresses(pids: list[int]) -> set[tuple[str, int]]:
    """Addresses (as /proc writes them) and ports on which the processes accept TCP connections."""
    sockets: set[str] = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(str(descriptor.readlink()))
            except OSError:
                continue
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def is_closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@needs_proc
def test_only_two_loopback_ports_listen(aws: EmbeddedAws) -> None:
    loopback = "0100007F"
    expected = {(loopback, port_of(aws.endpoint)), (loopback, port_of(aws.control_url))}
    assert listening_addresses(group_members(aws.pid)) == expected


def test_region_and_account(aws: EmbeddedAws) -> None:
    assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT_ID
    arn = aws.client("sns").create_topic(Name="where")["TopicArn"]
    assert arn == f"arn:aws:sns:eu-central-1:{ACCOUNT_ID}:where"


def test_clients_are_made_once(aws: EmbeddedAws) -> None:
    assert aws.client("sqs") is aws.client("sqs")


def test_iam_is_enforced_on_comprehend(aws: EmbeddedAws) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    comprehend = client_of(aws, iam.create_access_key(UserName="reader")["AccessKey"], "comprehend")
    request = {"TextList": ["A wonderful company."], "LanguageCode": "en"}
    assert error_code(comprehend.batch_detect_sentiment, **request) == ("AccessDeniedException", 403)

    statement = {"Effect": "Allow", "Action": "comprehend:BatchDetectSentiment", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="one", PolicyDocument=policy)
    assert comprehend.batch_detect_sentiment(**request)["ResultList"][0]["Sentiment"] == "POSITIVE"
    refused = error_code(comprehend.detect_sentiment, Text="A wonderful company.", LanguageCode="en")
    assert refused[0] == "AccessDeniedException"


def test_comprehend_errors_reach_the_client(aws: EmbeddedAws) -> None:
    comprehend = aws.client("comprehend")
    batch, single = comprehend.batch_detect_sentiment, comprehend.detect_sentiment
    assert error_code(batch, TextList=["x"] * 26, LanguageCode="en") == ("BatchSizeLimitExceededException", 400)
    assert error_code(single, Text="x" * 5001, LanguageCode="en") == ("TextSizeLimitExceededException", 400)
    assert error_code(single, Text="x", LanguageCode="tlh") == ("UnsupportedLanguageException", 400)
    assert error_code(comprehend.detect_entities, Text="x", LanguageCode="en")[0] == "UnknownOperationException"
    answer = batch(TextList=["good", "x" * 5001], LanguageCode="en")
    assert [result["Index"] for result in answer["ResultList"]] == [0]
    assert [(e["Index"], e["ErrorCode"]) for e in answer["ErrorList"]] == [(1, "TEXT_SIZE_LIMIT_EXCEEDED")]


@pytest.mark.parametrize(
    ("service", "code", "status", "operation", "arguments"),
    [
        ("dynamodb", "ProvisionedThroughputExceededException", 400, "list_tables", {}),
        ("sqs", "OverLimit", 403, "list_queues", {}),
        ("s3", "SlowDown", 503, "put_object", {"Bucket": BUCKET, "Key": "a b/ü", "Body": b"x"}),
        ("comprehend", "ThrottlingException", 400, "detect_sentiment", {"Text": "x", "LanguageCode": "en"}),
        ("sns", "Throttling", 400, "list_topics", {}),
        ("lambda", "TooManyRequestsException", 429, "list_functions", {}),
        ("cloudwatch", "InternalServiceFault", 500, "list_metrics", {}),
        ("stepfunctions", "StateMachineDoesNotExist", 400, "list_state_machines", {}),
    ],
)
def test_faults_are_errors_as_the_service_writes_them(
    aws: EmbeddedAws, service: str, code: str, status: int, operation: str, arguments: dict[str, Any]
) -> None:
    aws.control.add_fault(service, code=code, status=status)
    impatient = boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=aws.endpoint,
        region_name=aws.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    assert error_code(getattr(impatient, operation), **arguments) == (code, status)


def test_a_fault_that_passes_is_retried_by_the_client_and_counted(aws: EmbeddedAws) -> None:
    aws.control.reset_requests()
    aws.control.add_fault("dynamodb", operation="ListTables", code="ThrottlingException", status=400, times=1)
    aws.client("dynamodb").list_tables()
    assert aws.control.requests() == {"dynamodb": {"ListTables": 2}}


def test_a_lost_answer_is_not_a_lost_request(aws: EmbeddedAws) -> None:
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="lossy")["QueueUrl"]
    aws.control.add_fault("sqs", operation="SendMessage", drop="response", times=1)
    sqs.send_message(QueueUrl=queue, MessageBody="sent again because the answer was lost")
    aws.control.add_fault("sqs", operation="SendMessage", drop="request", times=1)
    sqs.send_message(QueueUrl=queue, MessageBody="never arrived the first time")
    names = ["ApproximateNumberOfMessages"]
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"] == {names[0]: "3"}


def test_single_documents_can_fail(aws: EmbeddedAws) -> None:
    aws.control.add_fault("comprehend", item_error="INTERNAL_SERVER_ERROR", contains="Müller")
    answer = aws.client("comprehend").batch_detect_sentiment(TextList=["Müller", "good"], LanguageCode="en")
    assert [result["Index"] for result in answer["ResultList"]] == [1]
    assert [(e["Index"], e["ErrorCode"]) for e in answer["ErrorList"]] == [(0, "INTERNAL_SERVER_ERROR")]


def test_latency(aws: EmbeddedAws) -> None:
    aws.client("sqs").list_queues()
    aws.control.set_latency("sqs", 0.3)
    started = time.monotonic()
    aws.client("sqs").list_queues()
    assert time.monotonic() - started >= 0.3


def test_a_mistaken_fault_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(ControlError, match="no service dynamo"):
        aws.control.add_fault("dynamo", code="X")


def test_texts_over_http(aws: EmbeddedAws) -> None:
    aws.control.set_text("Straße & Söhne", "A proud family company.", revision="7")
    query = {"action": "query", "format": "json", "formatversion": "2", "prop": "info|extracts"}
    form = urllib.parse.urlencode({**query, "titles": "straße_& Söhne|Nobody"})
    for address, body in [(f"?{form}", None), ("", form.encode())]:  # by GET and by POST
        with urllib.request.urlopen(f"{aws.text_source_url}/w/api.php{address}", body, timeout=5) as response:  # noqa: S310 - a loopback address
            page, missing = json.load(response)["query"]["pages"]
        assert (page["title"], page["lastrevid"], missing["missing"]) == ("Straße & Söhne", 7, True)
    assert aws.control.text_requests() == 2


def test_limits_of_the_text_source_are_steered(aws: EmbeddedAws) -> None:
    aws.control.limit_texts(per_minute=1, minute_seconds=60)
    address = f"{aws.text_source_url}/w/api.php?action=query&format=json&formatversion=2&titles=A"
    with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - a loopback address
        pass
    with pytest.raises(urllib.error.HTTPError, match="429") as caught:
        urllib.request.urlopen(address, timeout=5)  # noqa: S310 - a loopback address
    with caught.value as refusal:
        assert 50 <= int(refusal.headers["Retry-After"]) <= 60
    counts = aws.control.text_counts()
    assert (counts["requests"], counts["refused"], counts["most_at_once"]) == (2, 1, 1)


@needs_proc
def test_it_stops_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with EmbeddedAws(region="us-west-2") as aws:
        function = NotingFunction(aws, "short-lived", tmp_path)
        aws.client("lambda").invoke(FunctionName="short-lived", Payload=b"{}")
        group, ports = aws.pid, (port_of(aws.endpoint), port_of(aws.control_url))
        workspace = aws.log_path.parent
        assert len(group_members(group)) == 2, "the server and one Lambda worker"
        assert workspace.parent == tmp_path
    assert group_members(group) == []
    assert all(is_closed(port) for port in ports)
    assert not workspace.exists()
    (note,) = function.notes()
    assert Path(note["folder"]).is_relative_to(workspace)
    assert "AWS_PROFILE" not in note["environment"]


@needs_proc
def test_it_dies_with_its_parent() -> None:
    program = (
        "import time; from local.aws.embedded_aws import EmbeddedAws; aws = EmbeddedAws(); aws.start();"
        "print(aws.pid, aws.log_path.parent, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        group, workspace = parent.stdout.readline().decode().split()
        assert group_members(int(group))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not group_members(int(group)))
    assert not Path(workspace).exists()


def test_a_failed_start_shows_the_log_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("local.aws.embedded_aws.PROJECT_ROOT", tmp_path)
    with pytest.raises(EmbeddedAwsError, match="No module named 'local'"):
        EmbeddedAws().start()
    assert list(tmp_path.iterdir()) == []
