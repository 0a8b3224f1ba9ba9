"""Differences between ministack's Cognito and Amazon's.

- In some user pools only administrators create users.
- Refresh tokens are rotated where a client says so: each can be used once, and for a moment longer.
- The trigger before tokens are made is told the state of the user's profile, and can change the tokens' groups.

Ministack signs tokens with RS256, and the authorizers of its HTTP APIs verify them; it needs the library `cryptography`
for both. It accepts token lifetimes below Amazon's minimum of five minutes, which tests use.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from local.aws.emulator import replace, require

Act = Callable[[dict[str, Any]], Any]
_ROTATION = "RefreshTokenRotation"


def install() -> None:
    """Change ministack's Cognito."""
    from ministack.services import cognito

    require(cognito, "_pool_for_client(cid)", "_user_pools", "_revoked_tokens", "_token_claims(token)")
    require(cognito, "_resolve_user(pool, username)", "_refresh_auth_result(pool, pid, cid, refresh_token)")
    replace(cognito, "_sign_up(data)", _signing_up_with)
    replace(cognito, "_create_user_pool_client(data)", _creating_client_with)
    replace(cognito, "_initiate_auth(data)", _initiating_with)
    replace(cognito, "_get_tokens_from_refresh_token(data)", lambda _: _Rotation().refresh)
    replace(
        cognito,
        "_build_pretoken_event(pool_id, client_id, username, user_attrs, groups, trigger_source, version, "
        "client_metadata, scope)",
        _telling_state_with,
    )
    replace(cognito, "_extract_trigger_response(payload)", _extracting_with)


def _signing_up_with(sign_up: Act) -> Act:
    def refuse_or_sign_up(request: dict[str, Any]) -> Any:
        from ministack.services import cognito

        pool, _ = cognito._pool_for_client(request.get("ClientId"))
        if pool and (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            return _refused("NotAuthorizedException", "SignUp is not permitted for this user pool")
        return sign_up(request)

    return refuse_or_sign_up


def _creating_client_with(create: Act) -> Act:
    def create_with_rotation(request: dict[str, Any]) -> Any:
        from ministack.services import cognito

        if _rotates(request) and "ALLOW_REFRESH_TOKEN_AUTH" in request.get("ExplicitAuthFlows", []):
            return _refused("InvalidParameterException", "Refresh token rotation excludes ALLOW_REFRESH_TOKEN_AUTH")
        answer = create(request)
        if answer[0] == 200 and _ROTATION in request:
            made = json.loads(answer[2])["UserPoolClient"]["ClientId"]
            cognito._user_pools[request["UserPoolId"]]["_clients"][made][_ROTATION] = request[_ROTATION]
        return answer

    return create_with_rotation


def _initiating_with(initiate: Act) -> Act:
    def refuse_or_initiate(request: dict[str, Any]) -> Any:
        if request.get("AuthFlow") in ("REFRESH_TOKEN", "REFRESH_TOKEN_AUTH") and _rotates(_client(request)):
            return _refused("NotAuthorizedException", "Refresh token rotation is enabled for this client")
        return initiate(request)

    return refuse_or_initiate


class _Rotation:
    """Renews tokens, and with them the refresh token where the client rotates it."""

    def __init__(self) -> None:
        # When refresh tokens that were used end.
        self._used: dict[str, float] = {}

    def refresh(self, request: dict[str, Any]) -> Any:
        """Answer `GetTokensFromRefreshToken`."""
        from ministack.core.responses import json_response
        from ministack.services import cognito

        identifier, token = request.get("ClientId"), request.get("RefreshToken", "")
        pool, pool_id = cognito._pool_for_client(identifier)
        if pool is None or pool_id is None:
            return _refused("ResourceNotFoundException", f"Client {identifier} not found.")
        if time.time() > self._used.get(token, time.time()):
            return _refused("RefreshTokenReuseException", "Refresh Token has been used")
        result, refusal = cognito._refresh_auth_result(pool, pool_id, identifier, token)
        if refusal:
            return refusal
        rotation = _client(request).get(_ROTATION) or {}
        if result is not None and _rotates(_client(request)):
            self._used.setdefault(token, time.time() + rotation.get("RetryGracePeriodSeconds", 0))
            result = {**result, "RefreshToken": self._following(token, pool_id, str(identifier))}
        return json_response({"AuthenticationResult": result})

    def _following(self, token: str, pool_id: str, client: str) -> str:
        from ministack.services import cognito

        claims = cognito._token_claims(token)
        origin, scope = claims.get("origin_jti", ""), claims.get("scope")
        return cognito._fake_token(claims["sub"], pool_id, client, "refresh", origin_jti=origin, scope=scope)


def _client(request: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import cognito

    pool, _ = cognito._pool_for_client(request.get("ClientId"))
    return (pool or {}).get("_clients", {}).get(request.get("ClientId"), {})


def _rotates(client: dict[str, Any]) -> bool:
    return (client.get(_ROTATION) or {}).get("Feature") == "ENABLED"


def _telling_state_with(build: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def build_with_state(pool_id: str, client_id: str, username: str, **rest: Any) -> dict[str, Any]:
        from ministack.services import cognito

        event = build(pool_id=pool_id, client_id=client_id, username=username, **rest)
        user, _ = cognito._resolve_user(cognito._user_pools[pool_id], username)
        if user:
            event["request"]["userAttributes"]["cognito:user_status"] = user["UserStatus"]
        return event

    return build_with_state


def _extracting_with(extract: Callable[[Any], dict[str, Any] | None]) -> Callable[[Any], dict[str, Any] | None]:
    """Put the groups that a trigger answers for both tokens where ministack looks for them, for each token."""

    def extract_with_groups(payload: Any) -> dict[str, Any] | None:
        response = extract(payload)
        details = (response or {}).get("claimsAndScopeOverrideDetails")
        if response is None or not details or "groupOverrideDetails" not in details:
            return response
        groups = {"groupOverrideDetails": details["groupOverrideDetails"]}
        tokens = {name: {**details.get(name, {}), **groups} for name in ("accessTokenGeneration", "idTokenGeneration")}
        return {**response, "claimsAndScopeOverrideDetails": {**details, **tokens}}

    return extract_with_groups


def _refused(code: str, message: str) -> Any:
    from ministack.core.responses import error_response_json

    return error_response_json(code, message, 400)
