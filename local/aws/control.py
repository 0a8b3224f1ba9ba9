"""The control interface of the embedded AWS: a small JSON server, and its client.

One loopback server answers Wikipedia's Action API (see `local.aws.text_source`) and, below ``/control/``, lets tests,
benchmarks and the demo steer faults, latencies and texts and read the request counts.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from local.aws.faults import FaultPlan
    from local.aws.text_source import TextSource

CONTROL_PATH = "/control/"

_CLIENT_TIMEOUT_S = 30
_IDLE_CONNECTION_S = 75

Command = Callable[[dict[str, Any]], Any]


class ControlError(RuntimeError):
    """The control interface refused a command."""


class Control:
    """Client of the control interface; safe to share between threads.

    Parameters
    ----------
    url
        Address of the interface, for example ``http://127.0.0.1:40001``.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def add_fault(self, service: str, **fault: Any) -> int:
        """Make requests to a service fail, wait or break, and return the fault's number.

        Parameters
        ----------
        service
            Service, for example ``dynamodb``; `requests` shows how services are called.
        **fault
            `operation`, `contains`, `times`, `status`, `code`, `message`, `delay`, `item_error`, `drop`; see
            `local.aws.faults.Fault`.
        """
        return self._command("add_fault", service=service, **fault)

    def clear_faults(self) -> None:
        """Remove all faults of services (not those of texts)."""
        self._command("clear_faults")

    def set_latency(self, service: str, seconds: float) -> None:
        """Make every answer of a service take this many seconds longer; 0 ends it."""
        self._command("set_latency", service=service, seconds=seconds)

    def requests(self) -> dict[str, dict[str, int]]:
        """Return the number of requests to AWS by service and operation."""
        return self._command("requests")

    def reset_requests(self) -> None:
        """Start counting requests from zero."""
        self._command("reset_requests")

    def set_text(self, title: str, text: str | None, revision: str | None = None, **details: Any) -> None:
        """Add or replace the text of a page, or with None remove the page.

        Parameters
        ----------
        title, text
            Title of the page and its text.
        revision
            Number of its revision; by default one that changes exactly when the text does.
        **details
            `description`, `type` (``standard`` or ``disambiguation``) and `links`, a list of titles.
        """
        if revision is not None:
            details["revision"] = revision
        self._command("set_text", title=title, text=text, **details)

    def set_text_redirect(self, title: str, target: str) -> None:
        """Let a title without a page lead to another one."""
        self._command("set_text_redirect", title=title, target=target)

    def set_text_fault(self, title: str, **fault: Any) -> None:
        """Make requests that name a title, or with ``*`` any title, fail.

        Parameters
        ----------
        title
            Title, or ``*``; a title's own fault goes first.
        **fault
            `status`, `code`, `retry_after`, `delay`, `times`, `body_bytes`, `body`; see
            `local.aws.text_source.TextFault`.
        """
        self._command("set_text_fault", title=title, **fault)

    def set_text_latency(self, seconds: float) -> None:
        """Make the text source wait this many seconds before each answer."""
        self._command("set_text_latency", seconds=seconds)

    def generate_texts(self, on: bool = True) -> None:
        """Serve a made-up page for every title like ``Company 00001``, or stop that."""
        self._command("generate_texts", on=on)

    def limit_texts(self, **limits: float) -> None:
        """Enforce Wikipedia's limits on requests to the text source, from now on.

        Parameters
        ----------
        **limits
            `per_minute`, `per_minute_with_contact`, `at_once`, `minute_seconds`; see `local.aws.request_limits.Limits`.
        """
        self._command("limit_texts", **limits)

    def continue_texts_after(self, pages: int | None) -> None:
        """Let the text source answer in parts of so many pages; None ends it."""
        self._command("continue_texts_after", pages=pages)

    def text_requests(self) -> int:
        """Return the number of requests to the text source, failures included, since its counts were reset."""
        return self.text_counts()["requests"]

    def text_counts(self) -> dict[str, int]:
        """Return counts of the text source; see `local.aws.text_source.TextSource.counts`."""
        return self._command("text_counts")

    def reset_text_counts(self) -> None:
        """Start counting requests to the text source from zero."""
        self._command("reset_text_counts")

    def clear(self) -> None:
        """Return to the state at the start: no faults, no latencies, counts at zero, the original texts."""
        self._command("clear")

    def _command(self, name: str, **arguments: Any) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=_CLIENT_TIMEOUT_S)
        try:
            connection.request("POST", CONTROL_PATH + name, json.dumps(arguments))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != HTTPStatus.OK:
            raise ControlError(answer["error"])
        return answer["result"]


class ControlServer(ThreadingHTTPServer):
    """Serves the control interface and the text source on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, plan: FaultPlan, texts: TextSource) -> None:
        super().__init__(listener.getsockname(), _RequestHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()
        self.texts = texts
        self.commands = _commands(plan, texts)

    def start(self) -> None:
        """Serve in a background thread until the process ends."""
        threading.Thread(target=self.serve_forever, daemon=True, name="control").start()


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_CONNECTION_S
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True
    server: ControlServer  # pyright: ignore[reportIncompatibleVariableOverride] - typeshed says BaseServer

    def do_GET(self) -> None:
        self._serve_text("")

    def _serve_text(self, form: str) -> None:
        address = urlsplit(self.path)
        parameters = dict(parse_qsl(address.query, keep_blank_values=True) + parse_qsl(form, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.texts.serve(address.path, parameters, headers)
        self._send(answer.status, answer.body, answer.headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith(CONTROL_PATH):
            self._serve_text(body.decode())
            return
        status, answer = _run_command(self.server.commands, self.path, body)
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: 10,000 texts would be 10,000 lines."""


def _run_command(commands: dict[str, Command], path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    command = commands.get(path.removeprefix(CONTROL_PATH))
    if command is None:
        return HTTPStatus.NOT_FOUND, {"error": f"There is no command {path}."}
    try:
        return HTTPStatus.OK, {"result": command(json.loads(body or b"{}"))}
    except (KeyError, TypeError, ValueError) as error:
        return HTTPStatus.BAD_REQUEST, {"error": f"{type(error).__name__}: {error}"}


def _commands(plan: FaultPlan, texts: TextSource) -> dict[str, Command]:
    from local.aws.faults import Fault
    from local.aws.request_limits import Limits
    from local.aws.text_source import TextFault

    def clear(_: dict[str, Any]) -> None:
        plan.clear()
        texts.clear()

    return {
        "add_fault": lambda values: plan.add(Fault.from_json(values)),
        "clear_faults": lambda _: plan.clear_faults(),
        "set_latency": lambda values: plan.set_latency(**values),
        "requests": lambda _: plan.counts(),
        "reset_requests": lambda _: plan.reset_counts(),
        "set_text": lambda values: texts.set_text(**values),
        "set_text_fault": lambda values: texts.set_fault(values.pop("title"), TextFault(**values)),
        "set_text_latency": lambda values: texts.set_latency(**values),
        "generate_texts": lambda values: texts.generate_texts(**values),
        "set_text_redirect": lambda values: texts.set_redirect(**values),
        "limit_texts": lambda values: texts.set_limits(Limits(**values)),
        "continue_texts_after": lambda values: texts.continue_after(**values),
        "text_counts": lambda _: texts.counts,
        "reset_text_counts": lambda _: texts.reset_counts(),
        "clear": clear,
    }
