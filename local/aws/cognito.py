"""Where ministack's Cognito differs from Amazon's, made the same: pools in which only administrators create users.

Tokens are signed with RS256 and verified by `local.aws.api_gateway`'s authorizers, for which ministack needs the
library `cryptography`. Shorter token lifetimes than Amazon's five minutes are taken, which saves tests the waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Act = Callable[[dict[str, Any]], Any]


def install() -> None:
    """Change ministack's Cognito."""
    from ministack.services import cognito

    cognito._sign_up = _signing_up_with(cognito._sign_up)


def _signing_up_with(sign_up: Act) -> Act:
    def refuse_or_sign_up(request: dict[str, Any]) -> Any:
        from ministack.core.responses import error_response_json
        from ministack.services import cognito

        pool, _ = cognito._pool_for_client(request.get("ClientId"))
        if pool and (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            return error_response_json("NotAuthorizedException", "SignUp is not permitted for this user pool", 400)
        return sign_up(request)

    return refuse_or_sign_up
