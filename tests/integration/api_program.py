"""A Pulumi program with each type of resource that an API, its sign-in and its jobs are made of; a test deploys it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pulumi
import pulumi_aws as aws

from tests.integration.api_constants import CODE, ORIGIN

# Path of each route, and whether it is public; the last one may not invoke its function.
ROUTES = {
    "GET /health": True,
    "GET /me": False,
    "POST /things/{thing}": True,
    "GET /files/{path+}": True,
    "GET /costly": True,
    "GET /not-permitted": True,
}


def trusting(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


code = Path(tempfile.mkdtemp()) / "index.py"
code.write_text(CODE)
logs = aws.cloudwatch.LogGroup("api", retention_in_days=1)
function = aws.lambda_.Function(
    "echo",
    runtime="python3.13",
    architectures=["arm64"],
    role=aws.iam.Role("function", assume_role_policy=trusting("lambda")).arn,
    handler="index.handler",
    code=pulumi.AssetArchive({"index.py": pulumi.FileAsset(str(code))}),
    timeout=10,
    memory_size=128,
    layers=[],
    environment=aws.lambda_.FunctionEnvironmentArgs(variables={}),
    tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
    logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=logs.name),
)

pool = aws.cognito.UserPool(
    "people",
    username_attributes=["email"],
    auto_verified_attributes=["email"],
    username_configuration=aws.cognito.UserPoolUsernameConfigurationArgs(case_sensitive=False),
    user_attribute_update_settings=aws.cognito.UserPoolUserAttributeUpdateSettingsArgs(
        attributes_require_verification_before_updates=["email"]
    ),
    password_policy=aws.cognito.UserPoolPasswordPolicyArgs(
        minimum_length=12, require_lowercase=True, require_uppercase=True, require_numbers=True, require_symbols=True
    ),
    mfa_configuration="OPTIONAL",
    software_token_mfa_configuration=aws.cognito.UserPoolSoftwareTokenMfaConfigurationArgs(enabled=True),
    account_recovery_setting=aws.cognito.UserPoolAccountRecoverySettingArgs(
        recovery_mechanisms=[
            aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(name="verified_email", priority=1)
        ]
    ),
    admin_create_user_config=aws.cognito.UserPoolAdminCreateUserConfigArgs(allow_admin_create_user_only=True),
    deletion_protection="INACTIVE",
)


def client(name: str, seconds: int) -> aws.cognito.UserPoolClient:
    return aws.cognito.UserPoolClient(
        name,
        user_pool_id=pool.id,
        generate_secret=False,
        explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"],
        access_token_validity=seconds,
        id_token_validity=seconds,
        refresh_token_validity=30,
        token_validity_units=aws.cognito.UserPoolClientTokenValidityUnitsArgs(
            access_token="seconds", id_token="seconds", refresh_token="days"
        ),
        enable_token_revocation=True,
        prevent_user_existence_errors="ENABLED",
    )


web = aws.cognito.UserPoolClient(
    "web",
    user_pool_id=pool.id,
    allowed_oauth_flows_user_pool_client=True,
    allowed_oauth_flows=["code"],
    allowed_oauth_scopes=["email", "openid", "profile"],
    supported_identity_providers=["COGNITO"],
    callback_urls=[ORIGIN],
    logout_urls=[ORIGIN],
)
# Amazon Cognito allows no less than 300 s; the embedded one does, so that a test need not wait for a token to expire.
tool, short_lived, foreign = client("tool", 900), client("short-lived", 1), client("foreign", 900)
aws.cognito.UserPoolDomain("people", user_pool_id=pool.id, domain="nlp-test")

api = aws.apigatewayv2.Api(
    "api",
    protocol_type="HTTP",
    cors_configuration=aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=[ORIGIN], allow_methods=["GET", "POST"], allow_headers=["authorization"], max_age=3600
    ),
)
authorizer = aws.apigatewayv2.Authorizer(
    "api",
    api_id=api.id,
    authorizer_type="JWT",
    identity_sources=["$request.header.Authorization"],
    jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
        issuer=pulumi.Output.concat("https://", pool.endpoint), audiences=[web.id, tool.id, short_lived.id]
    ),
)
routes = []
for number, (key, public) in enumerate(ROUTES.items()):
    integration = aws.apigatewayv2.Integration(
        f"api-{number}",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri=function.arn,
        payload_format_version="2.0",
        timeout_milliseconds=10_000,
    )
    if "not-permitted" not in key:
        aws.lambda_.Permission(
            f"api-{number}",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(api.execution_arn, "/*/", key.replace(" ", "")),
        )
    routes.append(
        aws.apigatewayv2.Route(
            f"api-{number}",
            api_id=api.id,
            route_key=key,
            target=pulumi.Output.concat("integrations/", integration.id),
            authorization_type="NONE" if public else "JWT",
            authorizer_id=None if public else authorizer.id,
        )
    )
stage = aws.apigatewayv2.Stage(
    "api",
    api_id=api.id,
    name="$default",
    auto_deploy=True,
    default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
        throttling_rate_limit=500, throttling_burst_limit=1000
    ),
    route_settings=[
        aws.apigatewayv2.StageRouteSettingArgs(
            route_key="GET /costly", throttling_rate_limit=0.1, throttling_burst_limit=2
        )
    ],
    access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
        destination_arn=logs.arn, format=json.dumps({"status": "$context.status"})
    ),
    opts=pulumi.ResourceOptions(depends_on=routes),
)
domain = aws.apigatewayv2.DomainName(
    "api",
    domain_name="api.example.com",
    domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
        certificate_arn="arn:aws:acm:eu-central-1:000000000000:certificate/1",
        endpoint_type="REGIONAL",
        security_policy="TLS_1_2",
    ),
)
aws.apigatewayv2.ApiMapping("api", api_id=api.id, stage=stage.name, domain_name=domain.domain_name)
aws.cloudwatch.MetricAlarm(
    "slow",
    alarm_description="Slow.",
    namespace="AWS/ApiGateway",
    metric_name="Latency",
    dimensions={"ApiId": api.id},
    extended_statistic="p99",
    comparison_operator="GreaterThanThreshold",
    threshold=3000,
    period=300,
    evaluation_periods=3,
    treat_missing_data="notBreaching",
    alarm_actions=[],
    ok_actions=[],
)

machine_role = aws.iam.Role("machine", assume_role_policy=trusting("states"))
machine = aws.sfn.StateMachine(
    "machine",
    type="STANDARD",
    role_arn=machine_role.arn,
    definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
    logging_configuration=aws.sfn.StateMachineLoggingConfigurationArgs(
        level="ERROR", include_execution_data=False, log_destination=pulumi.Output.concat(logs.arn, ":*")
    ),
    tracing_configuration=aws.sfn.StateMachineTracingConfigurationArgs(enabled=True),
)
rule = aws.cloudwatch.EventRule("daily", description="Daily.", schedule_expression="rate(1 day)", state="ENABLED")
events_role = aws.iam.Role("events", assume_role_policy=trusting("events"))
aws.cloudwatch.EventTarget(
    "daily",
    rule=rule.name,
    arn=machine.arn,
    role_arn=events_role.arn,
    input=pulumi.Output.json_dumps({"project": "p"}),
    retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
        maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
    ),
)

table = aws.dynamodb.Table(
    "documents",
    billing_mode="PAY_PER_REQUEST",
    hash_key="pk",
    range_key="sk",
    attributes=[aws.dynamodb.TableAttributeArgs(name=name, type="S") for name in ("pk", "sk", "user")],
    global_secondary_indexes=[
        aws.dynamodb.TableGlobalSecondaryIndexArgs(
            name="by-user",
            key_schemas=[
                aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name="user", key_type="HASH"),
                aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name="sk", key_type="RANGE"),
            ],
            projection_type="ALL",
        )
    ],
    point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
    deletion_protection_enabled=False,
)
bucket = aws.s3.Bucket("files")
aws.s3.BucketCorsConfiguration(
    "files",
    bucket=bucket.bucket,
    cors_rules=[
        aws.s3.BucketCorsConfigurationCorsRuleArgs(
            allowed_origins=[ORIGIN], allowed_methods=["GET", "POST"], allowed_headers=["*"], max_age_seconds=3600
        )
    ],
)
aws.s3.BucketObjectv2("file", bucket=bucket.bucket, key="file.py", source=pulumi.FileAsset(str(code)))
aws.s3.BucketObjectv2(
    "text", bucket=bucket.bucket, key="text.txt", source=pulumi.StringAsset("text"), content_type="text/plain"
)
aws.s3.BucketObjectv2("content", bucket=bucket.bucket, key="content.txt", content="content")
aws.s3.BucketObjectv2(
    "archive",
    bucket=bucket.bucket,
    key="archive.zip",
    source=pulumi.AssetArchive({"a.txt": pulumi.FileAsset(str(code))}),
)

pulumi.export("url", api.api_endpoint)
pulumi.export("pool", pool.id)
pulumi.export("clients", {"tool": tool.id, "short-lived": short_lived.id, "foreign": foreign.id, "web": web.id})
pulumi.export("api", api.id)
pulumi.export("stage", stage.name)
pulumi.export("target", domain.domain_name_configuration.target_domain_name)
pulumi.export("machine", machine.arn)
pulumi.export("rule", rule.name)
pulumi.export("events_role", events_role.arn)
pulumi.export("table", table.name)
pulumi.export("bucket", bucket.bucket)
pulumi.export("logs", logs.name)
