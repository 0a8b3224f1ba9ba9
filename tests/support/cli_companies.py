"""The API's endpoints of companies for the tests of the command line: the real logic, on a test's own tables."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from handlers.api.support import requests
from handlers.api.support.answers import problem_answer, to_gateway
from handlers.common.problems import Problem
from handlers.companies.changes import CompanyChanges
from handlers.companies.watchlist import WatchList
from tests.support.cli_api import YOU, Answer, ApiServer, Request, problem
from tests.support.cli_aws import CREDENTIALS, REGION, Product
from tests.support.operations import BY_SCRIPT

VARIABLES = {"COMPANIES_TABLE": "none", "OBSERVATIONS_TABLE": "none", "AWS_DEFAULT_REGION": REGION, **CREDENTIALS}


def serve_companies(server: ApiServer, product: Product) -> None:
    """Have a server answer requests for companies, and name it as the API of a deployment."""
    listing, changing = _load("companies_list"), _load("companies_change")
    dynamodb, outputs = product.client("dynamodb"), product.outputs
    listing.watch_list = WatchList(dynamodb, outputs["companies_table"], outputs["observations_table"])
    changing.companies = CompanyChanges(dynamodb, outputs["companies_table"])
    server.on("GET", "/companies", lambda request: _answer(listing.list_companies, request))
    server.on("POST", "/companies", lambda request: _answer(changing.change_companies, request))
    outputs["api_url"] = server.url
    product.describe(outputs)


def _load(script: str) -> Any:
    """Load an endpoint's script under a name of its own: other tests import it with their own environment."""
    spec = importlib.util.find_spec(f"handlers.api.{script}")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    role = {"REQUIRED_ROLE": str(BY_SCRIPT[script].role), "DEFAULT_ROLE": "reader"}
    with patch.dict("os.environ", VARIABLES | role):
        spec.loader.exec_module(module)
    return module


def _answer(run: Callable[[requests.Request], Any], request: Request) -> Answer:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return problem("not-signed-in", 401)
    event = {
        "headers": request.headers,
        "queryStringParameters": request.query,
        "body": request.body.decode(),
        "requestContext": {"authorizer": {"jwt": {"claims": {"sub": YOU}}}},
    }
    try:
        answered = to_gateway(run(requests.Request(event)))
    except Problem as refused:
        answered = to_gateway(problem_answer(refused))
    answered = json.loads(json.dumps(answered))
    return Answer(answered["statusCode"], answered["body"].encode(), answered["headers"])
