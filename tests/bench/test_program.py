"""What benchmarks know of the program: they measure all of its functions, with the code that is deployed."""

from __future__ import annotations

from pathlib import Path

from bench.children import run_python
from tests.support.pulumi_mocks import ROOT_FOLDER

# Modules of a function: those with a handler of their own.
HANDLERS = {
    f"handlers.{path.parent.name}.{path.stem}.handler"
    for path in ROOT_FOLDER.glob("handlers/*/*.py")
    if "\nhandler = " in path.read_text() or "\ndef handler(" in path.read_text()
} - {"handlers.people.provider_roles.handler"}  # for stacks with identity providers, which the local one has not


def test_every_function_is_known_with_its_code() -> None:
    functions = run_python("-m", "bench.program").answer["functions"]
    assert len(functions) == len(HANDLERS) > 20
    assert {function["handler"] for function in functions} == HANDLERS
    for function in functions:
        script = function["handler"].removesuffix(".handler").replace(".", "/") + ".py"
        assert Path(function["code"][script]).read_bytes() == (ROOT_FOLDER / script).read_bytes()
