"""What an API is made of on the embedded AWS: routes, sign-in, throttling, CORS; all of it made by Pulumi."""

from __future__ import annotations

import base64
import contextvars
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.aws.embedded_aws import ACCOUNT_ID, EmbeddedAws
from local.deploy.deployer import deploy
from tests.integration.api_constants import CODE, ORIGIN
from tests.integration.http_calls import Answer, call
from tests.integration.processing import new_name, policy, wait_for
from tests.integration.test_embedded_aws import error_code

PROGRAM = Path(__file__).parent / "api_program.py"
PASSWORD = "Correct-Horse-7-Battery"
TYPE = "application/pdf"


class Deployed:
    """The deployed program, and a person who may sign in."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        # A context of its own, so that no mocks are left behind for other tests.
        self.outputs = contextvars.copy_context().run(deploy, aws.client, aws.region, program=PROGRAM).outputs
        self.cognito = aws.client("cognito-idp")
        self.email = "someone@example.com"
        attributes = [{"Name": "email", "Value": self.email}, {"Name": "email_verified", "Value": "true"}]
        made = self.cognito.admin_create_user(
            UserPoolId=self.outputs["pool"], Username=self.email, UserAttributes=attributes, MessageAction="SUPPRESS"
        )
        self.sub = next(one["Value"] for one in made["User"]["Attributes"] if one["Name"] == "sub")
        self.cognito.admin_set_user_password(
            UserPoolId=self.outputs["pool"], Username=self.email, Password=PASSWORD, Permanent=True
        )

    def sign_in(self, client: str = "tool", password: str = PASSWORD) -> dict[str, Any]:
        return self.cognito.initiate_auth(
            ClientId=self.outputs["clients"][client],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": self.email, "PASSWORD": password},
        )["AuthenticationResult"]

    def call(self, path: str, token: str | None = None, **request: Any) -> Answer:
        headers = request.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return call(self.outputs["url"] + path, headers=headers, **request)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with EmbeddedAws() as aws:
        yield Deployed(aws)


def test_resources_are_as_the_program_says(deployed: Deployed) -> None:
    outputs, client = deployed.outputs, deployed.aws.client
    stage = client("apigatewayv2").get_stage(ApiId=outputs["api"], StageName=outputs["stage"])
    assert json.loads(stage["AccessLogSettings"]["Format"]) == {"status": "$context.status"}
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 500
    assert outputs["target"].endswith(".amazonaws.com")
    (mapping,) = client("apigatewayv2").get_api_mappings(DomainName="api.example.com")["Items"]
    assert (mapping["ApiId"], mapping["Stage"]) == (outputs["api"], "$default")
    machine = client("stepfunctions").describe_state_machine(stateMachineArn=outputs["machine"])
    assert machine["loggingConfiguration"]["level"] == "ERROR"
    (target,) = client("events").list_targets_by_rule(Rule=outputs["rule"])["Targets"]
    assert (target["Arn"], target["RoleArn"]) == (outputs["machine"], outputs["events_role"])
    assert json.loads(target["Input"]) == {"project": "p"}
    (index,) = client("dynamodb").describe_table(TableName=outputs["table"])["Table"]["GlobalSecondaryIndexes"]
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["user", "sk"]
    (alarm,) = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["ExtendedStatistic"] == "p99"
    (rule,) = client("s3").get_bucket_cors(Bucket=outputs["bucket"])["CORSRules"]
    assert rule["AllowedOrigins"] == [ORIGIN]


def test_objects_hold_what_assets_hold(deployed: Deployed) -> None:
    s3, bucket = deployed.aws.client("s3"), deployed.outputs["bucket"]
    objects = {key: s3.get_object(Bucket=bucket, Key=key) for key in ("file.py", "text.txt", "content.txt")}
    assert {key: one["Body"].read().decode() for key, one in objects.items()} == {
        "file.py": CODE,
        "text.txt": "text",
        "content.txt": "content",
    }
    assert objects["text.txt"]["ContentType"] == "text/plain"
    archive = s3.get_object(Bucket=bucket, Key="archive.zip")["Body"].read()
    assert zipfile.ZipFile(io.BytesIO(archive)).read("a.txt").decode() == CODE


def test_the_user_pool_is_strict(deployed: Deployed) -> None:
    pool = deployed.cognito.describe_user_pool(UserPoolId=deployed.outputs["pool"])["UserPool"]
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    mfa = deployed.cognito.get_user_pool_mfa_config(UserPoolId=deployed.outputs["pool"])
    assert mfa["MfaConfiguration"] == "OPTIONAL"
    weak = error_code(
        deployed.cognito.admin_set_user_password,
        UserPoolId=deployed.outputs["pool"],
        Username=deployed.email,
        Password="too-weak",
        Permanent=True,
    )
    assert weak[0] == "InvalidPasswordException"
    assert error_code(deployed.sign_in, password="Wrong-Horse-7-Battery")[0] == "NotAuthorizedException"
    register = {"ClientId": deployed.outputs["clients"]["tool"], "Username": "x@example.com", "Password": PASSWORD}
    assert error_code(deployed.cognito.sign_up, **register)[0] == "NotAuthorizedException"


def test_public_routes_need_no_token(deployed: Deployed) -> None:
    answer = deployed.call("/health")
    assert answer.status == 200
    assert answer.json["routeKey"] == "GET /health"
    address = urlsplit(deployed.outputs["url"])
    by_host = {"Host": f"{deployed.outputs['api']}.execute-api.localhost:{address.port}"}
    assert call(f"http://{address.netloc}/health", headers=by_host).json["routeKey"] == "GET /health"
    assert deployed.call("/nothing").status == 404
    assert deployed.call("/health", method="POST", body=b"").status == 404


@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
def test_a_good_token_reaches_the_function_with_its_claims(deployed: Deployed, kind: str) -> None:
    signed_in = deployed.sign_in()
    assert signed_in["ExpiresIn"] == 900
    answer = deployed.call("/me", signed_in[kind])
    assert answer.status == 200
    claims = answer.json["requestContext"]["authorizer"]["jwt"]["claims"]
    assert claims["sub"] == deployed.sub
    assert claims["iss"] == f"https://cognito-idp.{deployed.aws.region}.amazonaws.com/{deployed.outputs['pool']}"
    assert int(claims["exp"]) - int(claims["iat"]) == 900
    assert all(isinstance(claim, str) for claim in claims.values())


def test_tokens_can_be_renewed(deployed: Deployed) -> None:
    renewed = deployed.cognito.initiate_auth(
        ClientId=deployed.outputs["clients"]["tool"],
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": deployed.sign_in()["RefreshToken"]},
    )["AuthenticationResult"]
    assert deployed.call("/me", renewed["AccessToken"]).status == 200


def with_claims(token: str, **changes: Any) -> str:
    """A token whose claims were changed, with the signature of the original."""
    header, claims, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | changes
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip('=')}.{signature}"


def test_bad_tokens_are_refused(deployed: Deployed) -> None:
    good, expired = deployed.sign_in()["AccessToken"], deployed.sign_in("short-lived")["AccessToken"]
    header, claims, signature = good.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("=")
    bad = {
        "none": None,
        "malformed": "not-a-token",
        "empty": "..",
        "another person's": with_claims(good, sub="somebody-else"),
        "never ending": with_claims(good, exp=int(time.time()) + 10**6),
        "signature cut off": f"{header}.{claims}.",
        "signature of another": f"{header}.{claims}.{signature[::-1]}",
        "without algorithm": f"{unsigned}.{claims}.",
        "another client's": deployed.sign_in("foreign")["AccessToken"],
    }
    for kind, token in bad.items():
        answer = deployed.call("/me", token)
        assert (kind, answer.status, answer.json) == (kind, 401, {"message": "Unauthorized"})
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    time.sleep(2)
    assert deployed.call("/me", expired).status == 401


def test_events_are_as_of_payload_format_2(deployed: Deployed) -> None:
    event = deployed.call("/files/a/%C3%BC%20x?q=1&q=2&r=%C3%A4").json
    assert event["version"] == "2.0"
    assert event["pathParameters"] == {"path": "a/ü x"}
    assert event["queryStringParameters"] == {"q": "1,2", "r": "ä"}
    assert event["rawQueryString"] == "q=1&q=2&r=%C3%A4"
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/files/a/ü x"
    assert event["requestContext"]["http"]["method"] == "GET"
    assert "body" not in event
    text = deployed.call("/things/1", method="POST", body=b'{"a":1}', headers={"Content-Type": "application/json"}).json
    assert (text["body"], text["isBase64Encoded"]) == ('{"a":1}', False)
    binary = deployed.call("/things/1", method="POST", body=b"\xff", headers={"Content-Type": TYPE}).json
    assert (binary["body"], binary["isBase64Encoded"]) == ("/w==", True)


def test_a_route_needs_permission_to_invoke_its_function(deployed: Deployed) -> None:
    answer = deployed.call("/not-permitted")
    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_route_is_throttled(deployed: Deployed) -> None:
    answers = [deployed.call("/costly") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].json == {"message": "Too Many Requests"}
    assert deployed.call("/health").status == 200


def test_only_known_origins_may_call(deployed: Deployed) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    allowed = deployed.call("/me", method="OPTIONS", headers=asked)
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "*" not in allowed.headers["Access-Control-Allow-Origin"]
    other = deployed.call("/me", method="OPTIONS", headers=asked | {"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert deployed.call("/health", headers={"Origin": ORIGIN}).headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_rule_starts_a_state_machine_with_its_input_where_its_role_may(deployed: Deployed) -> None:
    events, states = deployed.aws.client("events"), deployed.aws.client("stepfunctions")
    rule, machine = new_name("rule"), deployed.outputs["machine"]
    event = {"Source": "test", "DetailType": "x", "Detail": "{}"}
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["test"]}))
    target = {"Id": "1", "Arn": machine, "RoleArn": deployed.outputs["events_role"], "Input": '{"project": "p"}'}
    events.put_targets(Rule=rule, Targets=[target])
    events.put_events(Entries=[event])
    deployed.aws.client("iam").put_role_policy(
        RoleName=deployed.outputs["events_role"].rpartition("/")[2],
        PolicyName="start",
        PolicyDocument=policy([{"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine}]),
    )
    events.put_events(Entries=[event])
    [execution] = wait_for(lambda: states.list_executions(stateMachineArn=machine)["executions"], "an execution")
    description = states.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(description["input"]) == {"project": "p"}
    assert f":{ACCOUNT_ID}:" in description["executionArn"]
