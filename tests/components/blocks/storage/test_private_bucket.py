"""PrivateBucket: closed, encrypted, versioned, reached over TLS only, tidied."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.blocks.access.permissions import policy_document
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.storage.private_bucket import PrivateBucket
from tests.support.pulumi_mocks import SUFFIX, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:blocks:PrivateBucket"
BUCKET = "aws:s3/bucket:Bucket"
ARN = f"arn:aws:s3:::results{SUFFIX}"


def declare(**arguments: Any) -> Evaluation:
    return evaluate(lambda: PrivateBucket("results", **arguments) and None)


def test_a_bucket_and_what_guards_it_belong_to_the_component() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {
        BUCKET: 1,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 1,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
        "aws:s3/bucketVersioning:BucketVersioning": 1,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 1,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 1,
        "aws:s3/bucketPolicy:BucketPolicy": 1,
    }
    assert len(evaluation.resources) == 8


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        (
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            {
                "blockPublicAcls": True,
                "blockPublicPolicy": True,
                "ignorePublicAcls": True,
                "restrictPublicBuckets": True,
            },
        ),
        (
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
            {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        ),
        ("aws:s3/bucketVersioning:BucketVersioning", {"versioningConfiguration": {"status": "Enabled"}}),
        (
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        ),
    ],
)
def test_bucket_is_closed_versioned_and_encrypted(kind: str, inputs: dict[str, Any]) -> None:
    assert declare().one(kind).inputs == {"bucket": f"results{SUFFIX}", **inputs}


def test_requests_without_tls_are_refused() -> None:
    evaluation = declare()
    policy = evaluation.one("aws:s3/bucketPolicy:BucketPolicy")
    assert json.loads(policy.inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [ARN, f"{ARN}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    assert policy.inputs["bucket"] == f"results{SUFFIX}"
    assert evaluation.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock") in policy.depends_on


@pytest.mark.parametrize("days", [None, 365])
def test_leftovers_are_removed_and_objects_expire_when_asked(days: int | None) -> None:
    rule = {
        "id": "tidy",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
        "noncurrentVersionExpiration": {"noncurrentDays": 30},
    }
    lifecycle = declare(expire_days=days).one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert lifecycle.inputs["rules"] == [rule | ({"expiration": {"days": days}} if days else {})]


@pytest.mark.parametrize("protect", [False, True])
def test_bucket_is_kept_when_protected_and_removed_with_its_objects_when_not(protect: bool) -> None:
    bucket = declare(protect=protect).one(BUCKET)
    assert bucket.inputs == {"forceDestroy": not protect}
    assert bucket.protect is protect


def grant(*actions: Any, **arguments: Any) -> list[Any]:
    """The statements and the value of a grant."""

    def build() -> list[Any]:
        grant = PrivateBucket("results").grant(*actions, **arguments)
        return [policy_document(grant.permissions), grant.value]

    document, value = evaluate(build).result
    return [json.loads(document)["Statement"], value]


def test_a_grant_is_limited_to_a_prefix_and_names_the_bucket() -> None:
    assert grant("PutObject", "ListBucket", prefix="sentiment/") == [
        [
            {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [f"{ARN}/sentiment/*"]},
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [ARN],
                "Condition": {"StringLike": {"s3:prefix": "sentiment/*"}},
            },
        ],
        f"results{SUFFIX}",
    ]


def test_a_grant_takes_several_prefixes() -> None:
    statements, _ = grant("GetObject", "DeleteObject", "ListBucket", prefixes=["a/", "b/"])
    assert statements == [
        {
            "Effect": "Allow",
            "Action": ["s3:DeleteObject", "s3:GetObject"],
            "Resource": [f"{ARN}/a/*", f"{ARN}/b/*"],
        },
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [ARN],
            "Condition": {"StringLike": {"s3:prefix": ["a/*", "b/*"]}},
        },
    ]


@pytest.mark.parametrize(
    ("actions", "arguments", "message"),
    [
        ([], {"prefix": "a/"}, "Bucket results: name at least one action to grant"),
        (["DeleteBucket"], {"prefix": "a/"}, "Bucket results does not grant DeleteBucket; it grants DeleteObject, "),
        (["GetObject"], {}, "Bucket results: expected either prefix or prefixes"),
        (["GetObject"], {"prefix": "a/", "prefixes": ["b/"]}, "Bucket results: expected either prefix or prefixes"),
        (["GetObject"], {"prefixes": ["a/", ""]}, "none of them empty"),
    ],
)
def test_mistaken_grants_are_refused(actions: list[str], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grant(*actions, **arguments)


def test_pages_of_named_origins_may_post_forms_and_read_links() -> None:
    cors = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
    assert declare(upload_origins=["https://app.example.com"]).one(cors).inputs == {
        "bucket": f"results{SUFFIX}",
        "corsRules": [
            {
                "allowedOrigins": ["https://app.example.com"],
                "allowedMethods": ["GET", "POST"],
                "allowedHeaders": ["content-type"],
                "maxAgeSeconds": 3600,
            }
        ],
    }


def invoke_on_upload(bucket: PrivateBucket, name: str) -> None:
    function = PythonFunction(name, handler="handlers/uploads/withdraw.py", defaults=FunctionDefaults(layers=[]))
    bucket.invoke(name, function=function, events=["s3:ObjectCreated:Post"], prefix="projects/")


def test_a_function_is_invoked_with_events_of_this_bucket_alone() -> None:
    def build() -> None:
        invoke_on_upload(PrivateBucket("results"), "told")

    evaluation = evaluate(build)
    function = arn_of("aws:lambda/function:Function", "told")
    permission = evaluation.one("aws:lambda/permission:Permission")
    assert permission.inputs == {
        "action": "lambda:InvokeFunction",
        "function": f"told{SUFFIX}",
        "principal": "s3.amazonaws.com",
        "sourceArn": ARN,
        "sourceAccount": "123456789012",
    }
    notification = evaluation.one("aws:s3/bucketNotification:BucketNotification")
    assert notification.inputs == {
        "bucket": f"results{SUFFIX}",
        "lambdaFunctions": [
            {"lambdaFunctionArn": function, "events": ["s3:ObjectCreated:Post"], "filterPrefix": "projects/"}
        ],
    }
    assert permission in notification.depends_on, "S3 asks whether it may invoke the function"
    assert evaluation.children(COMPONENT)[permission.type] == 1
    assert evaluation.children(COMPONENT)[notification.type] == 1


def test_a_second_notification_is_refused_since_it_would_replace_the_first() -> None:
    def build() -> None:
        bucket = PrivateBucket("results")
        invoke_on_upload(bucket, "first")
        invoke_on_upload(bucket, "second")

    with pytest.raises(ValueError, match="Bucket results: it can have one notification, and has one already"):
        evaluate(build)


def test_prefixes_expire_at_an_age_of_their_own() -> None:
    declared = declare(expire_prefixes={"results/": 7}, old_versions_days=3)
    tidy, results = declared.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert (tidy["filter"], tidy["noncurrentVersionExpiration"]) == ({"prefix": ""}, {"noncurrentDays": 3})
    assert "expiration" not in tidy
    assert results == {
        "id": "results",
        "status": "Enabled",
        "filter": {"prefix": "results/"},
        "expiration": {"days": 7},
    }
