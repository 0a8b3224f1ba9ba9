"""Deploys what the API's endpoints are compared with: further routes of the same API."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.roles import make_role
from local.deploy.stack import LocalStack

ONE_LINE_CODE = 'def handler(event, context): return {"statusCode": 200, "body": "{}"}'
ONE_LINE = "/one-line"
ONE_LINE_PUBLIC = "/one-line-public"
BARE = "/bare"

_CALLS = Path(__file__).parent / "bare" / "calls.py"
_NAME = "bench-bare"
_SERVICES = ["comprehend:*", "dynamodb:*", "logs:*", "s3:*", "states:*"]


def deploy_baselines(stack: LocalStack, like: dict[str, Any], routes: Iterable[str]) -> None:
    """Make a one-line function, and a function that makes the endpoints' AWS calls and nothing else.

    Parameters
    ----------
    stack
        The product; its API gets the routes.
    like
        Configuration of a function of the product, whose runtime, memory and tracing they have.
    routes
        Routes whose calls are made, such as `GET /projects`.
    """
    outputs = stack.outputs
    variables = {
        "DOCUMENTS_TABLE": outputs["documents_table"],
        "DOCUMENTS_BUCKET": outputs["documents_bucket"],
        "COMPANIES_TABLE": outputs["companies_table"],
        "OBSERVATIONS_TABLE": outputs["observations_table"],
        "STATE_MACHINE": outputs["state_machines"]["analyse"],
    }
    maker = _Maker(stack, like)
    one_line = maker.function("one-line", ONE_LINE_CODE, {})
    calls = maker.function("calls", _CALLS.read_text(), variables)
    maker.route(f"ANY {ONE_LINE}", one_line)
    maker.route(f"ANY {ONE_LINE_PUBLIC}", one_line, public=True)
    for route in routes:
        method, path = route.split(" ")
        maker.route(f"{method} {BARE}{path}", calls)


class _Maker:
    """Makes functions and routes of an API."""

    def __init__(self, stack: LocalStack, like: dict[str, Any]) -> None:
        self._lambda, self._gateway = stack.aws.client("lambda"), stack.aws.client("apigatewayv2")
        self._like = like
        self._api = api_id(stack)
        self._role = make_role(stack.aws, _NAME, "lambda.amazonaws.com", _SERVICES)
        [authorizer] = self._gateway.get_authorizers(ApiId=self._api)["Items"]
        self._signed_in = {"AuthorizationType": "JWT", "AuthorizerId": authorizer["AuthorizerId"]}

    def function(self, short_name: str, code: str, variables: dict[str, str]) -> str:
        """Make a function that the API may invoke; returns the id of its integration."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("index.py", code)
        name = f"{_NAME}-{short_name}"
        made = self._lambda.create_function(
            FunctionName=name,
            Role=self._role,
            Handler="index.handler",
            Code={"ZipFile": buffer.getvalue()},
            Timeout=30,
            Environment={"Variables": variables},
            **{setting: self._like[setting] for setting in ("Runtime", "MemorySize", "Architectures", "TracingConfig")},
        )
        self._lambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        self._lambda.add_permission(
            FunctionName=name, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
        )
        integration = self._gateway.create_integration(
            ApiId=self._api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=made["FunctionArn"],
            PayloadFormatVersion="2.0",
        )
        return integration["IntegrationId"]

    def route(self, key: str, integration: str, public: bool = False) -> None:
        """Make a route, for people who are signed in unless it is public."""
        signed_in = {} if public else self._signed_in
        self._gateway.create_route(ApiId=self._api, RouteKey=key, Target=f"integrations/{integration}", **signed_in)


def api_id(stack: LocalStack) -> str:
    """Find the id of the product's API."""
    return stack.outputs["api_url"].rpartition("/")[2]
