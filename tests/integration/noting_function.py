"""A Lambda function that notes its invocations, to see how a queue feeds it."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.aws.embedded_aws import ACCOUNT_ID, EmbeddedAws

TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
# Notes down each invocation; fails when a message says so.
FUNCTION = """
import json, os, time

def handler(event, context):
    started = time.time()
    time.sleep(float(os.environ.get("SLEEP", "0")))
    records = event.get("Records", [])
    note = {
        "started": started,
        "ended": time.time(),
        "messages": len(records),
        "oldest": min((int(r["attributes"]["SentTimestamp"]) / 1000 for r in records), default=0),
        "environment": sorted(os.environ),
        "folder": os.getcwd(),
    }
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps(note) + "\\n")
    if any(record["body"] == "fail" for record in records):
        raise RuntimeError("as asked")
"""


class NotingFunction:
    """A function that notes its invocations, and a queue that feeds it."""

    def __init__(self, aws: EmbeddedAws, name: str, folder: Path, sleep: float = 0.0) -> None:
        self.aws = aws
        self.name = name
        self.notes_file = folder / f"{name}.jsonl"
        role = f"{name}-role"
        aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST_LAMBDA))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("index.py", FUNCTION)
        aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=f"arn:aws:iam::{ACCOUNT_ID}:role/{role}",
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=10,
            Environment={"Variables": {"NOTES": str(self.notes_file), "SLEEP": str(sleep)}},
        )

    def feed(self, queue: str, **mapping: Any) -> None:
        self.aws.client("lambda").create_event_source_mapping(
            FunctionName=self.name, EventSourceArn=f"arn:aws:sqs:{self.aws.region}:{ACCOUNT_ID}:{queue}", **mapping
        )

    def notes(self) -> list[dict[str, Any]]:
        return (
            [json.loads(line) for line in self.notes_file.read_text().splitlines()] if self.notes_file.exists() else []
        )


def send(aws: EmbeddedAws, queue_url: str, count: int, body: str = "x") -> None:
    for start in range(0, count, 10):
        entries = [{"Id": str(i), "MessageBody": body} for i in range(min(10, count - start))]
        aws.client("sqs").send_message_batch(QueueUrl=queue_url, Entries=entries)


def wait_until(condition: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
