"""An HTTP API for the tests of the command line: a real server on the loopback that answers as a test says."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cli.environment import PROJECT_ROOT
from tests.support.cli_aws import CREDENTIALS, REGION, Product

YOU = "5d2f8c1e-7b64-4f0a-9c3d-1e2f3a4b5c6d"
ANOTHER = "6d2f8c1e-7b64-4f0a-9c3d-1e2f3a4b5c6e"
PROJECT = "01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20"
TIME = "2026-11-21T06:52:00Z"
KEPT_BYTES = 1_000_000
DOCUMENTS = f"/projects/{PROJECT}/documents"
IDS = [f"01939d4a-6c1b-7a4e-8f2d-{number:012x}" for number in range(100)]


def jwt(**claims: Any) -> str:
    """A token that nobody has signed."""
    parts = ({"alg": "none"}, {"sub": YOU, **claims})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"


@dataclass
class Request:
    """What was received; of a large body, the beginning."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    size: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What is sent; without a status, the connection is closed instead."""

    status: int | None = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(body).encode(), {name.replace("_", "-"): text for name, text in headers.items()})


def problem(kind: str, status: int, detail: str = "The detail.", errors: Any = (), **headers: str) -> Answer:
    """A refusal, as the API words it."""
    title = kind.replace("-", " ").capitalize()
    body = {"type": f"urn:cloud-nlp:problem:{kind}", "title": title, "status": status, "detail": detail}
    return answer({**body, "errors": list(errors)} if errors else body, status, **headers)


DROPPED = Answer(None)
Answering = Answer | Callable[[Request], Answer]


class ApiServer:
    """Answers by method and path, one answer after the other; the last one stays. Also stands for S3 and Cognito."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answering]] = {}
        self._lock = threading.Lock()

    def on(self, method: str, path: str, *answers: Answering) -> None:
        self._answers[f"{method} {path}"] = list(answers)

    def answering(self, method: str, path: str) -> Any:
        """What was last said to answer."""
        return self._answers[f"{method} {path}"][-1]

    def answer_to(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get(f"{request.method} {request.path}", [problem("not-found", 404, request.path)])
            chosen = answers.pop(0) if len(answers) > 1 else answers[0]
        return chosen(request) if callable(chosen) else chosen

    def received(self, method: str, path: str) -> list[Request]:
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def product(self, **more: Any) -> Product:
        """A local deployment with this API."""
        outputs = {"region": REGION, "api_url": self.url, "command_line_client": "client-1", "user_pool": "pool-1"}
        state = {"endpoint": self.url, "region": REGION, "pid": 1, "credentials": CREDENTIALS, "outputs": outputs}
        file = self.folder / "state.json"
        file.write_text(json.dumps({**state, **more}), encoding="utf-8")
        return Product(self.url, file, outputs)

    def invoke(self, *arguments: str, code: int = 0, **options: Any) -> Any:
        """Run the command line, signed in by a token in the environment unless the environment says otherwise."""
        environment = {"NLP_TOKEN": jwt(), **environment_of(self.folder), **options.pop("env", {})}
        return self.product().invoke(*arguments, code=code, env=environment, **options)

    def json(self, *arguments: str, **options: Any) -> Any:
        return json.loads(self.invoke(*arguments, "--json", **options).stdout)


def environment_of(folder: Path) -> dict[str, Any]:
    """That of a user who has not signed in yet."""
    return {"XDG_STATE_HOME": str(folder / "state"), "NLP_PROJECT": None}


@contextmanager
def running_api(folder: Path) -> Iterator[ApiServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    api = ApiServer(f"http://127.0.0.1:{server.server_address[1]}", folder)
    server.api = api  # pyright: ignore[reportAttributeAccessIssue]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and content leave together

    def _handle(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        body, size = b"", 0
        while size < length and (chunk := self.rfile.read(min(65536, length - size))):
            size += len(chunk)
            body += chunk[: KEPT_BYTES - len(body)]
        headers = {name.lower(): text for name, text in self.headers.items()}
        request = Request(self.command, unquote(address.path), dict(parse_qsl(address.query)), headers, body, size)
        given = self.server.api.answer_to(request)  # pyright: ignore[reportAttributeAccessIssue]
        if given.status is None or size < length:
            self.close_connection = True
            return
        self.send_response(given.status)
        for name, text in {"content-length": str(len(given.content)), **given.headers}.items():
            self.send_header(name, text)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(given.content)
            self.wfile.flush()

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def project(**more: Any) -> dict[str, Any]:
    """A project, as the API describes it."""
    return {
        "project": PROJECT,
        "name": "Contracts",
        "owner": YOU,
        "shared_with": [],
        "active": True,
        "created_at": TIME,
        "updated_at": TIME,
        "updated_by": YOU,
        "description": None,
        **more,
    }


def page(name: str, *entries: Any, following: str | None = None) -> Answer:
    return answer({name: list(entries), "next": following})


STORED = Answer(204)


def take_documents(server: ApiServer) -> None:
    """Announce all documents, and store their content."""
    server.on("GET", f"/projects/{PROJECT}", answer(project()))
    server.on("POST", DOCUMENTS, announcing(server))
    server.on("POST", "/bucket", STORED)


def announcing(server: ApiServer, ends_in: timedelta = timedelta(minutes=15)) -> Any:
    """Answers each announcement: the same key gets the same document."""
    known: dict[str, str] = {}

    def announce(request: Request) -> Answer:
        name, key = request.json["name"], request.headers["idempotency-key"]
        document = known.setdefault(key, IDS[len(known)])
        ends = (datetime.now(UTC) + ends_in).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields = {"key": f"documents/{document}/{name}", "Content-Type": "text/plain", "policy": "p"}
        form = {"url": f"{server.url}/bucket", "fields": fields, "expires_at": ends}
        return answer({"document": described(document, name), "form": form}, 201)

    return announce


def described(document: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "document": document,
        "name": name,
        "content_type": "text/plain",
        "created_by": YOU,
        "created_at": TIME,
        "uploaded": False,
        "size": None,
        **more,
    }


def environment_of_a_process(api: ApiServer) -> dict[str, str]:
    """That of a user who is signed in, whose command runs as a process of its own."""
    given = {"NLP_TOKEN": jwt(), "PYTHONPATH": str(PROJECT_ROOT), "NLP_STATE": str(api.product().state_file)}
    return {**os.environ, **given, "XDG_STATE_HOME": str(api.folder)}
