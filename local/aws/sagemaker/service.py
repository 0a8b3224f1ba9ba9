"""Amazon SageMaker for ministack: processing jobs, whose programs really run (see `local.aws.sagemaker.jobs`).

Differences from SageMaker: images are recorded but not used, so a job has to name its entrypoint. Inputs are objects
below a prefix (no manifests, pipes, Athena or Redshift); outputs go to S3 only. An instance's type, volume and network
have no effect, except that an isolated program gets neither credentials nor the endpoint of AWS.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.aws.emulator import replace
from local.aws.json_service import Operation, Request, Response, ServiceError, answer, operation_of, register
from local.aws.request_validation import validate
from local.aws.roles import denial, trusts
from local.aws.sagemaker.files import CONTAINER_ROOT
from local.aws.sagemaker.jobs import ProcessingJob
from local.aws.sagemaker.surroundings import Surroundings

SERVICE = "sagemaker"
TARGET_PREFIX = "SageMaker"
PRINCIPAL = "sagemaker.amazonaws.com"

_DEFAULT_PAGE = 10
_SORT_KEYS = {"Name": "ProcessingJobName", "CreationTime": "CreationTime", "Status": "ProcessingJobStatus"}
_TIME_FILTERS = (
    ("CreationTimeAfter", "CreationTime", 1),
    ("CreationTimeBefore", "CreationTime", -1),
    ("LastModifiedTimeAfter", "LastModifiedTime", 1),
    ("LastModifiedTimeBefore", "LastModifiedTime", -1),
)

_jobs: dict[str, ProcessingJob] = {}
_tags: dict[str, dict[str, str]] = {}
_lock = threading.Lock()


def install() -> None:
    """Add SageMaker to ministack, with its ARNs in the checks of IAM."""
    from ministack.core import iam_actions

    replace(
        iam_actions,
        "extract_resource_arn(service, method, path, headers, body, query_params, region, account_id)",
        _extracting_arn_with,
    )
    register(SERVICE, TARGET_PREFIX, handle_request)


def _extracting_arn_with(extract: Callable[..., str]) -> Callable[..., str]:
    def extract_resource_arn(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> str:
        return resource_arn(body) if service == SERVICE else extract(service, method, path, headers, body, *rest)

    return extract_resource_arn


async def handle_request(
    method: str,  # noqa: ARG001 - the signature of every ministack handler
    path: str,  # noqa: ARG001
    headers: dict[str, str],
    body: bytes,
    query: dict[str, list[str]],
) -> Response:
    """Answer one request in the JSON 1.1 protocol."""
    from ministack.core.router import extract_access_key_id

    access_key = extract_access_key_id(headers, query)
    # Off the event loop: the first validation loads SageMaker's model, which takes a third of a second.
    return await asyncio.to_thread(answer, _operations(access_key), operation_of(headers), body)


def resource_arn(body: bytes) -> str:
    """Return the ARN that a request is about, ``*`` for the list of all jobs."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return "*"
    if not isinstance(request, dict):
        return "*"
    name = request.get("ProcessingJobName")
    return str(request.get("ResourceArn") or (job_arn(name) if isinstance(name, str) else "*"))


def job_arn(name: str) -> str:
    """Return the ARN of a processing job of the request's account and region."""
    from ministack.core.responses import get_account_id, get_region

    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:processing-job/{name.lower()}"


def find_job(name: str) -> ProcessingJob:
    """Return a job of the request's account and region.

    Raises
    ------
    ServiceError
        There is none of this name.
    """
    job = _jobs.get(job_arn(name))
    if job is None:
        raise ServiceError("ValidationException", f"Could not find requested job with name: {name}")
    return job


def _operations(access_key: str) -> dict[str, Operation]:
    return {
        "CreateProcessingJob": functools.partial(_create, access_key),
        "DescribeProcessingJob": _describe,
        "ListProcessingJobs": _list,
        "StopProcessingJob": _stop,
        "AddTags": _add_tags,
        "ListTags": _list_tags,
        "DeleteTags": _delete_tags,
    }


def _create(access_key: str, request: Request) -> Request:
    validate(SERVICE, "CreateProcessingJob", request)
    _check_supported(request)
    role = request["RoleArn"]
    _require(access_key, "iam:PassRole", role, {"iam:PassedToService": PRINCIPAL})
    if not trusts(role, PRINCIPAL):
        raise ServiceError(
            "ValidationException",
            f"Could not assume role {role}. Please ensure that the role exists and allows principal "
            f"'{PRINCIPAL}' to assume the role.",
        )
    arn = job_arn(request["ProcessingJobName"])
    if request.get("Tags"):
        _require(access_key, "sagemaker:AddTags", arn)
    job = ProcessingJob(request, arn, Surroundings.of_role(role))
    with _lock:
        if arn in _jobs:
            raise ServiceError(
                "ResourceInUse",
                "Job name must be unique within an AWS account and region, and a job with this name already exists "
                f"({arn})",
            )
        _jobs[arn] = job
        _tags[arn] = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    job.start()
    return {"ProcessingJobArn": arn}


def _describe(request: Request) -> Request:
    validate(SERVICE, "DescribeProcessingJob", request)
    return find_job(request["ProcessingJobName"]).description()


def _stop(request: Request) -> Request:
    validate(SERVICE, "StopProcessingJob", request)
    job = find_job(request["ProcessingJobName"])
    if not job.stop():
        raise ServiceError(
            "ValidationException",
            f"The request was rejected because the processing job is in status {job.status}.",
        )
    return {}


def _list(request: Request) -> Request:
    validate(SERVICE, "ListProcessingJobs", request)
    prefix = job_arn("")
    summaries = [job.summary() for arn, job in list(_jobs.items()) if arn.startswith(prefix)]
    key = _SORT_KEYS[request.get("SortBy", "CreationTime")]
    descending = request.get("SortOrder") == "Descending"
    matching = sorted(
        (summary for summary in summaries if _is_wanted(summary, request)),
        key=lambda summary: (summary[key], summary["ProcessingJobName"]),
        reverse=descending,
    )
    start = _page_start(request.get("NextToken"), matching)
    end = start + request.get("MaxResults", _DEFAULT_PAGE)
    answered: Request = {"ProcessingJobSummaries": matching[start:end]}
    if end < len(matching):
        last: str = matching[end - 1]["ProcessingJobName"]
        answered["NextToken"] = base64.urlsafe_b64encode(last.encode()).decode()
    return answered


def _is_wanted(summary: Request, request: Request) -> bool:
    if request.get("NameContains", "").lower() not in summary["ProcessingJobName"].lower():
        return False
    if request.get("StatusEquals") not in (None, summary["ProcessingJobStatus"]):
        return False
    return all(
        sign * (summary[member] - _seconds(request[name])) > 0
        for name, member, sign in _TIME_FILTERS
        if name in request
    )


def _page_start(token: str | None, summaries: list[Request]) -> int:
    if token is None:
        return 0
    try:
        name = base64.urlsafe_b64decode(token).decode()
        return [summary["ProcessingJobName"] for summary in summaries].index(name) + 1
    except (ValueError, binascii.Error) as error:
        raise ServiceError("ValidationException", "Invalid NextToken.") from error


def _add_tags(request: Request) -> Request:
    validate(SERVICE, "AddTags", request)
    tags = _tags_of(request)
    tags.update((tag["Key"], tag["Value"]) for tag in request["Tags"])
    return {"Tags": _as_list(tags)}


def _list_tags(request: Request) -> Request:
    validate(SERVICE, "ListTags", request)
    return {"Tags": _as_list(_tags_of(request))}


def _delete_tags(request: Request) -> Request:
    validate(SERVICE, "DeleteTags", request)
    tags = _tags_of(request)
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def _tags_of(request: Request) -> dict[str, str]:
    tags = _tags.get(request["ResourceArn"])
    if tags is None:
        raise ServiceError("ValidationException", f"Could not find resource {request['ResourceArn']}")
    return tags


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _check_supported(request: Request) -> None:
    """Refuse what SageMaker has and this does not, rather than do something else."""
    if "ContainerEntrypoint" not in request["AppSpecification"]:
        _unsupported("a job without ContainerEntrypoint: images are not used, so theirs is unknown")
    cluster = request["ProcessingResources"]["ClusterConfig"]
    if not {"InstanceCount", "InstanceType"} <= set(cluster):
        _unsupported("a cluster without InstanceCount and InstanceType")
    for source in request.get("ProcessingInputs", []):
        _check_input(source)
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" not in output:
            _unsupported(f"output {output['OutputName']}: only S3Output is")
        _check_local_path(output["S3Output"])


def _check_input(source: Request) -> None:
    s3 = source.get("S3Input")
    if s3 is None:
        _unsupported(f"input {source['InputName']}: only S3Input is")
    elif s3["S3DataType"] != "S3Prefix" or s3.get("S3InputMode", "File") != "File":
        _unsupported(f"input {source['InputName']}: only S3DataType S3Prefix with S3InputMode File is")
    elif s3.get("S3CompressionType", "None") != "None":
        _unsupported(f"input {source['InputName']}: compression is not")
    else:
        _check_local_path(s3)


def _check_local_path(transfer: Request) -> None:
    path = transfer.get("LocalPath", "")
    if not path.startswith(f"{CONTAINER_ROOT}/processing/") or ".." in path.split("/"):
        raise ServiceError(
            "ValidationException", f"LocalPath must be a folder below {CONTAINER_ROOT}/processing: '{path}'"
        )


def _unsupported(what: str) -> None:
    raise ServiceError("ValidationException", f"Not supported by the embedded AWS: {what}.")


def _require(access_key: str, action: str, resource: str, context: dict[str, Any] | None = None) -> None:
    refused = denial(access_key, action, resource, context)
    if refused:
        raise ServiceError("AccessDeniedException", refused)


def _seconds(moment: float | str) -> float:
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment)
