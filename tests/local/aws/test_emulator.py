"""Checks of the emulator before it is changed: its version, and what is replaced in it."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.aws import emulator
from local.aws.emulator import EmulatorError, check_version, replace, require

INSTALLED = metadata.version("ministack")


def _sign_up(data: dict[str, Any]) -> str:
    return data["Username"]


def service() -> Any:
    return SimpleNamespace(__name__="ministack.services.cognito", _sign_up=_sign_up, _pools={})


def test_the_locked_version_is_installed() -> None:
    check_version()
    assert f"ministack=={INSTALLED} \\" in emulator.LOCK_FILE.read_text().splitlines()


def test_another_version_is_refused_with_the_command_that_installs_the_right_one(tmp_path: Path) -> None:
    lock_file = tmp_path / "local.txt"
    lock_file.write_text("httpx==0.28.1 \\\n    --hash=sha256:00\nministack==1.2.3 \\\n    --hash=sha256:00\n")
    words = rf"ministack {re.escape(INSTALLED)} is installed, but 1\.2\.3 .*pip install --no-deps ministack==1\.2\.3"
    with pytest.raises(EmulatorError, match=words):
        check_version(lock_file)


def test_a_lock_file_without_the_emulator_is_refused(tmp_path: Path) -> None:
    lock_file = tmp_path / "local.txt"
    lock_file.write_text("ministack-extras==1.0\n")
    with pytest.raises(EmulatorError, match=r"names no version of ministack\. .*make lock"):
        check_version(lock_file)


def test_a_function_is_replaced_by_one_made_of_it() -> None:
    changed = service()
    replace(changed, "_sign_up(data)", lambda sign_up: lambda data: f"{sign_up(data)}!")
    replace(changed, "_pools", lambda pools: {**pools, "a": 1})
    assert changed._sign_up({"Username": "ann"}) == "ann!"
    assert changed._pools == {"a": 1}


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("_signing_up(data)", r"cognito has no _signing_up\."),
        ("_sign_up(request)", r"cognito has _sign_up\(data\) instead of _sign_up\(request\)"),
        ("_sign_up(data, region)", r"cognito has _sign_up\(data\) instead of _sign_up\(data, region\)"),
        ("_sign_up()", r"cognito has _sign_up\(data\) instead of _sign_up\(\)"),
        ("_pools(data)", r"cognito has _pools instead of _pools\(data\)"),
    ],
)
def test_what_is_not_as_expected_is_refused_and_left_alone(expected: str, words: str) -> None:
    changed = service()
    before = dict(vars(changed))
    with pytest.raises(EmulatorError, match=rf"ministack {re.escape(INSTALLED)} is not as local/aws expects.*{words}"):
        replace(changed, expected, lambda _: None)
    with pytest.raises(EmulatorError, match=r"Adapt local/aws, or set an earlier version in requirements/local\.in"):
        require(changed, "_pools", expected)
    assert vars(changed) == before


@pytest.mark.parametrize(("module", "name"), [("cognito", "_sign_up"), ("api_gateway", "_match_route")])
def test_a_difference_is_not_installed_in_another_emulator(
    module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ministack.services import apigateway, cognito

    from local.aws import api_gateway
    from local.aws import cognito as cognito_difference

    service, difference = {
        "cognito": (cognito, cognito_difference),
        "api_gateway": (apigateway, api_gateway),
    }[module]
    before = dict(vars(service))
    monkeypatch.setattr(service, name, lambda request, region: None)
    with pytest.raises(EmulatorError, match=rf"{name}\(request, region\)"):
        difference.install()
    monkeypatch.undo()
    assert vars(service) == before
