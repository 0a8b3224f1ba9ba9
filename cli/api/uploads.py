"""Upload documents: announce each to the API, then send it to S3 with the form that the API answers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, Any
from uuid import uuid4

import httpx

from cli.api import backoff
from cli.api.client import Api, is_passing
from cli.api.transfers import Stop
from cli.ui.document_files import DocumentFile
from cli.ui.errors import CliError
from schema.aws_errors import THROTTLED, TRANSIENT
from schema.retry import attempts

# Between two parts of a file, and until S3 has stored all of it.
TIMEOUT = httpx.Timeout(60, connect=5, read=120)
# S3 answers with status 400 and `RequestTimeout` when nothing arrives over a connection.
PASSING_CODES = THROTTLED | TRANSIENT
ERROR = re.compile(r"<Code>(?P<code>[^<]*)</Code>(?:\s*<Message>(?P<message>[^<]*)</Message>)?")


class Uploader:
    """Uploads documents into a project. Threads may share it.

    Parameters
    ----------
    api : Api
    project : str
        The project's id.
    stop : Stop
        Tells when to end.
    sent : callable
        Called with the number of bytes just sent; below zero when they have to be sent again.
    """

    def __init__(self, api: Api, project: str, stop: Stop, sent: Callable[[int], None]):
        self._api = api
        self._project = project
        self._stop = stop
        self._sent = sent

    def upload(self, file: DocumentFile) -> dict[str, Any]:
        """Upload a file.

        Returns
        -------
        dict
            The document, as the API describes it.

        Raises
        ------
        CliError
            When the API or S3 refuses it, or neither is reachable. The document is not left behind without its content.
        """
        self._stop.check()
        key = str(uuid4())
        announced = self._announce(file, key)
        try:
            _require_room(file, announced["form"])
            with file.path.open("rb") as content:
                self._send(file, _Counted(content, self._stop, self._sent), announced["form"], key)
        except OSError as error:
            self._withdraw(announced)
            raise CliError(f"it cannot be read: {error.strerror}") from None
        except BaseException:
            self._withdraw(announced)
            raise
        return announced["document"]

    def _announce(self, file: DocumentFile, key: str) -> dict[str, Any]:
        """Get a form; with the same key, it is one for the same document."""
        return self._api.post("projects", self._project, "documents", body={"name": file.path.name}, key=key)

    def _withdraw(self, announced: dict[str, Any]) -> None:
        with suppress(Exception):
            document = announced["document"]["document"]
            self._api.delete("projects", self._project, "documents", document, most_attempts=1)

    def _send(self, file: DocumentFile, content: _Counted, form: dict[str, Any], key: str) -> None:
        for attempt in attempts(backoff.BACKOFF, self._stop.sleep):
            if _has_expired(form):
                form = self._announce(file, key)["form"]
            try:
                response = self._post(form, content)
            except httpx.TransportError as error:
                if attempt.is_last:
                    raise CliError(f"it could not be sent: {error or type(error).__name__}") from None
                continue
            if response.is_success:
                return
            code, message = _reason(response)
            asked_for = backoff.retry_after(response.headers.get("retry-after"))
            passing = code in PASSING_CODES or is_passing(response.status_code, True, asked_for)
            if attempt.is_last or not (passing or _has_expired(form)):
                raise CliError(f"S3 refuses it: {message or code}")
            attempt.pause_at_least = asked_for or 0

    def _post(self, form: dict[str, Any], content: _Counted) -> httpx.Response:
        fields: dict[str, str] = form["fields"]
        # The object's name is in the form; that of the file is of no use to S3.
        file: Any = ("document", content, fields.get("Content-Type", "application/octet-stream"))
        return self._api.http.post(form["url"], data=fields, files={"file": file}, timeout=TIMEOUT)


class _Counted:
    """A file that is read part by part and counts what was read; httpx rewinds it first, and never asks for all."""

    def __init__(self, file: IO[bytes], stop: Stop, sent: Callable[[int], None]):
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._stop = stop
        self._sent = sent

    def read(self, size: int = -1) -> bytes:
        self._stop.check()
        content = self._file.read(size)
        # The size was told before the content.
        if self._file.tell() > self._size or (not content and self._file.tell() < self._size):
            raise CliError("it changed while it was being sent: upload it again")
        self._sent(len(content))
        return content

    def seek(self, offset: int) -> int:
        self._sent(offset - self._file.tell())
        return self._file.seek(offset)

    def fileno(self) -> int:
        return self._file.fileno()


def _require_room(file: DocumentFile, form: dict[str, Any]) -> None:
    if file.size > form.get("max_bytes", file.size):
        raise CliError(f"it has {file.size:,} bytes, and {form['max_bytes']:,} are left of your quotas: see nlp quotas")


def _has_expired(form: dict[str, Any]) -> bool:
    return datetime.fromisoformat(form["expires_at"]) <= datetime.now(UTC)


def _reason(response: httpx.Response) -> tuple[str, str]:
    """Read code and message of S3's XML."""
    found = ERROR.search(response.text)
    if found is None:
        return "", f"{response.status_code} {response.reason_phrase}"
    return found["code"], found["message"] or found["code"]
