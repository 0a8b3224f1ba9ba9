"""Errors of the API and of the network, each as one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from cli.ui.errors import CliError
from cli.ui.json_input import decode_json
from schema.problems import TYPE_PREFIX

# What API Gateway answers by itself, without a problem's details.
GATEWAY = {
    403: "The API refuses the token: it was made for another purpose. Sign in again: nlp login",
    404: "The API has no such address: deploy again, so that it and this command are of the same version.",
    413: "The request is too large for the API.",
}


class ApiError(CliError):
    """A refusal of the API.

    Parameters
    ----------
    message : str
        What is wrong and what to do next.
    status : int
        The HTTP status.
    kind : str
        Last part of the problem's type, such as `job-running`.
    errors : dict of str
        What was expected of each field that is wrong.
    title : str
        The kind of problem in words.
    repeated : bool
        Whether the request was sent more than once: the first one may have done it.
    """

    def __init__(
        self,
        message: str,
        status: int,
        kind: str = "",
        errors: dict[str, str] | None = None,
        title: str = "",
        repeated: bool = False,
    ):
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.errors = errors or {}
        self.title = title
        self.repeated = repeated

    def with_option_names(self, options: Mapping[str, str], advice: str = "") -> ApiError:
        """Return the same error with the command's options in place of the request's fields.

        Parameters
        ----------
        options : mapping of str
            Option by field of the request, such as `--to` by `options.target`.
        advice : str
            What to do next.
        """
        errors = {options.get(field, field): expected for field, expected in self.errors.items()}
        message = _fields_message(self.title, errors) if errors else self.message
        return ApiError(f"{message} {advice}".rstrip(), self.status, self.kind, errors, self.title, self.repeated)


def refusal(response: httpx.Response, repeated: bool = False) -> ApiError:
    """Turn an answer that is no success into an error.

    Parameters
    ----------
    response : httpx.Response
        The answer: problem details (RFC 9457), or what API Gateway says by itself.
    repeated : bool
        Whether the request was sent more than once.
    """
    status = response.status_code
    problem = _content(response)
    kind = str(problem.get("type", "")).removeprefix(TYPE_PREFIX)
    title = str(problem.get("title", ""))
    errors = _errors(problem)
    if status == 401:
        message = "The API does not accept the sign-in: sign in again, nlp login"
    elif status == 429:
        message = "The API has too many requests even after retries: try again in a minute."
    elif status >= 500:
        detail = problem.get("detail") or problem.get("message") or response.reason_phrase
        message = f"The API failed even after retries ({status}): {detail}{_reference(response)}"
    elif kind == "role-needed":
        role = problem.get("required_role") or "another"
        message = (
            f"This needs the role {role}. Ask whoever runs this deployment for it (nlp users role EMAIL {role}), "
            "and then sign in again: nlp login"
        )
    elif errors:
        message = _fields_message(title, errors)
    elif title:
        message = f"{title}: {problem.get('detail') or 'no details'}"
    else:
        message = GATEWAY.get(status) or f"The API answers with {status} {response.reason_phrase}{_reference(response)}"
    return ApiError(message, status, kind, errors, title, repeated)


def unreachable(url: str, error: httpx.TransportError) -> CliError:
    """Explain that there was no answer."""
    host = urlsplit(url).netloc or url
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return CliError(f"{host} does not answer in time: check the network, and try again.")
    return CliError(f"{host} is not reachable ({reason}): check the network, and that the deployment is still there.")


def _content(response: httpx.Response) -> dict[str, Any]:
    try:
        return decode_json(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _errors(problem: dict[str, Any]) -> dict[str, str]:
    found = problem.get("errors")
    return {str(one.get("field", "?")): str(one.get("expected", "?")) for one in found} if found else {}


def _fields_message(title: str, errors: dict[str, str]) -> str:
    return f"{title}: " + "; ".join(f"{field}: {expected}" for field, expected in errors.items())


def _reference(response: httpx.Response) -> str:
    """Name the request as the API's access log does, for whoever looks there."""
    identifier = response.headers.get("apigw-requestid")
    return f" (request {identifier})" if identifier else ""
