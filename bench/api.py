"""Warm latency of every endpoint of the API, beside a one-line function and beside the bare AWS calls."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.api_baselines import BARE, ONE_LINE, ONE_LINE_CODE, ONE_LINE_PUBLIC, api_id, deploy_baselines
from bench.api_data import ApiData
from bench.api_endpoints import ENDPOINTS, NOT_MEASURED, Endpoint
from bench.api_load import Call, Clients, Latency
from bench.report import Row, Section, at_most, times
from bench.runs import SERVICES, BenchmarkError
from local.aws.embedded_aws import EmbeddedAws
from local.deploy.stack import LocalStack, deploy_to

MAX_RATIO = 1.5
ONE_LINE_BASELINE = (
    f"a Lambda function of one line, `{ONE_LINE_CODE}`, behind the same API and authorizer, without the latter for "
    "public endpoints, with the same runtime and memory."
)
BARE_BASELINE = (
    "a Lambda function behind the same API that makes the same AWS calls, one after another with boto3 as it comes, "
    "and nothing else: no check of the request, no answer, no log, no metric."
)
# The API's throttles protect an account; they are out of the way here.
_SETTINGS = {
    "api": {
        "requests_per_second": 10_000,
        "burst": 5000,
        "costly_requests_per_second": 10_000,
        "costly_burst": 5000,
    }
}
_COUNTED = (*SERVICES, "states")
_SLOWED = ("dynamodb", "s3", "states", "comprehend")
DISTANT_SECONDS = 0.02
_CHECKED_CALLS = 3
# More processes that start at once would keep those that run from answering.
_STARTED_AT_ONCE = 10
_HELD_SECONDS = 0.3
_MOST_WARM_UPS = 6
_FEWEST_WARM_UP_CALLS = 5
# The slowest request of some is not this much slower than most, unless a process was started for it.
_COLD_RATIO = 3
_FIGURES = "Figures are p50 / p95 / p99 until the whole answer was there."

Measured = Mapping[str, Latency]


@dataclass(frozen=True)
class ApiSizes:
    """How much is measured.

    Attributes
    ----------
    clients
        How many at once, each time.
    one_client_turns, turns
        How often it is an endpoint's turn, and each baseline's: with a single client, which sends one request in a
        turn, and with more.
    calls
        Requests of each client in a turn, where there are more.
    """

    clients: tuple[int, ...]
    one_client_turns: int
    turns: int
    calls: int

    def of(self, clients: int) -> tuple[int, int]:
        """Give the number of turns, and of all clients' requests in each."""
        return (self.one_client_turns, 1) if clients == 1 else (self.turns, clients * self.calls)


def measure_api(aws: EmbeddedAws, say: Callable[[str], None], sizes: ApiSizes) -> Iterator[Section]:
    """Measure every endpoint.

    Parameters
    ----------
    aws
        An embedded AWS that has just been started.
    say
        Called with a description of each step.
    sizes
        How much to measure.
    """
    say("deploying the product and the baselines of its API")
    contest = _Contest(deploy_to(aws, _SETTINGS))
    one_line = Section("Warm latency of the API, beside a function of one line", ONE_LINE_BASELINE)
    bare = Section("Warm latency of the API, beside the bare AWS calls", BARE_BASELINE)
    distant = Section(f"The same where every answer of AWS takes {DISTANT_SECONDS * 1000:g} ms longer", BARE_BASELINE)
    for endpoint in ENDPOINTS:
        contest.check_calls(endpoint)
        for clients in sizes.clients:
            say(f"{endpoint.route}, {_clients(clients)}")
            measured = contest.measure(endpoint, clients, sizes)
            title = f"{endpoint.route}{_calls(endpoint)}, {_clients(clients)}"
            one_line.rows.append(_row(title, measured, "one line", not endpoint.aws_calls))
            if endpoint.aws_calls:
                bare.rows.append(_row(title, measured, "bare", True))
        if endpoint.at_once:
            say(f"{endpoint.route}, slower AWS")
            measured = contest.measure_distant(endpoint, sizes)
            distant.rows.append(_row(f"{endpoint.route}{_calls(endpoint)}, 1 client", measured, "bare"))
        contest.remove(endpoint)
    one_line.notes += _notes(sizes)
    one_line.notes.append(
        f"An endpoint that calls AWS is not held to {MAX_RATIO:g} here but in the next table: on the embedded AWS, "
        "where no network is in between, a single call takes about as long as the whole function of one line."
    )
    if NOT_MEASURED:
        one_line.notes.append(f"Not measured: {', '.join(NOT_MEASURED)}.")
    bare.notes += _notes(sizes)
    distant.notes += [
        _FIGURES,
        "Those endpoints that make two of their calls at once. Gateway and functions take no longer than before.",
    ]
    yield from (one_line, bare, distant)


class _Contest:
    """The product's endpoints and their baselines behind one API."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._lambda, self._gateway = stack.aws.client("lambda"), stack.aws.client("apigatewayv2")
        routes = [endpoint.route for endpoint in ENDPOINTS if endpoint.aws_calls]
        function = self._lambda.get_function_configuration(FunctionName=self._function(ENDPOINTS[0].route))
        deploy_baselines(stack, function, routes)
        self._data = ApiData(stack)
        self._started: set[tuple[str, int]] = set()

    def check_calls(self, endpoint: Endpoint) -> None:
        """Make sure that endpoint and bare function call AWS equally."""
        if not endpoint.aws_calls:
            return
        names = ("product", "bare")
        product, bare = (self._count(endpoint, name) for name in names)
        expected = endpoint.aws_calls * _CHECKED_CALLS
        if product != bare or product.total() != expected:
            raise BenchmarkError(
                f"{endpoint.route}: in {_CHECKED_CALLS} requests, the product called {dict(product)} and the bare "
                f"function {dict(bare)}; the same {expected} calls were expected. Bring bench/bare/calls.py and "
                "bench/api_endpoints.py up to date."
            )

    def measure(self, endpoint: Endpoint, clients: int, sizes: ApiSizes) -> Measured:
        """Measure an endpoint and its baselines in turn, all of them warm."""
        turns, size = sizes.of(clients)
        variants = _variants(endpoint)
        found: dict[str, list[list[float]]] = {name: [] for name in variants}
        with Clients(self._stack.outputs["api_url"], self._data.user.sign_in(), clients) as sending:
            for name in variants:
                self._start(sending, endpoint, name, clients)
                self._warm_up(sending, endpoint, name, clients)
            for turn in range(turns):
                # Each goes first as often as the others.
                first = turn % len(variants)
                for name in variants[first:] + variants[:first]:
                    found[name].append(sending.send(self._calls(endpoint, name, size)))
        if clients == 1:  # whose turns are one request each
            found = {name: [list(itertools.chain.from_iterable(seconds))] for name, seconds in found.items()}
        return {name: Latency.of(seconds) for name, seconds in found.items()}

    def measure_distant(self, endpoint: Endpoint, sizes: ApiSizes) -> Measured:
        """Measure an endpoint where every call to AWS takes longer."""
        with self._slower(DISTANT_SECONDS):
            return self.measure(endpoint, 1, replace(sizes, one_client_turns=sizes.one_client_turns // 4))

    def remove(self, endpoint: Endpoint) -> None:
        """Delete an endpoint's function, whose processes take memory."""
        self._lambda.delete_function(FunctionName=self._function(endpoint.route))

    def _start(self, sending: Clients, endpoint: Endpoint, variant: str, clients: int) -> None:
        """Have the embedded AWS start a process for each client; some at a time, so that the others can answer."""
        if clients == 1 or (variant, clients) in self._started:
            return
        if variant != "product":
            self._started.add((variant, clients))
        for count in [*range(_STARTED_AT_ONCE, clients, _STARTED_AT_ONCE), clients]:
            calls = self._calls(endpoint, variant, count)
            # Requests that take long are answered at the same time, each by a process of its own.
            with self._slower(_HELD_SECONDS):
                sending.send(calls, may_fail=True)

    def _warm_up(self, sending: Clients, endpoint: Endpoint, variant: str, clients: int) -> None:
        """Send requests until none of them waits for a process that starts."""
        for _ in range(_MOST_WARM_UPS):
            calls = self._calls(endpoint, variant, max(clients, _FEWEST_WARM_UP_CALLS))
            seconds = sending.send(calls, may_fail=True)
            if max(seconds) < _COLD_RATIO * statistics.median(seconds):
                return

    @contextmanager
    def _slower(self, seconds: float) -> Iterator[None]:
        control = self._stack.aws.control
        for service in _SLOWED:
            control.set_latency(service, seconds)
        try:
            yield
        finally:
            for service in _SLOWED:
                control.set_latency(service, 0)

    def _calls(self, endpoint: Endpoint, variant: str, count: int) -> list[Call]:
        if variant == "one line":
            path = ONE_LINE_PUBLIC if endpoint.public else ONE_LINE
            return [replace(call, path=path) for call in endpoint.calls(self._data, 1)] * count
        calls = endpoint.calls(self._data, count)
        return [replace(call, path=BARE + call.path) for call in calls] if variant == "bare" else calls

    def _count(self, endpoint: Endpoint, variant: str) -> Counter[tuple[str, str]]:
        calls = self._calls(endpoint, variant, _CHECKED_CALLS)
        before = _requests(self._stack)
        with Clients(self._stack.outputs["api_url"], self._data.user.token, 1) as sending:
            sending.send(calls)
        return _requests(self._stack) - before

    def _function(self, route: str) -> str:
        """Find the function behind a route."""
        api = api_id(self._stack)
        pages = self._gateway.get_paginator("get_routes").paginate(ApiId=api)
        [target] = [found["Target"] for page in pages for found in page["Items"] if found["RouteKey"] == route]
        integration = self._gateway.get_integration(ApiId=api, IntegrationId=target.rpartition("/")[2])
        return integration["IntegrationUri"].partition(":function:")[2].partition("/")[0]


def _requests(stack: LocalStack) -> Counter[tuple[str, str]]:
    counts = stack.aws.control.requests()
    return Counter({(service, name): count for service in _COUNTED for name, count in counts.get(service, {}).items()})


def _variants(endpoint: Endpoint) -> list[str]:
    return ["product", "one line", "bare"] if endpoint.aws_calls else ["product", "one line"]


def _row(title: str, measured: Measured, baseline: str, limited: bool = False) -> Row:
    ours, theirs = measured["product"], measured[baseline]
    ratio = ours.p95 / theirs.p95
    ratios = [ours.p50 / theirs.p50, ratio, ours.p99 / theirs.p99]
    limit = at_most(ratio, MAX_RATIO, "p95 at most {}x") if limited else None
    return Row(title, _milliseconds(ours), _milliseconds(theirs), " / ".join(times(each) for each in ratios), limit)


def _milliseconds(latency: Latency) -> str:
    return " / ".join(f"{seconds * 1000:.1f}" for seconds in (latency.p50, latency.p95, latency.p99)) + " ms"


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"


def _calls(endpoint: Endpoint) -> str:
    calls = endpoint.aws_calls
    return f" ({calls} AWS call{'s' if calls > 1 else ''})" if calls else ""


def _notes(sizes: ApiSizes) -> list[str]:
    return [
        _FIGURES,
        (
            f"{sizes.one_client_turns} requests of a single client, {sizes.turns * sizes.calls} of each where there "
            "are more; endpoint and baselines in turn, so that other programs slow all of them. Where there are more, "
            f"figures are medians of those of {sizes.turns} turns."
        ),
        (
            "A client sends its next request when the last one was answered. More than a few keep the processors busy "
            "all the time: latency then is processor time, and waiting for it."
        ),
    ]
