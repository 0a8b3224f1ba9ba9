"""What the AWS provider does with each type of resource: names it, tags it, replaces it.

From the public documentation of the provider (https://www.pulumi.com/registry/packages/aws/, and "Forces new resource"
in that of the Terraform provider below it) and of AWS: lengths of names, and what has to be unique. The table holds the
types that the project uses; any other is refused, so that nothing is assumed about it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AwsType:
    """How resources of a type behave.

    Attributes
    ----------
    name
        Input that is made of the logical name and random digits where the program gives none.
    limit
        Longest name that AWS takes.
    replaced_by
        Inputs whose change makes another resource; a change of any other is an update.
    unique
        Inputs that no two resources may share, one tuple per rule; AWS refuses the second one.
    tagged
        Gets the stack's default tags.
    versioned
        AWS makes a further version of what has the same name.
    """

    name: str = ""
    limit: int = 0
    replaced_by: frozenset[str] = frozenset()
    unique: tuple[tuple[str, ...], ...] = ()
    tagged: bool = False
    versioned: bool = False


def _type(
    replaced_by: str,
    name: str = "",
    limit: int = 0,
    unique: tuple[str, ...] = (),
    tagged: bool = False,
    renamed: bool = False,
    versioned: bool = False,
) -> AwsType:
    """Write a row in short: inputs are separated by spaces; another name is another resource unless `renamed`."""
    rules = tuple(tuple(rule.split()) for rule in unique)
    replacing = {*replaced_by.split(), *([name] if name and not renamed else [])}
    return AwsType(name, limit, frozenset(replacing), rules, tagged, versioned)


def _of_bucket() -> AwsType:
    """A setting of a bucket: one each, and written over."""
    return _type("bucket")


AWS_TYPES = {
    "aws:acm/certificate:Certificate": _type(
        "domainName validationMethod subjectAlternativeNames keyAlgorithm", tagged=True
    ),
    "aws:acm/certificateValidation:CertificateValidation": _type("certificateArn validationRecordFqdns"),
    "aws:apigatewayv2/api:Api": _type("protocolType", "name", 128, tagged=True, renamed=True),
    "aws:apigatewayv2/apiMapping:ApiMapping": _type("apiId domainName", unique=("domainName apiMappingKey",)),
    "aws:apigatewayv2/authorizer:Authorizer": _type("apiId", "name", 128, ("apiId name",), renamed=True),
    "aws:apigatewayv2/domainName:DomainName": _type("domainName", unique=("domainName",), tagged=True),
    "aws:apigatewayv2/integration:Integration": _type("apiId integrationType integrationSubtype"),
    "aws:apigatewayv2/route:Route": _type("apiId", unique=("apiId routeKey",)),
    "aws:apigatewayv2/stage:Stage": _type("apiId", "name", 128, ("apiId name",), tagged=True),
    "aws:cloudwatch/eventRule:EventRule": _type("eventBusName", "name", 64, tagged=True),
    "aws:cloudwatch/eventTarget:EventTarget": _type("rule eventBusName targetId"),
    "aws:cloudwatch/logGroup:LogGroup": _type("logGroupClass", "name", 512, ("name",), tagged=True),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _type("logGroupName", "name", 512),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _type("", "name", 255, tagged=True),
    "aws:cognito/identityProvider:IdentityProvider": _type(
        "userPoolId providerName providerType", unique=("userPoolId providerName",)
    ),
    "aws:cognito/userGroup:UserGroup": _type("userPoolId", "name", 128, ("userPoolId name",)),
    "aws:cognito/userPool:UserPool": _type(
        "aliasAttributes usernameAttributes usernameConfiguration", "name", 128, tagged=True
    ),
    "aws:cognito/userPoolClient:UserPoolClient": _type("userPoolId generateSecret", "name", 128, renamed=True),
    "aws:cognito/userPoolDomain:UserPoolDomain": _type("domain userPoolId", unique=("domain", "userPoolId")),
    "aws:dynamodb/table:Table": _type(
        "hashKey rangeKey localSecondaryIndexes importTable", "name", 255, ("name",), tagged=True
    ),
    "aws:iam/role:Role": _type("path", "name", 64, ("name",), tagged=True),
    "aws:iam/rolePolicy:RolePolicy": _type("role", "name", 128),
    "aws:kms/key:Key": _type("keyUsage customerMasterKeySpec customKeyStoreId multiRegion xksKeyId", tagged=True),
    "aws:lambda/eventSourceMapping:EventSourceMapping": _type(
        "eventSourceArn startingPosition", unique=("functionName eventSourceArn",), tagged=True
    ),
    "aws:lambda/function:Function": _type("packageType", "name", 64, ("name",), tagged=True),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _type("functionName qualifier"),
    # A version of a layer is never changed: each change makes another.
    "aws:lambda/layerVersion:LayerVersion": _type(
        "layerName code compatibleRuntimes compatibleArchitectures description licenseInfo sourceCodeHash",
        versioned=True,
    ),
    "aws:lambda/permission:Permission": _type(
        "action function principal sourceArn sourceAccount qualifier principalOrgId eventSourceToken",
        "statementId",
        100,
        ("function statementId",),
    ),
    "aws:route53/record:Record": _type("zoneId name", unique=("zoneId name type",)),
    "aws:s3/bucket:Bucket": _type("objectLockEnabled", "bucket", 63, ("bucket",), tagged=True),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": _of_bucket(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket(),
    "aws:s3/bucketNotification:BucketNotification": _of_bucket(),
    "aws:s3/bucketObjectv2:BucketObjectv2": _type("bucket key", tagged=True),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket(),
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket(),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket(),
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket(),
    "aws:sfn/stateMachine:StateMachine": _type("type", "name", 80, ("name",), tagged=True),
    "aws:sns/topic:Topic": _type("fifoTopic", "name", 256, tagged=True),
    "aws:sns/topicPolicy:TopicPolicy": _type("arn"),
    "aws:sns/topicSubscription:TopicSubscription": _type("endpoint protocol topic"),
    "aws:sqs/queue:Queue": _type("fifoQueue", "name", 80, ("name",), tagged=True),
    "aws:sqs/queuePolicy:QueuePolicy": _type("queueUrl"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _type("queueUrl"),
    "aws:wafv2/webAcl:WebAcl": _type("scope", "name", 128, ("name scope",), tagged=True),
    "aws:wafv2/webAclAssociation:WebAclAssociation": _type("resourceArn webAclArn", unique=("resourceArn",)),
}


def aws_type(kind: str) -> AwsType:
    """Row of a type.

    Raises
    ------
    KeyError
        The type is not in the table.
    """
    if kind not in AWS_TYPES:
        raise KeyError(f"{kind} is not in {__name__}: enter what its provider names, tags and replaces")
    return AWS_TYPES[kind]
