"""Deployer: the program's resources made with AWS's library, and failures that name the resource."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local.deploy.creators import CREATORS
from local.deploy.creators.common import archive_bytes
from local.deploy.deployer import DeployError, Deployment, Resource, deploy, read_config
from tests.support.program_settings import EVERYTHING
from tests.support.pulumi_mocks import evaluate_program, stack_config

REGION = "eu-west-1"
QUEUES = """
import pulumi
import pulumi_aws as aws

dead = aws.sqs.Queue("My_Dead.Letters")
work = aws.sqs.Queue("work", redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn}))
pulumi.export("region", aws.config.region)
pulumi.export("work", work.url)
"""


class Sqs:
    """Stands in for a client of Amazon SQS."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.created: dict[str, dict[str, str]] = {}

    def create_queue(self, QueueName: str, Attributes: dict[str, str]) -> dict[str, str]:  # noqa: N803 - boto3's names
        if self.error:
            raise self.error
        self.created[QueueName] = Attributes
        return {"QueueUrl": f"http://sqs/{QueueName}"}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"Attributes": dict.fromkeys(AttributeNames, f"arn:{QueueUrl}")}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Deployment]:
    context = contextvars.copy_context()  # of its own, so that no mocks are left behind for other tests

    def run(program: str, sqs: Sqs | None = None, **options: Any) -> Deployment:
        file = tmp_path / "program.py"
        file.write_text(program)
        return context.run(deploy, {"sqs": sqs}.get, REGION, program=file, **options)

    return run


def test_resources_are_made_in_order_and_outputs_are_theirs(run: Callable[..., Deployment]) -> None:
    sqs, told = Sqs(), []
    deployment = run(QUEUES, sqs, on_resource=told.append)
    (dead, _), (work, attributes) = sqs.created.items()
    assert dead.startswith("my-dead-letters-")
    assert len(dead) == len("my-dead-letters-") + 7
    assert json.loads(attributes["RedrivePolicy"]) == {"deadLetterTargetArn": f"arn:http://sqs/{dead}"}
    assert deployment.outputs == {"region": REGION, "work": f"http://sqs/{work}"}
    assert [(one.type, one.name, one.id) for one in deployment.resources] == [
        ("aws:sqs/queue:Queue", "My_Dead.Letters", f"http://sqs/{dead}"),
        ("aws:sqs/queue:Queue", "work", f"http://sqs/{work}"),
    ]
    assert told == deployment.resources
    assert all(isinstance(one, Resource) and one.seconds >= 0 for one in told)


def test_deployments_in_one_process_know_nothing_of_each_other(run: Callable[..., Deployment]) -> None:
    first, second = run(QUEUES, Sqs()), run('import pulumi\npulumi.export("only", "this")', Sqs())
    assert second.outputs == {"only": "this"}
    assert second.resources == []
    assert run(QUEUES, Sqs()).outputs["work"] != first.outputs["work"]


def test_unknown_type_is_told_with_the_resource(run: Callable[..., Deployment]) -> None:
    program = 'import pulumi_aws as aws\naws.ec2.Vpc("network", cidr_block="10.0.0.0/16")'
    with pytest.raises(DeployError, match=r"network: .* cannot make resources of type aws:ec2/vpc:Vpc; .*/creators"):
        run(program)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "CreateQueue"), "AccessDenied"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "Could not connect"),
    ],
)
def test_error_of_aws_is_told_with_the_resource(error: Exception, words: str, run: Callable[..., Deployment]) -> None:
    with pytest.raises(DeployError, match=rf"My_Dead\.Letters \(aws:sqs/queue:Queue\): .*{words}"):
        run(QUEUES, Sqs(error))


def test_missing_input_is_told_with_the_resource(run: Callable[..., Deployment]) -> None:
    program = 'import pulumi_aws as aws\naws.dynamodb.Table("things", attributes=[])'
    with pytest.raises(DeployError, match=r"things \(aws:dynamodb/table:Table\): inputs not understood: KeyError"):
        run(program)


def test_questions_to_aws_are_refused(run: Callable[..., Deployment]) -> None:
    program = "import pulumi_aws as aws\naws.get_caller_identity()"
    with pytest.raises(Exception, match=r"asks AWS for aws:index/getCallerIdentity:getCallerIdentity"):
        run(program)


def test_mistake_in_settings_is_told_as_it_is(run: Callable[..., Deployment]) -> None:
    program = "from settings import load_settings\nload_settings()"
    with pytest.raises(DeployError, match=r"yaml has mistakes:\n  cloud-nlp:sentiment\.retry_seconds: -1"):
        run(program, overrides={"sentiment": {"retry_seconds": -1}})


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        ("pulumi.RunError('Wheels are missing')", DeployError),
        ("settings.SettingsError('Wheels are missing')", DeployError),
        ("ValueError('Wheels are missing')", ValueError),
    ],
)
def test_only_errors_for_the_user_lose_their_traceback(
    raised: str, expected: type[Exception], run: Callable[..., Deployment]
) -> None:
    program = f"import settings, pulumi\nraise {raised}"
    with pytest.raises(expected, match=r"^Wheels are missing$"):
        run(program)


def test_deployment_leaves_no_event_loop_and_needs_none(run: Callable[..., Deployment]) -> None:
    asyncio.run(asyncio.sleep(0))  # leaves the thread without a current loop
    assert run(QUEUES, Sqs()).outputs["region"] == REGION
    with pytest.raises(RuntimeError, match="no current event loop"):
        asyncio.get_event_loop()


def test_settings_are_the_stacks_with_some_changed(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(
        'config:\n  aws:region: eu-central-1\n  aws:s3UsePathStyle: "true"\n  cloud-nlp:protect: false\n'
        "  cloud-nlp:sentiment:\n    retry_seconds: 1\n    scheduled: false\n"
    )
    config = read_config({"sentiment": {"retry_seconds": 0}, "functions": {"tracing": False}}, file)
    assert config == {
        "aws:region": "eu-central-1",
        "aws:s3UsePathStyle": "true",
        "cloud-nlp:protect": "false",
        "cloud-nlp:sentiment": '{"retry_seconds": 0, "scheduled": false}',
        "cloud-nlp:functions": '{"tracing": false}',
    }


def test_settings_are_those_of_the_local_stack() -> None:
    assert read_config({}) == stack_config("local")


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_every_type_of_the_program_can_be_made_and_no_other(stack: str) -> None:
    evaluation = evaluate_program(stack, EVERYTHING)
    assert {one.type for one in evaluation.resources if one.custom} == CREATORS.keys()


def test_archive_of_files_is_the_same_every_time_and_in_order(tmp_path: Path) -> None:
    for name in ("b.py", "a.py"):
        (tmp_path / name).write_text(f"# {name}\n")

    def read() -> bytes:
        assets = {f"handlers/{name}": pulumi.FileAsset(str(tmp_path / name)) for name in ("a.py", "b.py")}
        return archive_bytes(pulumi.AssetArchive(dict(assets)))

    first = read()
    (tmp_path / "a.py").touch()
    assert read() == first
    with zipfile.ZipFile(io.BytesIO(first)) as zipped:
        assert {name: zipped.read(name) for name in zipped.namelist()} == {
            "handlers/a.py": b"# a.py\n",
            "handlers/b.py": b"# b.py\n",
        }
        assert {entry.date_time for entry in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_archive_that_is_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "layer.zip").write_bytes(b"PK")
    assert archive_bytes(pulumi.FileArchive(str(tmp_path / "layer.zip"))) == b"PK"


@pytest.mark.parametrize(
    "archive", [pulumi.RemoteArchive("https://example.com/a.zip"), pulumi.AssetArchive({"a": pulumi.StringAsset("a")})]
)
def test_other_archives_are_refused(archive: pulumi.Archive) -> None:
    with pytest.raises(TypeError, match=r"expected a File"):
        archive_bytes(archive)
