"""Digests of container images: `images/lock.json`, and `make lock-images`, which renews it.

A tag can be moved to another image, a digest cannot. Digests are asked for where the images are: the base image of
`images/batch/Dockerfile` at its public registry, SageMaker's images at Amazon ECR in each stack's region.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from components.blocks.compute.bundle import ROOT
from components.blocks.compute.sagemaker_images import prebuilt_image
from schema.defaults import IMAGE_NAME, IMAGE_VERSION

LOCK_FILE = ROOT / "images" / "lock.json"
DOCKERFILE = ROOT / "images" / "batch" / "Dockerfile"
_BASE = re.compile(
    r"^ARG BASE=(?P<host>[^/\s]+)/(?P<name>[^:@\s]+):(?P<tag>[^@\s]+)(?:@(?P<digest>\S+))?$", re.MULTILINE
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SECONDS = 10
# Both forms of a list of an image's variants for several processors, and of a single image.
# https://github.com/opencontainers/image-spec/blob/main/media-types.md
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
# Answers the digest of an image, or raises an error with the reason.
Resolve = Callable[[str], str]


class RegistryError(Exception):
    """A registry does not answer with a digest; the message says why."""


def locked_image(image: str, lock_file: Path = LOCK_FILE) -> str:
    """Name an image by its digest where the lock file has it.

    Parameters
    ----------
    image
        Address with a tag or a digest.
    lock_file
        The lock file.
    """
    digest = json.loads(lock_file.read_text()).get(image) if lock_file.exists() else None
    return f"{image.rpartition(':')[0]}@{digest}" if digest else image


def stack_images(root: Path = ROOT) -> list[str]:
    """List the images that the stacks' jobs run in, except those that a stack names with a digest."""
    images = set()
    for file in sorted(root.glob("Pulumi.*.yaml")):
        config: dict[str, Any] = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
        jobs, region = config.get("cloud-nlp:jobs") or {}, config.get("aws:region")
        on_this_machine = (config.get("cloud-nlp:functions") or {}).get("runtime") == "host"
        if region and not on_this_machine:
            named = prebuilt_image(jobs.get("image_name", IMAGE_NAME), jobs.get("image_version", IMAGE_VERSION), region)
            images.add(jobs.get("image") or named)
    return sorted(image for image in images if "@" not in image)


def lock_images(
    images: list[str], in_ecr: Resolve, in_registry: Resolve, lock_file: Path = LOCK_FILE, dockerfile: Path = DOCKERFILE
) -> Iterator[str]:
    """Write the digests of images; what cannot be asked for keeps the digest that it has.

    Parameters
    ----------
    images
        Addresses of images in Amazon ECR, each with a tag.
    in_ecr, in_registry
        Resolve an address in Amazon ECR, and in a public registry.
    lock_file, dockerfile
        Files that are written.

    Yields
    ------
    What was done, a line for each image.
    """
    before = json.loads(lock_file.read_text()) if lock_file.exists() else {}
    digests = {image: digest for image, digest in before.items() if image in images}
    for image in images:
        try:
            digests[image] = in_ecr(image)
            yield f"{image} is {digests[image]}"
        except RegistryError as error:
            yield f"{image} keeps {digests.get(image, 'its tag')}: {error}"
    lock_file.write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n")
    content = dockerfile.read_text()
    found = _BASE.search(content)
    if not found:
        raise ValueError(f"{dockerfile.name}: expected a line ARG BASE=<registry>/<name>:<tag>")
    base = f"{found['host']}/{found['name']}:{found['tag']}"
    try:
        digest = in_registry(base)
        dockerfile.write_text(content[: found.start()] + f"ARG BASE={base}@{digest}" + content[found.end() :])
        yield f"{base} is {digest}"
    except RegistryError as error:
        yield f"{base} keeps {found['digest'] or 'its tag'}: {error}"


def ecr_digest(image: str, client: Callable[[str], Any] | None = None) -> str:
    """Ask Amazon ECR for a digest, with the credentials of the AWS command line.

    Raises
    ------
    RegistryError
        There are no credentials, ECR cannot be reached, or there is no such image.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    host, _, path = image.partition("/")
    name, _, tag = path.partition(":")
    account, region = host.split(".")[0], host.split(".")[3]
    try:
        answer = (client or _ecr)(region).batch_get_image(
            registryId=account, repositoryName=name, imageIds=[{"imageTag": tag}]
        )
    except (BotoCoreError, ClientError) as error:
        raise RegistryError(str(error)) from error
    digests = [one["imageId"]["imageDigest"] for one in answer.get("images", [])]
    if not digests:
        raise RegistryError("; ".join(one.get("failureReason", "") for one in answer.get("failures", [])) or "no image")
    return digests[0]


def _ecr(region: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2})
    return boto3.client("ecr", region_name=region, config=config)


def registry_digest(image: str, transport: Any = None) -> str:
    """Ask a registry that everybody may read for a digest.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md

    Parameters
    ----------
    image
        Address with a tag.
    transport
        Transport of httpx; the network by default.

    Raises
    ------
    RegistryError
        The registry cannot be reached, or there is no such image.
    """
    import httpx

    host, _, path = image.partition("/")
    name, _, tag = path.partition(":")
    try:
        with httpx.Client(timeout=_SECONDS, follow_redirects=True, transport=transport) as client:
            token = client.get(f"https://{host}/token/", params={"service": host, "scope": f"repository:{name}:pull"})
            token.raise_for_status()
            answer = client.head(
                f"https://{host}/v2/{name}/manifests/{tag}",
                headers={"Authorization": f"Bearer {token.json()['token']}", "Accept": _MANIFESTS},
            )
            answer.raise_for_status()
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise RegistryError(f"{host} does not answer: {error}") from error
    digest = answer.headers.get("docker-content-digest", "")
    if not _DIGEST.fullmatch(digest):
        raise RegistryError(f"{host} answers no digest")
    return digest


if __name__ == "__main__":
    for line in lock_images(stack_images(), ecr_digest, registry_digest):
        sys.stdout.write(f"{line}\n")
