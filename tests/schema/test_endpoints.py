"""Declarations of endpoints."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from schema.endpoint import Endpoint
from schema.endpoints import ENDPOINTS

SCRIPTS = Path(__file__).parents[2] / "handlers" / "api"
each = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.route)


def test_routes_and_scripts_are_unique() -> None:
    assert len({endpoint.route for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert len({endpoint.script for endpoint in ENDPOINTS}) == len(ENDPOINTS)


def test_every_script_is_declared() -> None:
    scripts = {path.stem for path in SCRIPTS.glob("*.py")} - {"__init__"}
    assert {endpoint.script for endpoint in ENDPOINTS} == scripts


@each
def test_types_are_there(endpoint: Endpoint) -> None:
    named = [endpoint.query, endpoint.request, *(kind for kind, _ in endpoint.answers.values())]
    for module, _, name in (one.partition(":") for one in named if one):
        assert hasattr(importlib.import_module(module), name), f"{module}:{name}"


@each
def test_bodies_have_an_example_and_only_they(endpoint: Endpoint) -> None:
    assert (endpoint.request is None) == (endpoint.example is None)


@each
def test_time_limits_are_below_the_gateways(endpoint: Endpoint) -> None:
    assert 1 <= endpoint.timeout_seconds <= 29


def test_only_the_api_about_itself_is_public() -> None:
    assert {endpoint.path for endpoint in ENDPOINTS if endpoint.public} == {"/health", "/openapi.json"}
