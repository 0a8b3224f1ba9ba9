"""Requests that API Gateway's HTTP API sends to a function (payload format 2.0)."""

from __future__ import annotations

import base64
import math
from typing import Any, TypeVar

import msgspec

from handlers.api.support.fields import convert
from handlers.common.problems import Problem, not_found
from schema.ids import is_id

MAX_BODY_BYTES = 1_000_000
_JSON_TYPES = {"application/json", "application/merge-patch+json"}

# Up to here, a float represents every integer exactly.
_EXACT = 2**53

T = TypeVar("T")


def _number(text: str) -> int | float:
    """Read a number with a point or an exponent; JSON has one kind of numbers, in which 1.0 is 1."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


_DECODER = msgspec.json.Decoder(float_hook=_number)


class Request:
    """A request.

    Parameters
    ----------
    event
        The event of API Gateway.

    Attributes
    ----------
    notes
        Facts for the audit line.
    """

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event
        self._context = event.get("requestContext") or {}
        self.notes: dict[str, Any] = {}

    def note(self, **facts: Any) -> None:
        """Keep facts of a change for its audit line: ids, names of fields and counts, but no contents.

        Parameters
        ----------
        facts
            Such as `added=2`.
        """
        self.notes.update(facts)

    @property
    def claims(self) -> dict[str, Any]:
        """Claims of the token that API Gateway has checked, as it gives them; empty without a token."""
        return ((self._context.get("authorizer") or {}).get("jwt") or {}).get("claims") or {}

    @property
    def caller(self) -> str:
        """The caller: the claim `sub` of the token that API Gateway has checked.

        Raises
        ------
        Problem
            There is no token, because the route lacks its authorizer; or it is an ID token of Amazon Cognito, which
            API Gateway accepts like an access token, but which is meant for applications.
        """
        claims = self.claims
        if claims.get("token_use", "access") != "access":
            raise Problem("not-signed-in", "Send the access token; this is another kind of token.")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise Problem("not-signed-in", "Send a token in the header Authorization: Bearer <token>.")
        return subject

    def token_seconds(self, now: float) -> float:
        """Return the seconds for which the token is still valid; infinite where it does not say.

        Parameters
        ----------
        now
            The present time in seconds since 1970.
        """
        expires = self.claims.get("exp")
        try:
            return float(expires) - now if expires is not None else math.inf
        except (TypeError, ValueError):  # API Gateway has checked it; another form is unexpected
            return 0

    @property
    def gateway_id(self) -> str:
        """API Gateway's id of the request, which its access log has too."""
        return str(self._context.get("requestId", ""))

    @property
    def route(self) -> str:
        """Key of the route, such as `POST /projects`."""
        return str(self._event.get("routeKey", ""))

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.route.partition(" ")[0]

    @property
    def raw_path(self) -> str:
        """The path, decoded except for `%25`."""
        return str(self._event.get("rawPath", ""))

    @property
    def path_parameters(self) -> dict[str, str]:
        """Values of the parameters in the path, by name."""
        return self._event.get("pathParameters") or {}

    def identifier(self, name: str) -> str:
        """Read an id from the path.

        Raises
        ------
        Problem
            The text cannot be an id, so nothing has that id.
        """
        text = self.path_parameters.get(name, "")
        if not is_id(text):
            raise not_found(name)
        return text

    def header(self, name: str) -> str:
        """Read a header; empty where it is absent. API Gateway writes their names in lower case."""
        return str((self._event.get("headers") or {}).get(name, ""))

    def has_header(self, name: str) -> bool:
        """Tell whether there is a header, though it may be empty."""
        return name in (self._event.get("headers") or {})

    def query(self, kind: type[T]) -> T:
        """Read the query string.

        Raises
        ------
        Problem
            A parameter is unknown or wrong.
        """
        return convert(self._event.get("queryStringParameters") or {}, kind, strict=False)

    def body(self, kind: type[T]) -> T:
        """Read the JSON body.

        Raises
        ------
        Problem
            It is too large, of another content type, not JSON, or some fields are wrong.
        """
        content = self._content()
        if len(content) > MAX_BODY_BYTES:
            raise Problem("request-too-large", f"A request has at most {MAX_BODY_BYTES} bytes.")
        if not content:
            raise Problem("malformed-request", "A JSON body was expected.")
        self._require_json()
        try:
            value = _DECODER.decode(content)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Problem("malformed-request", f"The body is not valid JSON in UTF-8: {_reason(error)}.") from None
        return convert(value, kind)

    def _content(self) -> bytes:
        body = self._event.get("body") or ""
        try:
            return base64.b64decode(body, validate=True) if self._event.get("isBase64Encoded") else body.encode()
        except ValueError:
            raise Problem("malformed-request", "The body could not be decoded.") from None

    def _require_json(self) -> None:
        media_type, _, parameters = self.header("content-type").partition(";")
        charset = parameters.lower().partition("charset=")[2].strip('" ')
        if media_type.strip().lower() not in _JSON_TYPES or charset not in ("", "utf-8"):
            raise Problem("not-json", "Send JSON, with the header Content-Type: application/json.")


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
