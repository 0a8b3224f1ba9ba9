"""An AWS for the tests of the command line: an emulator without the product, and a deployment's resources in it."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from click.testing import CliRunner, Result

from cli.app import nlp
from tests.support.shared_aws import CREDENTIALS, REGION

__all__ = ["CREDENTIALS", "REGION"]

# Most writes of one request to DynamoDB.
BATCH = 25
# Answers as the product's dispatch does, without sending messages; fails when the environment says so.
DISPATCH = """
import os

def handler(event, context):
    if os.environ["MODE"] == "fails":
        raise PermissionError("not allowed to sqs:SendMessage")
    if os.environ["MODE"] == "other":
        return {"statusCode": 200}
    return {"run": event["run"], "companies": int(os.environ["MODE"])}
"""


@dataclass
class Product:
    """The resources of a deployment, and the command line to work on them."""

    endpoint: str
    state_file: Path
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return _known_client(service, self.endpoint)

    def describe(self, outputs: dict[str, Any], user: dict[str, str] | None = None) -> None:
        """Write the state file anew."""
        state = {"endpoint": self.endpoint, "region": REGION, "pid": 1, "credentials": CREDENTIALS}
        self.state_file.write_text(json.dumps({**state, "outputs": outputs, "user": user}), encoding="utf-8")

    def invoke(self, *arguments: str, code: int = 0, **options: Any) -> Result:
        """Run the command line and check its exit code."""
        environment = {"NLP_STATE": str(self.state_file), "NLP_STACK": None, "NLP_OUTPUTS": None}
        environment |= options.pop("env", {})
        result = CliRunner().invoke(nlp, arguments, env=environment, prog_name="nlp", **options)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        if code == 1:
            assert result.stderr.splitlines()[-1].startswith("nlp: "), result.stderr
        return result

    def json(self, *arguments: str, **options: Any) -> Any:
        """Run the command line with --json and parse what it printed."""
        return json.loads(self.invoke(*arguments, "--json", **options).stdout)

    def add(self, *names: str) -> None:
        """Put companies into the table, past the command line."""
        table = self.outputs["companies_table"]
        puts = [
            {"PutRequest": {"Item": {"name": {"S": name}, "added_at": {"S": "2026-01-01T00:00:00Z"}}}} for name in names
        ]
        for start in range(0, len(puts), BATCH):
            self.client("dynamodb").batch_write_item(RequestItems={table: puts[start : start + BATCH]})

    def names(self) -> set[str]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["companies_table"])
        return {item["name"]["S"] for page in pages for item in page["Items"]}

    def observe(self, company: str, record: str, label: str = "POSITIVE", at: str = "", **attributes: Any) -> None:
        """Put an observation into the table, as the product's analyse does."""
        item: dict[str, Any] = {
            "company": {"S": company},
            "record": {"S": record},
            "run": {"S": record},
            "label": {"S": label},
            "observed_at": {"S": at or "2026-11-21T06:52:00Z"},
            "positive": {"N": "0.875"},
            "unchanged": {"BOOL": False},
            "revision": {"S": "r1"},
        }
        self.client("dynamodb").put_item(TableName=self.outputs["observations_table"], Item={**item, **attributes})

    def bodies(self, queue: str) -> list[str]:
        """Take everything out of a queue."""
        client, found = self.client("sqs"), []
        while messages := client.receive_message(
            QueueUrl=self.outputs[queue], MaxNumberOfMessages=10, VisibilityTimeout=60
        ).get("Messages"):
            found += [message["Body"] for message in messages]
        return sorted(found)

    def add_dispatch(self, mode: str) -> None:
        """Create a dispatch function: a number to answer with, or fails, or other."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("index.py", DISPATCH)
        self.client("lambda").create_function(
            FunctionName=self.outputs["dispatch_function"],
            Runtime="python3.11",
            Role="arn:aws:iam::000000000000:role/dispatch",
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": {"MODE": mode}},
        )


@cache
def _known_client(service: str, endpoint: str) -> Any:
    return make_client(service, endpoint)


def make_client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,  # pyright: ignore[reportArgumentType, reportCallIssue]
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def make_product(endpoint: str, folder: Path) -> Product:
    """Create a deployment's tables and queues, and the state file that describes it."""
    suffix = uuid.uuid4().hex[:8]
    dynamodb, sqs = _known_client("dynamodb", endpoint), _known_client("sqs", endpoint)
    outputs = {
        "region": REGION,
        "companies_table": _create_table(dynamodb, f"companies-{suffix}", "name"),
        "observations_table": _create_table(dynamodb, f"observations-{suffix}", "company", "record"),
        "work_queue_url": sqs.create_queue(QueueName=f"work-{suffix}")["QueueUrl"],
        "dead_letter_queue_url": sqs.create_queue(QueueName=f"dead-{suffix}")["QueueUrl"],
        "dispatch_function": f"dispatch-{suffix}",
    }
    state_file = folder / "state.json"
    state = {"endpoint": endpoint, "region": REGION, "pid": 1, "credentials": CREDENTIALS, "outputs": outputs}
    state_file.write_text(json.dumps(state), encoding="utf-8")
    return Product(endpoint, state_file, outputs)


def _create_table(client: Any, name: str, *keys: str) -> str:
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )
    return name
