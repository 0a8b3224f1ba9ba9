"""What people without the role for it try: the shared list, paid work, and roles that nobody gave them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema.dynamodb import decode
from schema.endpoint import Endpoint
from schema.endpoints import ENDPOINTS
from schema.roles import ROLES
from schema.srp import begin_sign_in
from schema.templates import fields, fill
from tests.integration.api_story import assert_problem, claims, subject
from tests.integration.harness import wait_until
from tests.integration.test_api_tokens import with_claims

WRITES = [endpoint for endpoint in ENDPOINTS if endpoint.role not in (None, "reader")]
READS = [endpoint for endpoint in ENDPOINTS if endpoint.role == "reader"]
NOBODY = "00000000-0000-7000-8000-000000000000"
WATCHED = [f"Watched {number}" for number in range(5)]


@pytest.fixture(scope="module")
def fresh(stack: LocalStack) -> ApiUser:
    """An account that has just been made, which nobody has given a role."""
    return ApiUser(stack, "fresh@example.com", role=None)


@pytest.fixture
def watched(stack: LocalStack, ann: ApiUser) -> Iterator[list[str]]:
    """Some companies on the list."""
    ann.call("POST", "/companies", {"changes": [{"action": "add", "name": name} for name in WATCHED]})
    yield WATCHED
    ann.call("POST", "/companies", {"changes": [{"action": "remove", "name": name} for name in WATCHED]})


def listed(stack: LocalStack) -> dict[str, dict[str, Any]]:
    """The list as it is stored."""
    pages = stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["companies_table"])
    items = [decode(item) for page in pages for item in page["Items"]]
    return {item["name"]: item for item in items}


def path_of(endpoint: Endpoint, name: str = "Watched 1") -> str:
    return fill(
        endpoint.described_path, **{one: name if one == "name" else NOBODY for one in fields(endpoint.described_path)}
    )


def send(user: ApiUser, endpoint: Endpoint, token: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return user.request(endpoint.method, path_of(endpoint), dict(endpoint.example or {}) or None, headers)


@pytest.mark.parametrize("who", ["fresh", "rita"])
def test_the_list_of_companies_withstands_everybody_without_the_role(
    stack: LocalStack, watched: list[str], who: str, request: pytest.FixtureRequest
) -> None:
    attacker: ApiUser = request.getfixturevalue(who)
    before = listed(stack)
    assert set(watched) <= set(before)
    removals = [{"action": "remove", "name": name} for name in before]
    additions = [{"action": "add", "name": f"Spam {number}"} for number in range(100)]
    renames = [{"action": "rename", "name": name, "new_name": f"{name} (hacked)"} for name in watched]
    for changes in (removals, additions, renames):
        assert_problem(attacker.request("POST", "/companies", {"changes": changes}), 403, "role-needed")
    assert_problem(attacker.request("PUT", f"/companies/{watched[0]}", {"page": "Evil"}), 403, "role-needed")
    assert_problem(attacker.request("DELETE", f"/companies/{watched[0]}"), 403, "role-needed")
    assert listed(stack) == before


@pytest.mark.parametrize("endpoint", WRITES, ids=lambda one: one.script)
def test_a_reader_changes_nothing_and_causes_no_costs(rita: ApiUser, fresh: ApiUser, endpoint: Endpoint) -> None:
    for user in (rita, fresh):
        refused = send(user, endpoint)
        assert_problem(refused, 403, "role-needed")
        assert refused.json()["required_role"] == endpoint.role


@pytest.mark.parametrize("endpoint", READS, ids=lambda one: one.script)
def test_a_reader_reads(rita: ApiUser, endpoint: Endpoint) -> None:
    assert send(rita, endpoint).status_code in (200, 404, 422)


def test_each_role_may_do_what_those_before_it_may(rita: ApiUser, ann: ApiUser, adam: ApiUser) -> None:
    may = {}
    for role, user in zip(ROLES, (rita, ann, adam), strict=True):
        answers = [send(user, endpoint) for endpoint in (*READS, *(one for one in WRITES if one.path != "/sentiment"))]
        may[role] = sum(answer.status_code != 403 for answer in answers)
    assert may["reader"] == len(READS) < may["editor"] <= may["admin"]
    assert may["admin"] == len(READS) + len(WRITES) - 1
    for user in (ann, adam):
        for name in ("Spotify", "X"):  # of the examples
            user.request("DELETE", f"/companies/{name}")


def test_a_reader_sees_what_is_shared_and_no_more(ann: ApiUser, rita: ApiUser) -> None:
    project = ann.call("POST", "/projects", {"name": "Shared", "shared_with": [subject(rita)]})["project"]
    own = ann.create_project("Not shared")
    assert rita.request("GET", f"/projects/{project}").status_code == 200
    assert_problem(rita.request("GET", f"/projects/{own}"), 404, "not-found")
    for method, path, body in (
        ("POST", "documents", {"name": "a.txt"}),
        ("POST", "jobs", {"kind": "analyse"}),
    ):
        assert_problem(rita.request(method, f"/projects/{project}/{path}", body), 403, "role-needed")


@pytest.mark.parametrize("groups", [["admin"], "admin", "[admin]", ["reader", "admin"], {"0": "admin"}])
def test_a_forged_claim_opens_nothing(rita: ApiUser, groups: Any) -> None:
    forged = with_claims(rita.token, **{"cognito:groups": groups})
    for endpoint in WRITES:
        answer = send(rita, endpoint, forged)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("group", ["editor]", "[editor", "editor,admin", "Editor", "reader-editor", "admin]["])
def test_a_group_with_an_odd_name_gives_no_role(stack: LocalStack, fresh: ApiUser, group: str) -> None:
    cognito, pool = stack.aws.client("cognito-idp"), stack.outputs["user_pool"]
    cognito.create_group(UserPoolId=pool, GroupName=group)
    try:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=fresh.email, GroupName=group)
        token = fresh.sign_in()
        assert claims(token)["cognito:groups"] == [group]
        refused = fresh.request("DELETE", "/companies/Nothing", headers={"authorization": f"Bearer {token}"})
        assert_problem(refused, 403, "role-needed")
    finally:
        cognito.delete_group(UserPoolId=pool, GroupName=group)


def test_users_do_not_give_roles_to_themselves(stack: LocalStack, rita: ApiUser) -> None:
    """The attribute with a provider's groups counts for nobody who has a password here."""
    cognito = stack.aws.client("cognito-idp")
    attributes = [{"Name": "custom:groups", "Value": "[admin]"}]
    with contextlib.suppress(cognito.exceptions.NotAuthorizedException):
        cognito.update_user_attributes(AccessToken=rita.token, UserAttributes=attributes)
    token = rita.sign_in()
    assert claims(token)["cognito:groups"] == ["reader"]
    answer = rita.request("POST", "/companies", {"changes": []}, {"authorization": f"Bearer {token}"})
    assert_problem(answer, 403, "role-needed")


def test_headers_and_parameters_give_no_role(rita: ApiUser) -> None:
    pretended = {"cognito:groups": "[admin]", "x-role": "admin", "x-amzn-oidc-data": "admin", "role": "admin"}
    sent = {name.replace(":", "-"): value for name, value in pretended.items()}
    answer = rita.request("DELETE", "/companies/Nothing?role=admin&cognito:groups=admin", headers=sent)
    assert_problem(answer, 403, "role-needed")


def test_a_role_that_is_taken_away_counts_with_the_next_token(stack: LocalStack) -> None:
    user = ApiUser(stack, "demoted@example.com", role="editor")
    tokens = user.tokens()
    old = {"authorization": f"Bearer {tokens['AccessToken']}"}
    assert claims(tokens["AccessToken"])["exp"] - claims(tokens["AccessToken"])["iat"] == 15 * 60
    user.leave("editor")
    # Until it ends, 15 minutes after it was made, the token says what was right then.
    assert user.request("DELETE", "/companies/Nothing", headers=old).status_code == 404

    renewed = stack.aws.client("cognito-idp").get_tokens_from_refresh_token(
        ClientId=stack.outputs["command_line_client"], RefreshToken=tokens["RefreshToken"]
    )["AuthenticationResult"]
    for token in (renewed["AccessToken"], user.sign_in()):
        refused = user.request("DELETE", "/companies/Nothing", headers={"authorization": f"Bearer {token}"})
        assert_problem(refused, 403, "role-needed")


def test_a_disabled_user_gets_no_further_token(stack: LocalStack) -> None:
    user = ApiUser(stack, "disabled@example.com", role="editor")
    tokens = user.tokens()
    cognito, client = stack.aws.client("cognito-idp"), stack.outputs["command_line_client"]
    cognito.admin_disable_user(UserPoolId=stack.outputs["user_pool"], Username=user.email)
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.get_tokens_from_refresh_token(ClientId=client, RefreshToken=tokens["RefreshToken"])
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        user.tokens()
    # Nor when the account is enabled again: who had the old tokens has to sign in.
    cognito.admin_enable_user(UserPoolId=stack.outputs["user_pool"], Username=user.email)
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.get_tokens_from_refresh_token(ClientId=client, RefreshToken=tokens["RefreshToken"])


def test_a_refresh_token_is_good_once(stack: LocalStack, ann: ApiUser) -> None:
    cognito, client = stack.aws.client("cognito-idp"), stack.outputs["command_line_client"]

    def renewed(token: str) -> dict[str, Any]:
        answer = cognito.get_tokens_from_refresh_token(ClientId=client, RefreshToken=token)
        return answer["AuthenticationResult"]

    first = ann.tokens()["RefreshToken"]
    second = renewed(first)["RefreshToken"]
    assert second != first
    assert renewed(second)["RefreshToken"] not in (first, second)
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": first})


@pytest.mark.parametrize("client", ["command_line_client", "web_client"])
def test_no_client_takes_a_password_in_clear_text(stack: LocalStack, ann: ApiUser, client: str) -> None:
    cognito = stack.aws.client("cognito-idp")
    with pytest.raises(cognito.exceptions.InvalidParameterException):
        cognito.initiate_auth(
            ClientId=stack.outputs[client],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": ann.email, "PASSWORD": ann.password},
        )
    outputs = stack.outputs
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        begin_sign_in(
            cognito, client_id=outputs[client], pool=outputs["user_pool"], email=ann.email, password="Wrong-password-1"
        )


def audited(stack: LocalStack, function: str, since: float) -> list[dict[str, Any]]:
    logs, kind = stack.aws.client("logs"), "aws:cloudwatch/logGroup:LogGroup"
    named = {one.name: one.id for one in stack.deployment.resources if one.type == kind}
    group = named[f"product-api-{function}"]
    events = logs.filter_log_events(logGroupName=group, startTime=int(since * 1000))["events"]
    lines = [json.loads(one["message"]) for one in events if one["message"].lstrip().startswith("{")]
    return [line for line in lines if line.get("audit")]


def test_whoever_changes_the_list_is_on_record(stack: LocalStack, ann: ApiUser, rita: ApiUser) -> None:
    since = time.time() - 1
    changes = {"changes": [{"action": "add", "name": "On Record"}, {"action": "remove", "name": "Never There"}]}
    ann.call("POST", "/companies", changes)
    assert rita.request("POST", "/companies", changes).status_code == 403
    try:
        assert listed(stack)["On Record"]["added_by"] == subject(ann)
        assert ann.call("GET", "/companies/On%20Record")["added_by"] == subject(ann)

        lines = wait_until(
            lambda: found if len(found := audited(stack, "companies-change", since)) >= 2 else None, 20, "audit lines"
        )
        done, refused = lines[-2:]
        assert (done["user"], done["outcome"], done["facts"]) == (subject(ann), "done", {"added": 1, "missing": 1})
        assert (refused["user"], refused["outcome"], refused["problem"]) == (subject(rita), "refused", "role-needed")
        assert done["route"] == "POST /companies"
        assert ann.token not in json.dumps(lines)
    finally:
        ann.call("DELETE", "/companies/On%20Record")
