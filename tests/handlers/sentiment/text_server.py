"""A text source of the tests' own: a real HTTP server on the loopback that answers as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/api/rest_v1/page/summary/"


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


def summary(extract: str = "IBM is good.", **more: object) -> Answer:
    """A page's summary as Wikipedia writes it."""
    content = {"type": "standard", "title": "IBM", "extract": extract, "revision": "1234", "tid": "t-1"} | more
    return Answer(body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})


class TextServer:
    """Answers by path, one after the other; the last answer of a path stays."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answers: dict[str, list[Answer]] = defaultdict(lambda: [summary()])
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bytes_sent = 0
        # Ends all silence.
        self.released = threading.Event()
        self._lock = threading.Lock()

    def next_answer(self, path: str, headers: dict[str, str]) -> Answer:
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            answers = self.answers[path]
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def page(self, *answers: Answer, title: str = "IBM") -> None:
        self.answers[PREFIX + title] = list(answers)


@contextmanager
def running_text_server() -> Iterator[TextServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = server.next_answer(self.path, dict(self.headers))
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
