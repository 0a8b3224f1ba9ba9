"""The runtime `host`: for stacks on an AWS that runs on this machine, and nowhere else."""

from __future__ import annotations

import json

import pytest

from settings import (
    Settings,
    SettingsError,
    load_settings,
)
from tests.support.pulumi_mocks import evaluate, stack_config

PREFIX = "cloud-nlp:"
NOT_HOST = "a version such as python3.14, as aws:endpoints does not lead to an AWS on this machine for lambda and sfn"
HOST = {f"{PREFIX}functions": '{"runtime": "host"}'}
HERE = {"lambda": "http://127.0.0.1:4566", "sfn": "http://[::1]:4566", "s3": "http://s3.localhost:4566"}


def load(config: dict[str, str], stack: str = "dev") -> Settings:
    loaded: list[Settings] = []
    evaluate(lambda: loaded.append(load_settings()), config, stack)
    return loaded[0]


@pytest.mark.parametrize("stack", ["local", "mine"])
def test_host_runs_functions_of_any_stack_whose_endpoints_are_on_this_machine(stack: str) -> None:
    assert load({**HOST, "aws:endpoints": json.dumps([HERE])}, stack).functions.runtime == "host"
    apart = [{service: address} for service, address in HERE.items()]
    assert load({**HOST, "aws:endpoints": json.dumps(apart)}, stack).functions.runtime == "host"
    assert load({**HOST, "aws:endpoints": stack_config("local")["aws:endpoints"]}, stack).functions.runtime == "host"


@pytest.mark.parametrize("stack", ["local", "dev"])
@pytest.mark.parametrize(
    "endpoints",
    [
        None,
        "[]",
        "not json",
        '["http://127.0.0.1:4566"]',
        json.dumps([{"lambda": HERE["lambda"]}]),
        json.dumps([{"sfn": HERE["sfn"]}]),
        json.dumps([{**HERE, "lambda": "https://lambda.eu-central-1.amazonaws.com"}]),
        json.dumps([{**HERE, "s3": "https://localhost.example.com"}]),
        json.dumps([{**HERE, "s3": "https://10.0.0.1:4566"}]),
        json.dumps([{**HERE, "s3": ""}]),
    ],
)
def test_host_is_refused_wherever_part_of_the_stack_is_on_aws(endpoints: str | None, stack: str) -> None:
    with pytest.raises(SettingsError) as error:
        load({**HOST, **({"aws:endpoints": endpoints} if endpoints else {})}, stack)
    assert str(error.value).startswith(
        f'Pulumi.{stack}.yaml has mistakes:\n  cloud-nlp:functions.runtime: "host"; expected a version such as '
    )
