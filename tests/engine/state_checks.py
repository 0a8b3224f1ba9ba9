"""Checks of a stack's state and of the requests that led to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.engine.provider.account import Request
from tests.engine.provider.inputs import SIGNATURE

# Value that marks a secret in a state, https://www.pulumi.com/docs/iac/concepts/secrets/.
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
# Names of values that nobody else may know; an ARN, a name or a number of something is none.
_SECRET_NAME = re.compile(r"secret|pass(word|phrase)|token$|credential|(private|access|api)_?key", re.IGNORECASE)
# Whatever is below them, it is about secrets and none itself.
_NO_SECRETS = {"generateSecret", "passwordPolicy", "tokenValidityUnits"}
# Access keys of AWS, JSON Web Tokens, private keys, addresses with a password.
_SECRET_VALUE = re.compile(
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{10,}\.[\w-]{10,}\.|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@{]+:[^/\s@{]+@"
)
# Arguments of the provider with which it signs in to AWS.
_SIGN_IN = {"accessKey", "secretKey", "token", "profile", "assumeRoles", "sharedCredentialsFiles"}


def secrets_in(deployment: dict[str, Any]) -> list[str]:
    """Paths of values in a state that are secret, or look like it."""
    return sorted(set(_secrets("", deployment.get("resources", []))))


def _secrets(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _secrets_in_object(path, value)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            name = inner["urn"].rpartition("::")[2] if isinstance(inner, dict) and "urn" in inner else index
            yield from _secrets(f"{path}[{name}]", inner)
    elif isinstance(value, str):
        if _SECRET_VALUE.search(value):
            yield path
        elif value.startswith(("{", "[")):
            yield from _secrets(path, _parsed(value))


def _secrets_in_object(path: str, values: dict[str, Any]) -> Iterator[str]:
    if values.get(SIGNATURE) == _SECRET:
        yield path
    for name in values.keys() - _NO_SECRETS:
        value, here = values[name], f"{path}.{name}"
        if _SECRET_NAME.search(name) and isinstance(value, str) and value not in ("", "true", "false"):
            yield here
        yield from _secrets(here, value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def questions(requests: Iterable[Request]) -> list[str]:
    """Requests for which a provider has to ask AWS, or has to sign in to it."""
    asked = []
    for request in requests:
        if request.method in ("Invoke", "Call", "Read") or request.changes_account:
            asked.append(f"{request.method} {request.urn or request.inputs.get('token')}")
        elif request.method == "Configure" and (sign_in := _SIGN_IN & request.inputs.keys()):
            asked.append(f"Configure with {', '.join(sorted(sign_in))}")
    return asked
