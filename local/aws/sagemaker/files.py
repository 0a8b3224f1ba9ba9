"""Files of a processing job's instance: SageMaker's folders, inputs from S3, outputs to S3."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# Where SageMaker's containers have these folders; an instance has them below a folder of its own.
CONTAINER_ROOT = PurePosixPath("/opt/ml")

_TRANSFERS_AT_ONCE = 8
_MESSAGE_BYTES = 1024


class ProcessingError(Exception):
    """Why a processing job failed, in SageMaker's words."""


def local_path(root: Path, container_path: str) -> Path:
    """Return where an instance has a path of the container.

    Parameters
    ----------
    root
        The instance's folder.
    container_path
        Absolute path below ``/opt/ml``.
    """
    return root / PurePosixPath(container_path).relative_to(CONTAINER_ROOT)


def write_configuration(root: Path, job: dict[str, Any], host: str, hosts: Sequence[str]) -> None:
    """Write ``processingjobconfig.json`` and ``resourceconfig.json``, as SageMaker's containers find them.

    Parameters
    ----------
    root
        The instance's folder.
    job
        The job as `DescribeProcessingJob` tells it at its start.
    host, hosts
        Name of the instance, and of all.
    """
    instance_type = job["ProcessingResources"]["ClusterConfig"]["InstanceType"]
    resources = {
        "current_host": host,
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "hosts": list(hosts),
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": list(hosts)}
        ],
        "network_interface_name": "eth0",
    }
    folder = root / "config"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resourceconfig.json").write_text(json.dumps(resources, indent=2))
    (folder / "processingjobconfig.json").write_text(json.dumps(job, indent=2))


def download_input(s3: Any, source: dict[str, Any], root: Path, number: int, instances: int) -> None:
    """Bring the objects of an input to an instance.

    Parameters
    ----------
    s3
        Client with the permissions of the job's role.
    source
        ``S3Input`` of the job: ``S3Prefix``, replicated or sharded.
    root
        The instance's folder.
    number, instances
        Which instance it is, from 0, and how many there are.

    Raises
    ------
    ProcessingError
        There is nothing to bring, or S3 refuses.
    """
    bucket, prefix = _split_uri(source["S3Uri"])
    folder = local_path(root, source["LocalPath"])
    folder.mkdir(parents=True, exist_ok=True)
    keys = _list_keys(s3, bucket, prefix, source["S3Uri"])
    if not keys:
        raise ProcessingError(
            f'ClientError: No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source. '
            "Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, "
            f'and that the role has "s3:ListBucket" permissions on bucket "{bucket}".'
        )
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        keys = keys[number::instances]

    def download(key: str) -> None:
        target = folder / relative_name(prefix, key)
        if not target.resolve().is_relative_to(folder.resolve()):
            raise ProcessingError(f"ClientError: Data download failed:The key {key} leads out of the folder.")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, key, str(target))
        except (ClientError, BotoCoreError) as error:
            raise ProcessingError(
                f"ClientError: Data download failed:Unable to download object s3://{bucket}/{key} ({_why(error)})"
            ) from error
        except OSError as error:
            raise ProcessingError(
                "ClientError: Data download failed:Failed to download data. Please check your s3 objects and ensure "
                "that there is no object that is both a folder as well as a file."
            ) from error

    _at_once(download, keys)


def make_output_folder(output: dict[str, Any], root: Path) -> None:
    """Make the folder that the program puts an output in."""
    local_path(root, output["LocalPath"]).mkdir(parents=True, exist_ok=True)


def upload_output(s3: Any, output: dict[str, Any], root: Path, key_id: str | None) -> None:
    """Bring all files of an output's folder to S3.

    Parameters
    ----------
    s3
        Client with the permissions of the job's role.
    output
        ``S3Output`` of the job.
    root
        The instance's folder.
    key_id
        KMS key to encrypt with; None for the bucket's encryption.

    Raises
    ------
    ProcessingError
        S3 refuses.
    """
    bucket, prefix = _split_uri(output["S3Uri"])
    folder = local_path(root, output["LocalPath"])
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else None

    def upload(file: Path) -> None:
        key = "/".join(part for part in (prefix.rstrip("/"), file.relative_to(folder).as_posix()) if part)
        try:
            s3.upload_file(str(file), bucket, key, ExtraArgs=encryption)
        except (ClientError, BotoCoreError, OSError) as error:
            raise ProcessingError(
                f"ClientError: Data upload failed:Unable to upload object s3://{bucket}/{key} ({_why(error)})"
            ) from error
        except Exception as error:  # boto3's own S3UploadFailedError is not a BotoCoreError
            raise ProcessingError(f"ClientError: Data upload failed:{error}") from error

    _at_once(upload, sorted(_files(folder)))


def exit_message(roots: Sequence[Path]) -> str | None:
    """Return what the instances left in ``/opt/ml/output/message``: joined, at most 1 KB, None when nothing.

    Raises
    ------
    ProcessingError
        A file is not UTF-8.
    """
    files = [root / "output" / "message" for root in roots]
    content = b"".join(file.read_bytes() for file in files if file.is_file())
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise ProcessingError("ClientError: The exit message is not encoded in UTF-8.") from error
    return content[:_MESSAGE_BYTES].decode(errors="ignore") or None


def relative_name(prefix: str, key: str) -> str:
    """Return the name that an object gets in the input's folder.

    It is the key without the prefix where the prefix ends at a slash, and the key from the prefix's last slash where
    the prefix ends within a name (the prefix ``data/part`` also stands for ``data/part-1.csv``).
    """
    rest = key[len(prefix) :]
    if rest and (not prefix or prefix.endswith("/") or rest.startswith("/")):
        return rest.lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def _list_keys(s3: Any, bucket: str, prefix: str, uri: str) -> list[str]:
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    except (ClientError, BotoCoreError) as error:
        raise ProcessingError(
            f"ClientError: Data download failed:Failed to download data. ListObjectsV2 failed for {uri} ({_why(error)})"
        ) from error
    return sorted(key for key in keys if not key.endswith("/"))


def _split_uri(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.partition("://")[2].partition("/")
    return bucket, key


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _at_once(transfer: Any, items: Sequence[Any]) -> None:
    with ThreadPoolExecutor(_TRANSFERS_AT_ONCE) as pool:
        for _ in pool.map(transfer, items):
            pass


def _why(error: Exception) -> str:
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        return f"{details.get('Code')}: {details.get('Message')}"
    return str(error)
