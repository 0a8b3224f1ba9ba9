"""What tests of all endpoints derive from their declarations."""

from __future__ import annotations

from handlers.api.support.registry import OPERATIONS, Operation
from handlers.common.ids import new_id
from schema.templates import fields, fill

BY_SCRIPT = {operation.script: operation for operation in OPERATIONS}


def is_paged(operation: Operation) -> bool:
    """Whether it answers a list page by page."""
    return operation.query_type is not None and "cursor" in operation.query_type.__struct_fields__


def parameters(operation: Operation) -> list[str]:
    """Names of the parameters in its path."""
    return fields(operation.described_path)


def path_with(operation: Operation, **known: str) -> str:
    """Its path with known parameters; all others are ids that nothing has."""
    return fill(operation.described_path, **{name: known.get(name) or new_id() for name in parameters(operation)})


PAGED = [operation for operation in OPERATIONS if is_paged(operation)]
