"""Sign-in through the hosted page, as a web application does it: authorization code with PKCE (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack

CALLBACK = "http://localhost:8501"
VERIFIER = "a-verifier-that-nobody-else-knows-0123456789-abcdef"


@pytest.fixture(scope="module")
def user(stack: LocalStack) -> ApiUser:
    return ApiUser(stack, "hosted@example.com")


def code_of(stack: LocalStack, user: ApiUser, password: str) -> str:
    """Fill in the hosted page, and return the code that the browser would carry back; empty when it was refused."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": stack.outputs["web_client"],
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": "xyz",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with httpx.Client(base_url=stack.aws.endpoint, timeout=10) as browser:
        page = browser.get("/oauth2/authorize", params=asked)
        assert page.status_code == 200
        hidden = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
        form = {name: unescape(value) for name, value in hidden}
        sent = browser.post("/login", data={**form, "username": user.email, "password": password})
    target = urlsplit(sent.headers.get("location", ""))
    answer = parse_qs(target.query)
    if "code" not in answer:
        return ""
    assert (f"{target.scheme}://{target.netloc}", answer["state"]) == (CALLBACK, ["xyz"])
    return answer["code"][0]


def exchange(stack: LocalStack, code: str, verifier: str = VERIFIER) -> httpx.Response:
    asked = {
        "grant_type": "authorization_code",
        "client_id": stack.outputs["web_client"],
        "redirect_uri": CALLBACK,
        "code": code,
        "code_verifier": verifier,
    }
    return httpx.post(f"{stack.aws.endpoint}/oauth2/token", data=asked, timeout=10)


def test_a_web_applications_user_reaches_the_api(stack: LocalStack, user: ApiUser) -> None:
    tokens = exchange(stack, code_of(stack, user, user.password)).json()

    project = user.create_project("Seen from both clients")
    answer = httpx.get(
        f"{stack.outputs['api_url']}/projects/{project}",
        headers={"authorization": f"Bearer {tokens['access_token']}"},
        timeout=30,
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["project"] == project


def test_a_wrong_password_gets_no_code(stack: LocalStack, user: ApiUser) -> None:
    assert code_of(stack, user, "Not-the-password-1") == ""


def test_a_stolen_code_is_worth_nothing_without_its_verifier(stack: LocalStack, user: ApiUser) -> None:
    refused = exchange(
        stack, code_of(stack, user, user.password), "another-verifier-of-the-same-length-0123456789-abcd"
    )

    assert refused.status_code == 400
    assert "access_token" not in refused.text


def test_a_code_is_good_once(stack: LocalStack, user: ApiUser) -> None:
    code = code_of(stack, user, user.password)

    assert exchange(stack, code).status_code == 200
    assert exchange(stack, code).status_code == 400
