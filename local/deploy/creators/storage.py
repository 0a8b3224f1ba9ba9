"""Creators of S3 buckets and objects."""

from __future__ import annotations

import base64
from typing import Any

from local.deploy.creators.common import Context, Created, Creator, Inputs, asset_bytes, only, parts


def _bucket(context: Context, _: Inputs) -> Created:
    s3 = context.client("s3")
    s3.create_bucket(Bucket=context.unique, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return context.unique, {"bucket": context.unique, "arn": f"arn:aws:s3:::{context.unique}"}


def _bucket_ownership(context: Context, inputs: Inputs) -> Created:
    rules = [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]
    context.client("s3").put_bucket_ownership_controls(Bucket=inputs["bucket"], OwnershipControls={"Rules": rules})
    return inputs["bucket"], {}


def _bucket_public_access(context: Context, inputs: Inputs) -> Created:
    block = only(
        inputs,
        blockPublicAcls="BlockPublicAcls",
        blockPublicPolicy="BlockPublicPolicy",
        ignorePublicAcls="IgnorePublicAcls",
        restrictPublicBuckets="RestrictPublicBuckets",
    )
    context.client("s3").put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=block)
    return inputs["bucket"], {}


def _bucket_versioning(context: Context, inputs: Inputs) -> Created:
    status = {"Status": inputs["versioningConfiguration"]["status"]}
    context.client("s3").put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration=status)
    return inputs["bucket"], {}


def _bucket_encryption(context: Context, inputs: Inputs) -> Created:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
            }
        }
        for rule in inputs["rules"]
    ]
    context.client("s3").put_bucket_encryption(
        Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return inputs["bucket"], {}


def _bucket_lifecycle(context: Context, inputs: Inputs) -> Created:
    context.client("s3").put_bucket_lifecycle_configuration(
        Bucket=inputs["bucket"],
        LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in inputs["rules"]]},
    )
    return inputs["bucket"], {}


def _lifecycle_rule(rule: Inputs) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ID": rule["id"],
        "Status": rule["status"],
        "Filter": {"Prefix": rule["filter"]["prefix"]},
    }
    if abort := rule.get("abortIncompleteMultipartUpload"):
        made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(abort["daysAfterInitiation"])}
    if old := rule.get("noncurrentVersionExpiration"):
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(old["noncurrentDays"])}
    if expiration := rule.get("expiration"):
        made["Expiration"] = {"Days": int(expiration["days"])}
    return made


def _bucket_policy(context: Context, inputs: Inputs) -> Created:
    context.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return inputs["bucket"], {}


def _bucket_cors(context: Context, inputs: Inputs) -> Created:
    rules = [
        parts(
            rule, "id", "allowedHeaders", "allowedMethods", "allowedOrigins", "exposeHeaders", "maxAgeSeconds", id="ID"
        )
        for rule in inputs["corsRules"]
    ]
    context.client("s3").put_bucket_cors(Bucket=inputs["bucket"], CORSConfiguration={"CORSRules": rules})
    return inputs["bucket"], {}


def _bucket_notification(context: Context, inputs: Inputs) -> Created:
    functions = [
        {
            **parts(function, "lambdaFunctionArn", "events"),
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": function.get("filterPrefix", "")}]}},
        }
        for function in inputs["lambdaFunctions"]
    ]
    context.client("s3").put_bucket_notification_configuration(
        Bucket=inputs["bucket"], NotificationConfiguration={"LambdaFunctionConfigurations": functions}
    )
    return inputs["bucket"], {}


def _object(context: Context, inputs: Inputs) -> Created:
    settings = parts(inputs, "bucket", "key", "cacheControl", "contentDisposition", "contentEncoding", "contentType")
    settings |= only(inputs, metadata="Metadata")  # its keys are the caller's, and stay as they are
    settings |= only(inputs, kmsKeyId="SSEKMSKeyId", serverSideEncryption="ServerSideEncryption")
    made = context.client("s3").put_object(**settings, Body=_content(inputs))
    return inputs["key"], {"etag": made["ETag"].strip('"'), "versionId": made.get("VersionId", "")}


def _content(inputs: Inputs) -> bytes:
    if inputs.get("source") is not None:
        return asset_bytes(inputs["source"])
    if inputs.get("contentBase64") is not None:
        return base64.b64decode(inputs["contentBase64"])
    return (inputs.get("content") or "").encode()


CREATORS: dict[str, Creator] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": _bucket_cors,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _bucket_lifecycle,
    "aws:s3/bucketNotification:BucketNotification": _bucket_notification,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _bucket_ownership,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket_public_access,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _bucket_encryption,
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_versioning,
}
