"""Roles: each may do what those before it may, and every endpoint declares one."""

from __future__ import annotations

from typing import Any

import pytest

from schema.endpoint import Endpoint
from schema.endpoints import ENDPOINTS
from schema.roles import ROLES, highest, includes


def test_a_role_includes_those_before_it() -> None:
    may = {role: [needed for needed in ROLES if includes(role, needed)] for role in (*ROLES, "none", "", "Admin")}
    assert may == {
        "reader": ["reader"],
        "editor": ["reader", "editor"],
        "admin": ["reader", "editor", "admin"],
        "none": [],
        "": [],
        "Admin": [],
    }


def test_the_highest_of_several_roles_counts() -> None:
    assert highest({"reader", "admin", "editor"}) == "admin"
    assert highest(set()) is None


@pytest.mark.parametrize("arguments", [{}, {"public": True, "role": "reader"}])
def test_an_endpoint_is_public_or_has_a_role(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="GET /x: expected a role, or public"):
        Endpoint(method="GET", path="/x", script="x", group="X", summary="X", answers={}, **arguments)


def test_readers_change_nothing_but_what_is_shared_with_them_and_cause_no_costs() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.role == "reader":
            assert endpoint.method == "GET" or endpoint.script == "project_leave", endpoint.route
            assert (endpoint.costly, endpoint.services) == (False, ()), endpoint.route
