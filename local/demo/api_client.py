"""A client of the deployed HTTP API: signs in, uploads documents, runs jobs, downloads results."""

from __future__ import annotations

import contextlib
import secrets
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from local.deploy.stack import LocalStack
from schema.jobs import RUNNING
from schema.roles import Role
from schema.srp import begin_sign_in

_RENEWED_BEFORE_SECONDS = 60
_TIMEOUT_SECONDS = 35  # API Gateway ends every request after 30
_POLL_SECONDS = 0.2


class ApiError(RuntimeError):
    """The API refused a request, or a job was not completed; the message says why."""


class ApiUser:
    """A user who is signed in.

    Parameters
    ----------
    stack
        The deployed product.
    email
        Address of the account, which is created if it does not exist.
    role
        Role that the account is given; none leaves it without a group.

    Attributes
    ----------
    email, password
        Credentials of the sign-in.
    """

    def __init__(self, stack: LocalStack, email: str = "you@example.com", role: Role | None = "editor") -> None:
        self.email = email
        # It has the four classes of characters that the pool's policy demands.
        self.password = f"{secrets.token_urlsafe(12)}-Aa1"
        self._stack = stack
        self._users = stack.aws.client("cognito-idp")
        self._make_account()
        if role:
            self.join(role)
        self._token, self._renew_at = "", 0.0
        self._client = httpx.Client(base_url=stack.outputs["api_url"], timeout=_TIMEOUT_SECONDS)
        weakref.finalize(self, self._client.close)

    @property
    def token(self) -> str:
        """An access token that lasts for a minute at least."""
        if time.monotonic() > self._renew_at:
            self._token = self.sign_in()
        return self._token

    def sign_in(self) -> str:
        """Sign in and return an access token, which has the roles that the account has now."""
        return self.tokens()["AccessToken"]

    def tokens(self) -> dict[str, Any]:
        """Sign in and return all tokens."""
        outputs = self._stack.outputs
        answer = begin_sign_in(
            self._users,
            client_id=outputs["command_line_client"],
            pool=outputs["user_pool"],
            email=self.email,
            password=self.password,
        )["AuthenticationResult"]
        self._renew_at = time.monotonic() + answer["ExpiresIn"] - _RENEWED_BEFORE_SECONDS
        return answer

    def join(self, role: Role) -> None:
        """Give the account a role, which its next token has."""
        self._users.admin_add_user_to_group(
            UserPoolId=self._stack.outputs["user_pool"], Username=self.email, GroupName=role
        )

    def leave(self, role: Role) -> None:
        """Take a role away, which tokens have that were made before."""
        self._users.admin_remove_user_from_group(
            UserPoolId=self._stack.outputs["user_pool"], Username=self.email, GroupName=role
        )

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request with the user's token, and return the response, errors included."""
        signed = {"authorization": f"Bearer {self.token}", **(headers or {})}
        return self._client.request(method, path, json=body, headers=signed)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return the JSON of the response, None if it is empty.

        Raises
        ------
        ApiError
            The API refused the request.
        """
        answer = self.request(method, path, body)
        if not answer.is_success:
            raise ApiError(f"{method} {path} was answered with {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None

    def create_project(self, name: str) -> str:
        """Create a project and return its id."""
        return self.call("POST", "/projects", {"name": name})["project"]

    def upload(self, project: str, name: str, content: bytes) -> str:
        """Upload a document and return its id.

        Raises
        ------
        ApiError
            The API or Amazon S3 refused it.
        """
        made = self.call("POST", f"/projects/{project}/documents", {"name": name})
        form = made["form"]
        answer = httpx.post(form["url"], data=form["fields"], files={"file": (name, content)}, timeout=_TIMEOUT_SECONDS)
        if not answer.is_success:
            raise ApiError(f"The upload of {name} was answered with {answer.status_code}: {answer.text}")
        return made["document"]["document"]

    def start_job(self, project: str, kind: str, options: Mapping[str, Any] | None = None) -> str:
        """Start a job and return its id."""
        return self.call("POST", f"/projects/{project}/jobs", {"kind": kind, "options": dict(options or {})})["job"]

    def follow_job(
        self,
        project: str,
        job: str,
        on_status: Callable[[dict[str, Any]], None] = lambda _: None,
        timeout_seconds: float = 120,
    ) -> dict[str, Any]:
        """Wait until a job has ended, and return it.

        Parameters
        ----------
        project, job
            Ids of the project and the job.
        on_status
            Called with the job each time it is read.
        timeout_seconds
            Longest wait.

        Raises
        ------
        ApiError
            The job did not end in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            found = self.call("GET", f"/projects/{project}/jobs/{job}")
            on_status(found)
            if found["status"] != RUNNING:
                return found
            if time.monotonic() > deadline:
                raise ApiError(f"Job {job} has not ended within {timeout_seconds:.0f} s")
            time.sleep(_POLL_SECONDS)

    def results(self, project: str, job: str) -> dict[str, bytes]:
        """Download all results of a completed job; return their contents by name."""
        found: dict[str, bytes] = {}
        cursor = ""
        while True:
            page = self.call("GET", f"/projects/{project}/jobs/{job}/results{cursor}")
            for result in page["results"]:
                answer = httpx.get(result["url"], timeout=_TIMEOUT_SECONDS)
                found[result["name"]] = answer.raise_for_status().content
            if page["next"] is None:
                return found
            cursor = f"?cursor={page['next']}"

    def _make_account(self) -> None:
        pool = self._stack.outputs["user_pool"]
        with contextlib.suppress(self._users.exceptions.UsernameExistsException):
            self._users.admin_create_user(
                UserPoolId=pool,
                Username=self.email,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": self.email}, {"Name": "email_verified", "Value": "true"}],
            )
        self._users.admin_set_user_password(
            UserPoolId=pool, Username=self.email, Password=self.password, Permanent=True
        )
