"""The names of the operations that requests ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

Query = Mapping[str, Any]

# Requests to S3 name no operation. It follows from the method, the level (0 service, 1 bucket, 2 object) and some query
# parameters.
_S3_OPERATIONS = {
    ("GET", 0): "ListBuckets",
    ("PUT", 1): "CreateBucket",
    ("HEAD", 1): "HeadBucket",
    ("GET", 1): "ListObjects",
    ("DELETE", 1): "DeleteBucket",
    ("PUT", 2): "PutObject",
    ("GET", 2): "GetObject",
    ("HEAD", 2): "HeadObject",
    ("DELETE", 2): "DeleteObject",
}
_S3_QUERY_OPERATIONS = {
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "versions"): "ListObjectVersions",
    ("POST", "delete"): "DeleteObjects",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("PUT", "partNumber"): "UploadPart",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
}


def operation_of(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Query) -> str:
    """Return the name of the operation a request asks for.

    That is the name in the service's API where the request carries it (JSON and query protocols) and for the usual
    requests to S3, the name that IAM gives the action for other REST services, and otherwise the method with the path.
    """
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    if target:
        return target
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        query = parse_qs(body.decode(errors="replace")) | dict(query)
    action = query.get("Action")
    if action:
        return action[0] if isinstance(action, list) else action
    return (
        _s3_operation(method, path, query)
        if service == "s3"
        else _rest_operation(service, method, path, headers, query)
    )


def _s3_operation(method: str, path: str, query: Query) -> str:
    for (verb, parameter), operation in _S3_QUERY_OPERATIONS.items():
        if verb == method and parameter in query:
            return operation
    level = min(len([part for part in path.split("/") if part]), 2)
    # A sub-resource such as ?versioning or ?tagging: its name says what the request is about.
    sub_resource = next((name for name, value in query.items() if value in ("", [""])), None)
    if sub_resource:
        return f"{method} {sub_resource}"
    return _S3_OPERATIONS.get((method, level), method)


def _rest_operation(service: str, method: str, path: str, headers: Mapping[str, str], query: Query) -> str:
    from ministack.core.iam_actions import extract_iam_action

    action = extract_iam_action(service, method, path, dict(headers), b"", dict(query))
    name = action.rpartition(":")[2] if action else method
    if name != method:
        return name
    # No name is known (API Gateway's IAM actions are plain methods): the path without its identifiers tells them apart.
    return f"{method} {re.sub(r'/[^/]*[0-9:][^/]*', '/*', path)}"
