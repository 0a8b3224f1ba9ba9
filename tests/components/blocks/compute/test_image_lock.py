"""Images by their digests: what is locked, and what `make lock-images` does where a registry does not answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import NoCredentialsError

from components.blocks.compute.image_lock import (
    DOCKERFILE,
    RegistryError,
    ecr_digest,
    lock_images,
    locked_image,
    registry_digest,
    stack_images,
)

IMAGE = "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
BASE = "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def refuse(_image: str) -> str:
    raise RegistryError("no network")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    lock_file, dockerfile = tmp_path / "lock.json", tmp_path / "Dockerfile"
    lock_file.write_text(json.dumps({IMAGE: OTHER, "former:1": OTHER}))
    dockerfile.write_text(f"# Base\nARG BASE={BASE}\nFROM ${{BASE}}\n")
    return lock_file, dockerfile


def test_stacks_run_jobs_in_the_default_image_of_their_region() -> None:
    assert stack_images() == [IMAGE]


def test_image_is_named_by_its_digest_where_that_is_known(files: tuple[Path, Path], tmp_path: Path) -> None:
    lock_file, _ = files
    assert locked_image(IMAGE, lock_file) == f"{IMAGE.rpartition(':')[0]}@{OTHER}"
    assert locked_image("x.dkr.ecr.y.amazonaws.com/mine:1", lock_file) == "x.dkr.ecr.y.amazonaws.com/mine:1"
    assert locked_image(IMAGE, tmp_path / "absent.json") == IMAGE


def test_digests_are_written_and_renewed(files: tuple[Path, Path]) -> None:
    lines = list(lock_images([IMAGE], lambda _: DIGEST, lambda _: DIGEST, *files))
    lock_file, dockerfile = files
    assert json.loads(lock_file.read_text()) == {IMAGE: DIGEST}
    assert dockerfile.read_text() == f"# Base\nARG BASE={BASE}@{DIGEST}\nFROM ${{BASE}}\n"
    assert lines == [f"{IMAGE} is {DIGEST}", f"{BASE} is {DIGEST}"]
    list(lock_images([IMAGE], lambda _: OTHER, lambda _: OTHER, *files))
    assert f"ARG BASE={BASE}@{OTHER}\n" in dockerfile.read_text()


def test_what_no_registry_answers_stays_as_it_was_and_says_why(files: tuple[Path, Path]) -> None:
    before = files[1].read_text()
    lines = list(lock_images([IMAGE, "new:1"], refuse, refuse, *files))
    assert json.loads(files[0].read_text()) == {IMAGE: OTHER}
    assert files[1].read_text() == before
    assert lines == [
        f"{IMAGE} keeps {OTHER}: no network",
        "new:1 keeps its tag: no network",
        f"{BASE} keeps its tag: no network",
    ]


class Ecr:
    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer

    def batch_get_image(self, **request: Any) -> dict[str, Any]:
        assert request == {
            "registryId": "492215442770",
            "repositoryName": "sagemaker-scikit-learn",
            "imageIds": [{"imageTag": "1.9-0-cpu-py3"}],
        }
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_ecr_is_asked_in_the_images_own_account_and_region() -> None:
    found = {"images": [{"imageId": {"imageDigest": DIGEST}}]}
    asked: list[str] = []

    def client(region: str) -> Ecr:
        asked.append(region)
        return Ecr(found)

    assert ecr_digest(IMAGE, client) == DIGEST
    assert asked == ["eu-central-1"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NoCredentialsError(), "Unable to locate credentials"),
        ({"images": [], "failures": [{"failureReason": "Requested image not found"}]}, "Requested image not found"),
        ({"images": []}, "no image"),
    ],
)
def test_ecr_that_has_no_digest_says_why(answer: dict[str, Any] | Exception, reason: str) -> None:
    with pytest.raises(RegistryError, match=reason):
        ecr_digest(IMAGE, lambda _: Ecr(answer))


def test_public_registry_is_asked_with_a_token() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token/":
            assert request.url.params["scope"] == "repository:docker/library/python:pull"
            return httpx.Response(200, json={"token": "t"})
        assert request.url.path == "/v2/docker/library/python/manifests/3.12-slim-bookworm"
        assert request.headers["authorization"] == "Bearer t"
        return httpx.Response(200, headers={"docker-content-digest": DIGEST})

    assert registry_digest(BASE, httpx.MockTransport(answer)) == DIGEST


@pytest.mark.parametrize(
    "response",
    [httpx.Response(503), httpx.Response(200, text="<html>"), httpx.Response(200, json={"token": "t"})],
)
def test_public_registry_that_has_no_digest_says_why(response: httpx.Response) -> None:
    with pytest.raises(RegistryError, match=r"^public\.ecr\.aws"):
        registry_digest(BASE, httpx.MockTransport(lambda _: response))


def test_own_image_installs_what_is_locked_and_nothing_else() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    assert any(line.startswith(f"ARG BASE={BASE}") for line in lines)
    assert [line for line in lines if line.startswith("FROM ")] == ["FROM ${BASE} AS packages", "FROM ${BASE}"]
    assert "--only-binary :all: --require-hashes -r /tmp/batch.txt" in DOCKERFILE.read_text()
