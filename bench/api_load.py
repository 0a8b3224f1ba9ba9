"""Clients of the HTTP API: each sends one request after another and notes how long the answer takes."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from bench.runs import BenchmarkError

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes
    ----------
    method, path
        Where to.
    body
        What to send, where there is something.
    """

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True)
class Latency:
    """How long answers took, in seconds.

    Attributes
    ----------
    p50, p95, p99
        So many percent of them took at most this long.
    """

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, turns: Sequence[Sequence[float]]) -> Self:
        """Take the percentiles of the times measured in each turn, and of these the medians.

        What disturbs one turn, as other programs do, is not taken for what the slowest requests of all turns take.
        """
        percentiles = [statistics.quantiles(seconds, n=100, method="inclusive") for seconds in turns]
        return cls(*(statistics.median(each[percent - 1] for each in percentiles) for percent in (50, 95, 99)))


class Clients:
    """Some clients, each with a connection of its own that it keeps.

    `http.client`, as it takes the least processor time: that time is the same for all that is compared, and would bring
    their ratios nearer to 1.

    Parameters
    ----------
    url
        Base address of the API.
    token
        Sent with each request.
    count
        How many clients.
    """

    def __init__(self, url: str, token: str, count: int) -> None:
        self._url = urlsplit(url)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="client")
        self._own = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()

    def send(self, calls: Sequence[Call], may_fail: bool = False) -> list[float]:
        """Send requests, as many at once as there are clients.

        Parameters
        ----------
        calls
            The requests.
        may_fail
            Do not mind refusals: while processes start, services may be too slow for the product's patience.

        Returns
        -------
        Seconds until each was answered.

        Raises
        ------
        BenchmarkError
            One was refused.
        """
        return list(self._threads.map(lambda call: self._send(call, may_fail), calls))

    def _send(self, call: Call, may_fail: bool) -> float:
        connection = self._connection()
        body = json.dumps(call.body).encode() if call.body is not None else None
        started = time.perf_counter()
        connection.request(call.method, self._url.path + call.path, body, self._headers)
        response = connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        if not (200 <= response.status < 300 or may_fail):
            raise BenchmarkError(f"{call.method} {call.path} was answered with {response.status}: {content.decode()}")
        return seconds

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            assert self._url.hostname  # noqa: S101 - an address has one
            self._own.connection = http.client.HTTPConnection(
                self._url.hostname, self._url.port, timeout=_TIMEOUT_SECONDS
            )
            self._connections.append(self._own.connection)
        return self._own.connection
