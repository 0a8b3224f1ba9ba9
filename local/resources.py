"""How the embedded AWS gets each type of resource of the program: one function a type, all in the table `CREATORS`.

A creator gets a context (clients, names) and the resource's inputs as Pulumi spells them, makes it with boto3, and
returns the resource's id and the outputs the program reads. This is not a second Pulumi: resources are made once, in
order, and vanish with the embedded AWS.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

Inputs = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """What creators work with.

    Attributes
    ----------
    client
        Gives a boto3 client by the service's name.
    unique
        Makes a physical name of the resource's name, as Pulumi does.
    """

    client: Callable[[str], Any]
    unique: str


Creator = Callable[[Context, Inputs], Created]


def _only(inputs: Inputs, **names: str) -> dict[str, Any]:
    """Pick the inputs that are given, under the names boto3 knows them by."""
    return {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours) is not None}


def _table(context: Context, inputs: Inputs) -> Created:
    dynamodb = context.client("dynamodb")
    keys = [(inputs["hashKey"], "HASH")] + ([(inputs["rangeKey"], "RANGE")] if inputs.get("rangeKey") else [])
    description = dynamodb.create_table(
        TableName=context.unique,
        BillingMode=inputs["billingMode"],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in inputs["attributes"]
        ],
        DeletionProtectionEnabled=inputs["deletionProtectionEnabled"],
    )["TableDescription"]
    dynamodb.get_waiter("table_exists").wait(TableName=context.unique, WaiterConfig={"Delay": 1})
    if inputs.get("ttl"):
        dynamodb.update_time_to_live(
            TableName=context.unique,
            TimeToLiveSpecification={
                "Enabled": inputs["ttl"]["enabled"],
                "AttributeName": inputs["ttl"]["attributeName"],
            },
        )
    dynamodb.update_continuous_backups(
        TableName=context.unique,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": inputs["pointInTimeRecovery"]["enabled"]},
    )
    return context.unique, {"name": context.unique, "arn": description["TableArn"]}


def _bucket(context: Context, _: Inputs) -> Created:
    s3 = context.client("s3")
    s3.create_bucket(Bucket=context.unique, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return context.unique, {"bucket": context.unique, "arn": f"arn:aws:s3:::{context.unique}"}


def _bucket_ownership(context: Context, inputs: Inputs) -> Created:
    rules = [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]
    context.client("s3").put_bucket_ownership_controls(Bucket=inputs["bucket"], OwnershipControls={"Rules": rules})
    return inputs["bucket"], {}


def _bucket_public_access(context: Context, inputs: Inputs) -> Created:
    block = _only(
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


def _queue(context: Context, inputs: Inputs) -> Created:
    sqs = context.client("sqs")
    attributes = _only(
        inputs,
        visibilityTimeoutSeconds="VisibilityTimeout",
        messageRetentionSeconds="MessageRetentionPeriod",
        receiveWaitTimeSeconds="ReceiveMessageWaitTimeSeconds",
        sqsManagedSseEnabled="SqsManagedSseEnabled",
        redrivePolicy="RedrivePolicy",
    )
    url = sqs.create_queue(
        QueueName=context.unique, Attributes={name: _text(value) for name, value in attributes.items()}
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, {"url": url, "arn": arn, "name": context.unique}


def _queue_policy(context: Context, inputs: Inputs) -> Created:
    context.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={"Policy": inputs["policy"]})
    return inputs["queueUrl"], {}


def _redrive_allow_policy(context: Context, inputs: Inputs) -> Created:
    attributes = {"RedriveAllowPolicy": inputs["redriveAllowPolicy"]}
    context.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes=attributes)
    return inputs["queueUrl"], {}


def _log_group(context: Context, inputs: Inputs) -> Created:
    logs = context.client("logs")
    logs.create_log_group(logGroupName=context.unique)
    logs.put_retention_policy(logGroupName=context.unique, retentionInDays=int(inputs["retentionInDays"]))
    groups = logs.describe_log_groups(logGroupNamePrefix=context.unique)["logGroups"]
    return context.unique, {"name": context.unique, "arn": groups[0]["arn"].removesuffix(":*")}


def _role(context: Context, inputs: Inputs) -> Created:
    role = context.client("iam").create_role(
        RoleName=context.unique, AssumeRolePolicyDocument=inputs["assumeRolePolicy"]
    )["Role"]
    return context.unique, {"name": context.unique, "arn": role["Arn"]}


def _role_policy(context: Context, inputs: Inputs) -> Created:
    context.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=context.unique, PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{context.unique}", {"name": context.unique}


def _layer(context: Context, inputs: Inputs) -> Created:
    version = context.client("lambda").publish_layer_version(
        LayerName=inputs["layerName"],
        Content={"ZipFile": archive_bytes(inputs["code"])},
        CompatibleRuntimes=list(inputs["compatibleRuntimes"]),
        CompatibleArchitectures=list(inputs["compatibleArchitectures"]),
    )
    return version["LayerVersionArn"], {"arn": version["LayerVersionArn"]}


def _function(context: Context, inputs: Inputs) -> Created:
    lambda_ = context.client("lambda")
    made = lambda_.create_function(
        FunctionName=context.unique,
        Runtime=inputs["runtime"],
        Architectures=list(inputs["architectures"]),
        Role=inputs["role"],
        Handler=inputs["handler"],
        Code={"ZipFile": archive_bytes(inputs["code"])},
        Timeout=int(inputs["timeout"]),
        MemorySize=int(inputs["memorySize"]),
        Layers=list(inputs["layers"]),
        Environment={"Variables": dict(inputs["environment"]["variables"])},
        TracingConfig={"Mode": inputs["tracingConfig"]["mode"]},
        LoggingConfig=_only(
            inputs["loggingConfig"],
            logFormat="LogFormat",
            logGroup="LogGroup",
            systemLogLevel="SystemLogLevel",
            applicationLogLevel="ApplicationLogLevel",
        ),
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=context.unique, WaiterConfig={"Delay": 1})
    if inputs.get("reservedConcurrentExecutions") is not None:
        lambda_.put_function_concurrency(
            FunctionName=context.unique,
            ReservedConcurrentExecutions=int(inputs["reservedConcurrentExecutions"]),
        )
    return context.unique, {"name": context.unique, "arn": made["FunctionArn"]}


def _function_invoke_config(context: Context, inputs: Inputs) -> Created:
    destination = inputs["destinationConfig"]["onFailure"]["destination"]
    context.client("lambda").put_function_event_invoke_config(
        FunctionName=inputs["functionName"],
        MaximumRetryAttempts=int(inputs["maximumRetryAttempts"]),
        MaximumEventAgeInSeconds=int(inputs["maximumEventAgeInSeconds"]),
        DestinationConfig={"OnFailure": {"Destination": destination}},
    )
    return inputs["functionName"], {}


def _function_permission(context: Context, inputs: Inputs) -> Created:
    context.client("lambda").add_permission(
        FunctionName=inputs["function"],
        StatementId=context.unique,
        Action=inputs["action"],
        Principal=inputs["principal"],
        SourceArn=inputs["sourceArn"],
    )
    return context.unique, {}


def _event_source(context: Context, inputs: Inputs) -> Created:
    mapping = context.client("lambda").create_event_source_mapping(
        EventSourceArn=inputs["eventSourceArn"],
        FunctionName=inputs["functionName"],
        BatchSize=int(inputs["batchSize"]),
        MaximumBatchingWindowInSeconds=int(inputs["maximumBatchingWindowInSeconds"]),
        FunctionResponseTypes=list(inputs["functionResponseTypes"]),
        ScalingConfig={"MaximumConcurrency": int(inputs["scalingConfig"]["maximumConcurrency"])},
    )
    return mapping["UUID"], {"uuid": mapping["UUID"]}


def _rule(context: Context, inputs: Inputs) -> Created:
    arn = context.client("events").put_rule(
        Name=context.unique,
        ScheduleExpression=inputs["scheduleExpression"],
        State=inputs["state"],
        Description=inputs["description"],
    )["RuleArn"]
    return context.unique, {"name": context.unique, "arn": arn}


def _rule_target(context: Context, inputs: Inputs) -> Created:
    retry = _only(
        inputs["retryPolicy"],
        maximumEventAgeInSeconds="MaximumEventAgeInSeconds",
        maximumRetryAttempts="MaximumRetryAttempts",
    )
    target = {
        "Id": context.unique,
        "Arn": inputs["arn"],
        "RetryPolicy": {key: int(value) for key, value in retry.items()},
    }
    context.client("events").put_targets(Rule=inputs["rule"], Targets=[target])
    return context.unique, {}


def _alarm(context: Context, inputs: Inputs) -> Created:
    context.client("cloudwatch").put_metric_alarm(
        AlarmName=context.unique,
        AlarmDescription=inputs["alarmDescription"],
        Namespace=inputs["namespace"],
        MetricName=inputs["metricName"],
        Dimensions=[{"Name": name, "Value": value} for name, value in inputs["dimensions"].items()],
        Statistic=inputs["statistic"],
        ComparisonOperator=inputs["comparisonOperator"],
        Threshold=float(inputs["threshold"]),
        Period=int(inputs["period"]),
        EvaluationPeriods=int(inputs["evaluationPeriods"]),
        TreatMissingData=inputs["treatMissingData"],
        AlarmActions=list(inputs["alarmActions"]),
        OKActions=list(inputs["okActions"]),
    )
    return context.unique, {"name": context.unique}


def _key(context: Context, inputs: Inputs) -> Created:
    kms = context.client("kms")
    key = kms.create_key(Description=inputs["description"])["KeyMetadata"]
    if inputs["enableKeyRotation"]:
        kms.enable_key_rotation(KeyId=key["KeyId"])
    return key["KeyId"], {"keyId": key["KeyId"], "arn": key["Arn"]}


def _key_policy(context: Context, inputs: Inputs) -> Created:
    context.client("kms").put_key_policy(KeyId=inputs["keyId"], PolicyName="default", Policy=inputs["policy"])
    return inputs["keyId"], {}


def _topic(context: Context, inputs: Inputs) -> Created:
    arn = context.client("sns").create_topic(
        Name=context.unique, Attributes={"KmsMasterKeyId": inputs["kmsMasterKeyId"]}
    )["TopicArn"]
    return arn, {"arn": arn, "name": context.unique}


def _topic_policy(context: Context, inputs: Inputs) -> Created:
    context.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return inputs["arn"], {}


def _topic_subscription(context: Context, inputs: Inputs) -> Created:
    arn = context.client("sns").subscribe(
        TopicArn=inputs["topic"], Protocol=inputs["protocol"], Endpoint=inputs["endpoint"]
    )["SubscriptionArn"]
    return arn, {}


CREATORS: dict[str, Creator] = {
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _rule_target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:dynamodb/table:Table": _table,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:kms/key:Key": _key,
    "aws:kms/keyPolicy:KeyPolicy": _key_policy,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _function_invoke_config,
    "aws:lambda/layerVersion:LayerVersion": _layer,
    "aws:lambda/permission:Permission": _function_permission,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _bucket_lifecycle,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _bucket_ownership,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket_public_access,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _bucket_encryption,
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_versioning,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _redrive_allow_policy,
}


def archive_bytes(archive: pulumi.Archive) -> bytes:
    """Read a zip file, or zip the files of an asset archive, in their order."""
    if isinstance(archive, pulumi.FileArchive):
        return Path(archive.path).read_bytes()
    if not isinstance(archive, pulumi.AssetArchive):
        raise TypeError(f"expected a FileArchive or an AssetArchive, got {type(archive).__name__}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, asset in archive.assets.items():
            if not isinstance(asset, pulumi.FileAsset):
                raise TypeError(f"{name}: expected a FileAsset, got {type(asset).__name__}")
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, Path(asset.path).read_bytes())
    return buffer.getvalue()


def _text(value: Any) -> str:
    """Write an attribute as SQS takes it: everything is a text, whole numbers without a point."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, (int, float)) else str(value)
