"""A text source of the tests' own: a real HTTP server on the loopback that answers as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

PATH = "/w/api.php"


@dataclass
class Answer:
    """What the server sends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # Seconds of silence before the answer.
    silence: float = 0
    # Seconds between single bytes of the body.
    drip: float = 0


def content(value: Any, **headers: str) -> Answer:
    """An answer in JSON."""
    return Answer(body=json.dumps(value).encode(), headers={"Content-Type": "application/json", **headers})


def pages(*entries: dict[str, Any], **fields: Any) -> Answer:
    """Pages as the Action API writes them; fields beside `query` are those that `continue` the answer."""
    return content({"batchcomplete": True, "query": {"pages": list(entries)}, **fields})


def page(title: str = "IBM", **fields: Any) -> dict[str, Any]:
    return {"pageid": 1, "ns": 0, "title": title, "lastrevid": 1234, **fields}


def error(code: str, **fields: Any) -> Answer:
    return content({"error": {"code": code, "info": "of the test", **fields}, "servedby": "mw1"})


class TextServer:
    """Answers one after the other; the last answer stays."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answers: list[Answer] = [pages(page())]
        self.requests: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bytes_sent = 0
        # Ends all silence.
        self.released = threading.Event()
        self._lock = threading.Lock()

    def next_answer(self, path: str, headers: dict[str, str], body: str) -> Answer:
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            self.requests.append(dict(parse_qsl(body, keep_blank_values=True)))
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def says(self, *answers: Answer) -> None:
        self.answers = list(answers)


@contextmanager
def running_text_server() -> Iterator[TextServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = server.next_answer(self.path, dict(self.headers), body)
            server.released.wait(answer.silence)
            with suppress(OSError):  # the client may have given up
                self.send_response(answer.status)
                for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                _send(self.wfile.write, answer, server)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as http:
        server = TextServer(http.server_port)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            http.shutdown()
            thread.join()


def _send(write: Callable[[bytes], object], answer: Answer, server: TextServer) -> None:
    size = 1 if answer.drip else 65_536
    for start in range(0, len(answer.body), size):
        if answer.drip and server.released.is_set():
            return
        time.sleep(answer.drip)
        write(answer.body[start : start + size])
        server.bytes_sent += size
