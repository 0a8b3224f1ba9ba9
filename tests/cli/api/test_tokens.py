"""Tokens on disk, and which one a request carries."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.api.identity import Identity, checked_token, claims_of
from cli.api.tokens import Tokens, TokenStore, state_folder
from cli.aws.deployment import Deployment
from cli.ui.errors import CliError
from tests.support.cli_api import YOU, Answer, ApiServer, answer, jwt, running_api

API = "https://abc.execute-api.eu-central-1.amazonaws.com"
USER = {"email": "you@example.com", "password": "local"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with running_api(tmp_path) as server:
        yield server


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NLP_TOKEN", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "cloud-nlp" / "tokens"


def tokens(**more: Any) -> Tokens:
    given = {"api_url": API, "access_token": "access-1", "refresh_token": "refresh-1", "client": "client-1"}
    return Tokens(**{**given, "expires_at": time.time() + 3600, "email": "you@example.com", **more})


def deployment(server: ApiServer, **more: Any) -> Deployment:
    outputs = {"region": "eu-central-1", "api_url": server.url, "command_line_client": "client-1", "user_pool": "pool"}
    return Deployment("local", outputs | more.pop("outputs", {}), server.url, **more)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def signed_in(access_token: str, **more: Any) -> Answer:
    result = {"AccessToken": access_token, "ExpiresIn": 3600, "TokenType": "Bearer", **more}
    return answer({"AuthenticationResult": result})


def refused(code: str, message: str = "Refused.") -> Answer:
    return answer({"__type": code, "message": message}, 400)


def test_only_the_user_may_read_them(state: Path) -> None:
    state.mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        TokenStore(API).save(tokens())
    finally:
        os.umask(before)
    (file,) = state.iterdir()
    assert (mode(state), mode(file)) == (0o700, 0o600)
    assert TokenStore(API).load() == tokens(expires_at=json.loads(file.read_text())["expires_at"])


def test_each_api_has_its_own(state: Path) -> None:
    other = f"{API}/other"
    TokenStore(API).save(tokens())
    assert TokenStore(other).load() is None
    TokenStore(other).save(tokens(api_url=other, access_token="access-2"))
    assert [TokenStore(url).load().access_token for url in (API, other)] == ["access-1", "access-2"]  # pyright: ignore[reportOptionalMemberAccess]
    TokenStore(API).forget()
    TokenStore(API).forget()
    assert TokenStore(API).load() is None
    assert TokenStore(other).load() is not None


def test_what_fails_leaves_the_old_file(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TokenStore(API).save(tokens())

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(CliError, match="No space left on device"):
        TokenStore(API).save(tokens(access_token="access-2"))
    assert TokenStore(API).load().access_token == "access-1"  # pyright: ignore[reportOptionalMemberAccess]
    assert len(list(state.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"{", b'{"api_url": 5}', b"\xff"])
def test_a_damaged_file_means_that_nobody_is_signed_in(content: bytes) -> None:
    store = TokenStore(API)
    store.save(tokens())
    store.path.write_bytes(content)
    assert store.load() is None


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(CliError, match="Set XDG_STATE_HOME"):
        TokenStore(API).save(tokens())


def test_tokens_of_local_deployments_that_are_gone_are_removed(state: Path) -> None:
    gone, recent, deployed = "http://127.0.0.1:1/a", "http://127.0.0.1:2/b", API
    for url in (gone, recent, deployed):
        TokenStore(url).save(tokens(api_url=url))
    for url in (gone, deployed):
        os.utime(TokenStore(url).path, (0, time.time() - 2 * 24 * 3600))
    TokenStore("http://127.0.0.1:3/c").save(tokens(api_url="http://127.0.0.1:3/c"))
    assert [TokenStore(url).load() is None for url in (gone, recent, deployed)] == [True, False, False]


def test_the_folder_is_where_the_specification_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for chosen in ("", "relative/folder"):
        monkeypatch.setenv("XDG_STATE_HOME", chosen)
        assert state_folder() == tmp_path / ".local" / "state" / "cloud-nlp" / "tokens"


def test_a_token_that_lasts_is_used_without_asking(server: ApiServer) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url))
    assert Identity(deployment(server)).token() == "access-1"
    assert server.requests == []


@pytest.mark.parametrize("left_s", [-5, 30])
def test_a_token_that_ends_is_renewed_and_kept(server: ApiServer, left_s: float) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url, expires_at=time.time() + left_s))
    server.on("POST", "/", signed_in("access-2"), refused("NotAuthorizedException"))
    assert Identity(deployment(server)).token() == "access-2"
    assert Identity(deployment(server)).token() == "access-2"
    (request,) = server.requests
    assert request.headers["x-amz-target"].endswith(".GetTokensFromRefreshToken")
    assert request.json == {"ClientId": "client-1", "RefreshToken": "refresh-1"}
    assert "authorization" not in request.headers  # no AWS credentials are needed
    kept = TokenStore(server.url).load()
    assert kept is not None
    assert (kept.refresh_token, kept.email, kept.lasts(3000)) == ("refresh-1", "you@example.com", True)


def test_a_refresh_token_that_comes_anew_replaces_the_old_one(server: ApiServer) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url, expires_at=0))
    server.on("POST", "/", signed_in("access-2", RefreshToken="refresh-2"))
    Identity(deployment(server)).token()
    assert TokenStore(server.url).load().refresh_token == "refresh-2"  # pyright: ignore[reportOptionalMemberAccess]


def test_processes_share_the_token_that_the_first_of_them_has_renewed(server: ApiServer) -> None:
    """A refresh token is good once, so the second process takes what the first has kept."""
    store = TokenStore(server.url)
    store.save(tokens(api_url=server.url, expires_at=time.time() + 61))
    second = Identity(deployment(server))
    second.token()
    store.save(tokens(api_url=server.url, access_token="access-2", refresh_token="refresh-2"))
    assert second.replacement("access-1") == "access-2"
    assert server.requests == []

    server.on("POST", "/", signed_in("access-3", RefreshToken="refresh-3"))
    assert second.replacement("access-2") == "access-3"
    assert server.requests[0].json["RefreshToken"] == "refresh-2"


def test_a_process_stays_with_its_user_when_another_signs_in(server: ApiServer) -> None:
    store = TokenStore(server.url)
    store.save(tokens(api_url=server.url, expires_at=time.time() + 61))
    first = Identity(deployment(server))
    first.token()
    store.save(tokens(api_url=server.url, access_token="access-b", refresh_token="refresh-b", email="bob@example.com"))
    server.on("POST", "/", signed_in("access-2", RefreshToken="refresh-2"))
    assert first.replacement("access-1") == "access-2"
    assert server.requests[0].json["RefreshToken"] == "refresh-1"


@pytest.mark.parametrize("code", ["NotAuthorizedException", "RefreshTokenReuseException", "ResourceNotFoundException"])
def test_a_refresh_token_that_was_used_or_revoked_ends_the_sign_in(server: ApiServer, code: str) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url, expires_at=0))
    server.on("POST", "/", refused(code))
    with pytest.raises(CliError, match="The sign-in has ended"):
        Identity(deployment(server)).token()


def test_a_sign_in_that_has_ended_is_told(server: ApiServer) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url, expires_at=0))
    server.on("POST", "/", refused("NotAuthorizedException", "Refresh Token has expired"))
    with pytest.raises(CliError, match="The sign-in has ended: run `nlp login`"):
        Identity(deployment(server)).token()


def test_a_given_token_that_has_ended_is_told(server: ApiServer) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url, expires_at=0, refresh_token=""))
    with pytest.raises(CliError, match="nlp login --token-stdin"):
        Identity(deployment(server, outputs={"user_pool": ""})).token()


def test_a_token_of_the_environment_comes_first(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url))
    monkeypatch.setenv("NLP_TOKEN", "Bearer given")
    identity = Identity(deployment(server))
    assert identity.token() == "given"
    with pytest.raises(CliError, match="refuses the token in NLP_TOKEN"):
        identity.replacement("given")


def test_nobody_is_signed_in(server: ApiServer) -> None:
    with pytest.raises(CliError, match="You are not signed in: run `nlp login`"):
        Identity(deployment(server)).token()


def test_the_local_user_is_signed_in_by_itself(server: ApiServer) -> None:
    server.on("POST", "/", signed_in("access-1", RefreshToken="refresh-1"), refused("NotAuthorizedException"))
    assert Identity(deployment(server, user=USER)).token() == "access-1"
    assert Identity(deployment(server, user=USER)).token() == "access-1"
    sent = server.requests[0].json
    assert (sent["AuthFlow"], sent["AuthParameters"]["USERNAME"]) == ("USER_SRP_AUTH", "you@example.com")
    assert "local" not in sent["AuthParameters"].values()


def test_the_local_user_is_signed_in_again(server: ApiServer) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url, expires_at=0))
    server.on("POST", "/", refused("NotAuthorizedException"), signed_in("access-2", RefreshToken="refresh-2"))
    assert Identity(deployment(server, user=USER)).token() == "access-2"


def test_another_user_does_not_become_the_local_one(server: ApiServer) -> None:
    TokenStore(server.url).save(tokens(api_url=server.url, expires_at=0, email="ann@example.com"))
    server.on("POST", "/", refused("NotAuthorizedException"))
    with pytest.raises(CliError, match="nlp login"):
        Identity(deployment(server, user=USER)).token()


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
    server.on("POST", "/", signed_in("access-1", RefreshToken="refresh-1"))
    with pytest.raises(CliError, match="Cannot read"):
        TokenStore(server.url).load()
    monkeypatch.setattr(TokenStore, "load", lambda _: None)
    assert Identity(deployment(server, user=USER)).token() == "access-1"


def test_a_refused_token_is_replaced_once(server: ApiServer) -> None:
    server.on("POST", "/", signed_in("access-2"))
    server.on("GET", "/projects", answer({"message": "Unauthorized"}, 401), answer({"projects": [], "next": None}))
    TokenStore(server.url).save(tokens(api_url=server.url))
    server.invoke("projects", "list", env={"NLP_TOKEN": None})
    sent = [request.headers["authorization"] for request in server.received("GET", "/projects")]
    assert sent == ["Bearer access-1", "Bearer access-2"]

    server.on("GET", "/projects", answer({"message": "Unauthorized"}, 401))
    error = server.invoke("projects", "list", code=1, env={"NLP_TOKEN": None}).stderr
    assert "sign in again, nlp login" in error
    assert len(server.received("GET", "/projects")) == 4


@pytest.mark.parametrize("text", ["", "  \n", "Bearer ", "two words", "a\nb", "ü"])
def test_what_cannot_be_a_token(text: str) -> None:
    with pytest.raises(CliError, match="There is no token in NLP_TOKEN"):
        checked_token(text, "NLP_TOKEN")


def test_claims() -> None:
    assert claims_of(jwt(exp=5)) == {"sub": YOU, "exp": 5}
    assert [claims_of(text) for text in ("", "a.b.c", "opaque", "a.!.c", "a.WzFd.c")] == [{}] * 5
