"""Errors a user can meet, each one line long and saying what to do next."""

from __future__ import annotations

import sys

import click

from cli.ui.text import printable
from schema.aws_errors import THROTTLED

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
INVALID_CREDENTIALS = {
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
GONE = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}


class CliError(click.ClickException):
    """A failure that a user can act on; shown as one line, without a traceback.

    Parameters
    ----------
    message : str
        What is wrong and what to do next. Line breaks and control characters are shown escaped.
    exit_code : int
        The process's exit code.
    """

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code  # pyright: ignore[reportAttributeAccessIssue] - click reads the instance

    def show(self, file: object = None) -> None:  # noqa: ARG002 - click's signature
        """Print the error on stderr."""
        click.echo(f"nlp: {printable(self.message)}", err=True)


def explain(error: Exception) -> CliError | None:
    """Turn a failure of boto3 into an error with advice.

    Returns
    -------
    CliError or None
        None for an unexpected failure, which deserves its traceback.
    """
    # Importing botocore costs 0.1 s; when it was not imported, the failure is not its.
    if "botocore.exceptions" not in sys.modules:
        return None
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _explain_answer(error)
    if isinstance(error, (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return CliError(
            "No AWS credentials were found: sign in with `aws sso login`, or set AWS_PROFILE "
            "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if isinstance(error, (exceptions.SSOError, exceptions.TokenRetrievalError)):
        return CliError("The AWS sign-in has expired: run `aws sso login` and try again.")
    if isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
        return CliError(f"AWS is not reachable: {error}. Check the network and the region, then try again.")
    if isinstance(error, exceptions.BotoCoreError):
        return CliError(f"{error} Check the AWS settings (AWS_PROFILE, AWS_REGION, ~/.aws/config).")
    return None


def _explain_answer(error: Exception) -> CliError:
    answer = getattr(error, "response", {}).get("Error", {})
    operation = getattr(error, "operation_name", "The request")
    code, message = answer.get("Code", "Unknown"), answer.get("Message", "") or "no details"
    if code in EXPIRED:
        return CliError("The AWS credentials have expired: sign in again (`aws sso login`) and retry.")
    if code in INVALID_CREDENTIALS:
        return CliError(f"AWS does not accept the credentials ({code}): check AWS_PROFILE.")
    if code in DENIED:
        return CliError(
            f"Access denied to {operation}: {message.rstrip('.')}. "
            "Use a role that may do this (AWS_PROFILE), or ask for it."
        )
    if code in THROTTLED:
        return CliError(f"{operation} is throttled even after retries ({code}): try again in a minute.")
    if code in GONE:
        return CliError(
            f"{operation} found nothing under the deployment's name ({message.rstrip('.')}): "
            "the deployment has changed or is gone; deploy it again."
        )
    return CliError(f"{operation} failed with {code}: {message}")
