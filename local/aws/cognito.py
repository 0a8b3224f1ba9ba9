"""Differences between ministack's Cognito and Amazon's: user pools in which only administrators create users.

Ministack signs tokens with RS256, and the authorizers of its HTTP APIs verify them; it needs the library `cryptography`
for both. It accepts token lifetimes below Amazon's minimum of five minutes, which tests use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.aws.emulator import replace, require

Act = Callable[[dict[str, Any]], Any]


def install() -> None:
    """Change ministack's Cognito."""
    from ministack.services import cognito

    require(cognito, "_pool_for_client(cid)")
    replace(cognito, "_sign_up(data)", _signing_up_with)


def _signing_up_with(sign_up: Act) -> Act:
    def refuse_or_sign_up(request: dict[str, Any]) -> Any:
        from ministack.core.responses import error_response_json
        from ministack.services import cognito

        pool, _ = cognito._pool_for_client(request.get("ClientId"))
        if pool and (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            return error_response_json("NotAuthorizedException", "SignUp is not permitted for this user pool", 400)
        return sign_up(request)

    return refuse_or_sign_up
