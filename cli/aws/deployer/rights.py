"""What somebody who deploys may have to do on AWS, by the type of Pulumi's resources.

A type's rights are the calls with which Pulumi's provider creates, reads, changes, tags and deletes it. Sources, read
on 2026-11-26: https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ for the calls, and
https://docs.aws.amazon.com/service-authorization/latest/reference/ for actions and their resources.

Resources stand for ARNs with `{region}`, `{account}`, `{stack}` and `{name}`. `{name}` becomes each prefix of the
program's physical names, since Pulumi makes these of logical names and random digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Starts of the physical names of the program's resources.
NAMES = ("sentiment-*", "product-*")
ANY = ("*",)


@dataclass(frozen=True)
class Right:
    """Actions on resources.

    Attributes
    ----------
    actions
        Such as `sqs:CreateQueue`.
    resources
        ARNs with fields, or `*` for actions that have no resource, or one whose id nobody knows before it is made.
    condition
        IAM's condition block.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def right(
    service: str,
    actions: str,
    *resources: str,
    condition: Mapping[str, Mapping[str, str]] | None = None,
) -> Right:
    """Write a right in short: actions are names without the service, separated by spaces."""
    return Right(tuple(f"{service}:{action}" for action in actions.split()), resources or ANY, condition or {})


_BUCKET = "arn:aws:s3:::{name}"
_FUNCTION = "arn:aws:lambda:{region}:{account}:function:{name}"
_LAYER = "arn:aws:lambda:{region}:{account}:layer:cloud-nlp-{stack}-handlers*"
# Each deployment of a layer makes a version with the next number.
_LAYER_VERSIONS = f"{_LAYER}:*"
# AWS chooses the ids of mappings.
_MAPPING = "arn:aws:lambda:{region}:{account}:event-source-mapping:*"
_LOG_GROUP = "arn:aws:logs:{region}:{account}:log-group:{name}"
_QUEUE = "arn:aws:sqs:{region}:{account}:{name}"
_RULE = "arn:aws:events:{region}:{account}:rule/{name}"
_TABLE = "arn:aws:dynamodb:{region}:{account}:table/{name}"
_ROLE = "arn:aws:iam::{account}:role/{name}"
_MACHINE = "arn:aws:states:{region}:{account}:stateMachine:{name}"
_POOL = "arn:aws:cognito-idp:{region}:{account}:userpool/*"
_ACL = "arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/*"
_TOPIC = "arn:aws:sns:{region}:{account}:notifications-*"
_KEY = "arn:aws:kms:{region}:{account}:key/*"
_CERTIFICATE = "arn:aws:acm:{region}:{account}:certificate/*"
# Alarms that version 0.1.0 made have no stack in their names; an upgrade deletes them.
_ALARMS = (
    "arn:aws:cloudwatch:{region}:{account}:alarm:{stack}-*",
    "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
)
_APIS = ("arn:aws:apigateway:{region}::/apis", "arn:aws:apigateway:{region}::/apis/*")
_DOMAINS = ("arn:aws:apigateway:{region}::/domainnames", "arn:aws:apigateway:{region}::/domainnames/*")
_TAGS = "arn:aws:apigateway:{region}::/tags/*"
_METHODS = "GET POST PUT PATCH DELETE"

# Everything that lies behind one API, and behind one domain name, takes the same methods on paths below it.
_API = (right("apigateway", _METHODS, *_APIS), right("apigateway", "GET POST PUT DELETE", _TAGS))
_DOMAIN = (right("apigateway", _METHODS, *_DOMAINS), right("apigateway", "GET POST PUT DELETE", _TAGS))

RIGHTS: Mapping[str, tuple[Right, ...]] = {
    "aws:acm/certificate:Certificate": (
        right("acm", "RequestCertificate"),
        right("acm", "DescribeCertificate DeleteCertificate AddTagsToCertificate", _CERTIFICATE),
        right("acm", "ListTagsForCertificate RemoveTagsFromCertificate", _CERTIFICATE),
    ),
    "aws:acm/certificateValidation:CertificateValidation": (right("acm", "DescribeCertificate", _CERTIFICATE),),
    "aws:apigatewayv2/api:Api": _API,
    "aws:apigatewayv2/apiMapping:ApiMapping": _DOMAIN,
    "aws:apigatewayv2/authorizer:Authorizer": _API,
    "aws:apigatewayv2/domainName:DomainName": (
        *_DOMAIN,
        # API Gateway makes a role of its own in the account when the first domain name is made.
        right(
            "iam",
            "CreateServiceLinkedRole",
            "arn:aws:iam::{account}:role/aws-service-role/ops.apigateway.amazonaws.com/*",
            condition={"StringEquals": {"iam:AWSServiceName": "ops.apigateway.amazonaws.com"}},
        ),
    ),
    "aws:apigatewayv2/integration:Integration": _API,
    "aws:apigatewayv2/route:Route": _API,
    "aws:apigatewayv2/stage:Stage": (
        *_API,
        # An access log is delivered by CloudWatch Logs, which enters itself into a policy of the account.
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
        right("logs", "CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries"),
        right("logs", "PutResourcePolicy DescribeResourcePolicies DescribeLogGroups"),
    ),
    "aws:budgets/budget:Budget": (
        right(
            "budgets",
            "ViewBudget ModifyBudget TagResource UntagResource ListTagsForResource",
            "arn:aws:budgets::{account}:budget/*",
        ),
    ),
    "aws:cloudwatch/eventRule:EventRule": (
        right("events", "PutRule DeleteRule DescribeRule TagResource UntagResource ListTagsForResource", _RULE),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        right("events", "PutTargets RemoveTargets ListTargetsByRule", _RULE),
        right("iam", "PassRole", _ROLE, condition={"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}),
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        right("logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy", _LOG_GROUP),
        right("logs", "TagResource UntagResource ListTagsForResource", _LOG_GROUP),
        right("logs", "DescribeLogGroups"),
    ),
    # Of version 0.1.0; an upgrade deletes it.
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": (
        right("logs", "DescribeMetricFilters PutMetricFilter DeleteMetricFilter", _LOG_GROUP),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        right("cloudwatch", "PutMetricAlarm DeleteAlarms DescribeAlarms", *_ALARMS),
        right("cloudwatch", "TagResource UntagResource ListTagsForResource", *_ALARMS),
    ),
    "aws:cognito/identityProvider:IdentityProvider": (
        right("cognito-idp", "CreateIdentityProvider DescribeIdentityProvider", _POOL),
        right("cognito-idp", "UpdateIdentityProvider DeleteIdentityProvider", _POOL),
    ),
    "aws:cognito/userGroup:UserGroup": (right("cognito-idp", "CreateGroup GetGroup UpdateGroup DeleteGroup", _POOL),),
    "aws:cognito/userPool:UserPool": (
        right("cognito-idp", "CreateUserPool"),
        right("cognito-idp", "DescribeUserPool UpdateUserPool DeleteUserPool AddCustomAttributes", _POOL),
        right("cognito-idp", "GetUserPoolMfaConfig SetUserPoolMfaConfig", _POOL),
        right("cognito-idp", "ListTagsForResource TagResource UntagResource", _POOL),
        # Cognito makes a role of its own in the account when a pool sends its e-mails through Amazon SES.
        # https://docs.aws.amazon.com/cognito/latest/developerguide/using-service-linked-roles.html
        right(
            "iam",
            "CreateServiceLinkedRole",
            "arn:aws:iam::{account}:role/aws-service-role/email.cognito-idp.amazonaws.com/*",
            condition={"StringEquals": {"iam:AWSServiceName": "email.cognito-idp.amazonaws.com"}},
        ),
    ),
    "aws:cognito/userPoolClient:UserPoolClient": (
        right("cognito-idp", "CreateUserPoolClient DescribeUserPoolClient", _POOL),
        right("cognito-idp", "UpdateUserPoolClient DeleteUserPoolClient", _POOL),
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": (
        right("cognito-idp", "DescribeUserPoolDomain"),
        right("cognito-idp", "CreateUserPoolDomain UpdateUserPoolDomain DeleteUserPoolDomain", _POOL),
    ),
    "aws:dynamodb/table:Table": (
        right("dynamodb", "CreateTable DescribeTable UpdateTable DeleteTable", _TABLE),
        right("dynamodb", "DescribeContinuousBackups UpdateContinuousBackups", _TABLE),
        right("dynamodb", "DescribeTimeToLive UpdateTimeToLive", _TABLE),
        right("dynamodb", "ListTagsOfResource TagResource UntagResource", _TABLE),
    ),
    "aws:iam/role:Role": (
        right("iam", "CreateRole GetRole UpdateRole UpdateAssumeRolePolicy DeleteRole TagRole UntagRole", _ROLE),
        right("iam", "ListRolePolicies ListAttachedRolePolicies ListInstanceProfilesForRole", _ROLE),
    ),
    "aws:iam/rolePolicy:RolePolicy": (right("iam", "PutRolePolicy GetRolePolicy DeleteRolePolicy", _ROLE),),
    "aws:kms/key:Key": (
        # A new key is tagged in the call that makes it, so its ARN is not known.
        right("kms", "CreateKey"),
        right("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus EnableKeyRotation ListResourceTags", _KEY),
        right("kms", "UpdateKeyDescription TagResource UntagResource ScheduleKeyDeletion", _KEY),
    ),
    "aws:kms/keyPolicy:KeyPolicy": (right("kms", "GetKeyPolicy PutKeyPolicy DescribeKey", _KEY),),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        right("lambda", "CreateEventSourceMapping"),
        right("lambda", "GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping", _MAPPING),
        right("lambda", "ListTags TagResource UntagResource", _MAPPING),
    ),
    "aws:lambda/function:Function": (
        right("lambda", "CreateFunction GetFunction DeleteFunction GetFunctionConfiguration", _FUNCTION),
        right("lambda", "UpdateFunctionCode UpdateFunctionConfiguration ListVersionsByFunction", _FUNCTION),
        right("lambda", "GetFunctionCodeSigningConfig PutFunctionConcurrency DeleteFunctionConcurrency", _FUNCTION),
        right("lambda", "ListTags TagResource UntagResource", _FUNCTION),
        right("lambda", "GetLayerVersion", _LAYER_VERSIONS),
        right("iam", "PassRole", _ROLE, condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        right("lambda", "PutFunctionEventInvokeConfig GetFunctionEventInvokeConfig", _FUNCTION),
        right("lambda", "UpdateFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig", _FUNCTION),
    ),
    "aws:lambda/layerVersion:LayerVersion": (
        right("lambda", "PublishLayerVersion", _LAYER),
        right("lambda", "GetLayerVersion DeleteLayerVersion", _LAYER_VERSIONS),
    ),
    "aws:lambda/permission:Permission": (right("lambda", "AddPermission GetPolicy RemovePermission", _FUNCTION),),
    "aws:route53/record:Record": (
        right(
            "route53",
            "ChangeResourceRecordSets ListResourceRecordSets GetHostedZone",
            "arn:aws:route53:::hostedzone/*",
        ),
        right("route53", "GetChange", "arn:aws:route53:::change/*"),
    ),
    "aws:s3/bucket:Bucket": (
        right(
            "s3", "CreateBucket DeleteBucket ListBucket GetBucketLocation GetBucketTagging PutBucketTagging", _BUCKET
        ),
        # The provider reads every setting of a bucket, even those that the program leaves alone.
        right("s3", "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLogging GetBucketPolicy", _BUCKET),
        right("s3", "GetBucketObjectLockConfiguration GetBucketRequestPayment GetBucketVersioning", _BUCKET),
        right("s3", "GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration", _BUCKET),
        right("s3", "GetReplicationConfiguration", _BUCKET),
    ),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": (right("s3", "GetBucketCORS PutBucketCORS", _BUCKET),),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        right("s3", "GetLifecycleConfiguration PutLifecycleConfiguration", _BUCKET),
    ),
    "aws:s3/bucketNotification:BucketNotification": (
        right("s3", "GetBucketNotification PutBucketNotification", _BUCKET),
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": (
        right("s3", "GetObject PutObject DeleteObject DeleteObjectVersion", f"{_BUCKET}/programs/*"),
        right("s3", "GetObjectTagging PutObjectTagging AbortMultipartUpload", f"{_BUCKET}/programs/*"),
        right("s3", "ListBucketVersions", _BUCKET),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        right("s3", "GetBucketOwnershipControls PutBucketOwnershipControls", _BUCKET),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (right("s3", "GetBucketPolicy PutBucketPolicy DeleteBucketPolicy", _BUCKET),),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        right("s3", "GetBucketPublicAccessBlock PutBucketPublicAccessBlock", _BUCKET),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        right("s3", "GetEncryptionConfiguration PutEncryptionConfiguration", _BUCKET),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (right("s3", "GetBucketVersioning PutBucketVersioning", _BUCKET),),
    "aws:sfn/stateMachine:StateMachine": (
        right("states", "CreateStateMachine DescribeStateMachine UpdateStateMachine DeleteStateMachine", _MACHINE),
        right("states", "ListTagsForResource TagResource UntagResource ListStateMachineVersions", _MACHINE),
        right("states", "ValidateStateMachineDefinition"),
        right("iam", "PassRole", _ROLE, condition={"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}),
    ),
    "aws:sns/topic:Topic": (
        right("sns", "CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic", _TOPIC),
        right("sns", "ListTagsForResource TagResource UntagResource", _TOPIC),
    ),
    "aws:sns/topicPolicy:TopicPolicy": (right("sns", "GetTopicAttributes SetTopicAttributes", _TOPIC),),
    "aws:sns/topicSubscription:TopicSubscription": (
        right("sns", "Subscribe ListSubscriptionsByTopic", _TOPIC),
        right("sns", "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe"),
    ),
    "aws:sqs/queue:Queue": (
        right("sqs", "CreateQueue GetQueueAttributes SetQueueAttributes GetQueueUrl DeleteQueue", _QUEUE),
        right("sqs", "ListQueueTags TagQueue UntagQueue", _QUEUE),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (right("sqs", "GetQueueAttributes SetQueueAttributes", _QUEUE),),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": (right("sqs", "GetQueueAttributes SetQueueAttributes", _QUEUE),),
    "aws:wafv2/webAcl:WebAcl": (
        right("wafv2", "GetWebACL DeleteWebACL ListTagsForResource TagResource UntagResource", _ACL),
        # A web ACL with rules of AWS needs the right on these rules, too.
        right(
            "wafv2",
            "CreateWebACL UpdateWebACL",
            _ACL,
            "arn:aws:wafv2:{region}:{account}:regional/managedruleset/*/*",
        ),
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": (
        right("wafv2", "AssociateWebACL DisassociateWebACL GetWebACLForResource", _ACL, _POOL),
        # https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-waf.html
        right("cognito-idp", "AssociateWebACL", _POOL, _ACL),
        right("cognito-idp", "DisassociateWebACL GetWebACLForResource", _POOL),
    ),
}

# What `nlp deploy` and `nlp doctor` ask and do besides Pulumi.
COMMAND_LINE: tuple[Right, ...] = (
    right("lambda", "GetAccountSettings"),
    right("servicequotas", "ListServiceQuotas"),
    right("ses", "GetAccount"),
    right("ses", "GetEmailIdentity", "arn:aws:ses:{region}:{account}:identity/*"),
    right("acm", "DescribeCertificate", _CERTIFICATE),
    right("route53", "GetHostedZone", "arn:aws:route53:::hostedzone/*"),
    right("budgets", "ViewBudget", "arn:aws:budgets::{account}:budget/*"),
    right("logs", "DescribeLogGroups"),
    right(
        "logs",
        "CreateLogGroup PutRetentionPolicy",
        "arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/ProcessingJobs",
    ),
    right("iam", "SimulatePrincipalPolicy", "arn:aws:iam::{account}:role/*", "arn:aws:iam::{account}:user/*"),
    right("iam", "GetRole", "arn:aws:iam::{account}:role/*"),
)
