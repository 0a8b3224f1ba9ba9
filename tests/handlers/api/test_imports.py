"""How long endpoints take to start, which is what the first request after a while waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.handlers.api.harness import NAMES

ROOT = Path(__file__).parents[3]
BUDGET_SECONDS = 0.25
# Processor time of this process alone, so that a busy machine is no slow function.
MEASURE = """
import sys, time
import boto3, botocore.config, botocore.exceptions
for service in ("dynamodb", "s3", "stepfunctions", "comprehend"):
    boto3.client(service)
started = time.process_time()
__import__("handlers.api." + sys.argv[1])
print(time.process_time() - started)
"""


@pytest.mark.parametrize("script", ["openapi", "jobs_create", "sentiment"])
def test_an_endpoint_starts_quickly_besides_boto3(script: str) -> None:
    settings = {**NAMES, "STATE_MACHINES": "{}", "AWS_DEFAULT_REGION": "eu-central-1"}
    command = [sys.executable, "-c", MEASURE, script]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=True)
    assert float(ran.stdout) < BUDGET_SECONDS
