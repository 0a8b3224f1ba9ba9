"""The API's endpoints. Each is one declaration here, one script in `handlers/api/` and the types of its bodies.

The routes, functions and permissions of the stack and the OpenAPI document are derived from the declarations.
"""

from __future__ import annotations

from schema.endpoint import Endpoint
from schema.endpoints import companies, general, jobs, projects

ENDPOINTS: tuple[Endpoint, ...] = (
    *general.ENDPOINTS,
    *projects.ENDPOINTS,
    *jobs.ENDPOINTS,
    *companies.ENDPOINTS,
)
