"""An interpreter of Amazon States Language with JSONata, as far as the product's state machines use it.

It stands in for Step Functions in unit tests: services are functions of the test, and no time passes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonata.jsonata import Jsonata

Service = Callable[[dict[str, Any]], dict[str, Any]]
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:translate:job"
_MAX_STEPS = 100


class ServiceError(Exception):
    """What a service answers when a call fails."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


@dataclass
class Execution:
    """An execution of a state machine, from its start to its end.

    Attributes
    ----------
    definition
        Of the machine.
    services
        What answers a call, by the call's resource.
    path
        Names of the states that were entered.
    calls
        Resource and arguments of all calls, repeated ones included.
    waited
        Seconds of each wait.
    now
        What `$now()` gives; the time itself when empty.
    status, error, cause
        How it ended.
    """

    definition: Mapping[str, Any]
    services: Mapping[str, Service]
    path: list[str] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    status: str = "RUNNING"
    error: str = ""
    cause: str = ""
    now: str = ""
    _variables: dict[str, Any] = field(default_factory=dict)

    def run(self, given: dict[str, Any], name: str = EXECUTION) -> Execution:
        """Run to the end with an input."""
        assert self.definition["QueryLanguage"] == "JSONata"
        states = self.definition["States"]
        current, value = self.definition["StartAt"], given
        while self.status == "RUNNING":
            assert len(self.path) < _MAX_STEPS, self.path
            self.path.append(current)
            self._context = {"Execution": {"Id": name}, "State": {"Name": current}}
            try:
                current, value = self._step(states[current], value)
            except ServiceError as error:
                self.status, self.error, self.cause = "FAILED", error.error, error.cause
        return self

    def perform(self, state: dict[str, Any], name: str = EXECUTION, variables: dict[str, Any] | None = None) -> None:
        """Perform one state, with the variables that earlier ones have set; errors of its service are raised."""
        self._context = {"Execution": {"Id": name}, "State": {"Name": ""}}
        self._variables |= variables or {}
        self.services[state["Resource"]](self._fill(state["Arguments"], {"input": {}, "context": self._context}))

    def _step(self, state: dict[str, Any], value: Any) -> tuple[str, Any]:
        states = {"input": value, "context": self._context}
        match state["Type"]:
            case "Succeed":
                self.status = "SUCCEEDED"
                return "", value
            case "Fail":
                raise ServiceError(state["Error"], self._fill(state["Cause"], states))
            case "Task":
                return self._call(state, value)
            case "Choice":
                for rule in state["Choices"]:
                    chosen = self._fill(rule["Condition"], states)
                    assert isinstance(chosen, bool), f"{rule['Condition']} is {chosen!r}"
                    if chosen:
                        return rule["Next"], value
                return state["Default"], value
            case "Wait":
                self.waited.append(self._fill(state["Seconds"], states))
            case "Pass":
                pass
            case other:
                raise AssertionError(f"no state of type {other}")
        self._assign(state, states)
        return state["Next"], value

    def _call(self, state: dict[str, Any], value: Any) -> tuple[str, Any]:
        assert state["TimeoutSeconds"] > 0
        states = {"input": value, "context": self._context}
        tried = [0] * len(state.get("Retry", []))
        while True:
            try:
                arguments = self._fill(state["Arguments"], states)
                self.calls.append((state["Resource"], arguments))
                result = self.services[state["Resource"]](arguments)
                break
            except ServiceError as error:
                rule = _matching(state.get("Retry", []), error)
                if rule is not None and tried[rule] < state["Retry"][rule]["MaxAttempts"]:
                    tried[rule] += 1
                    continue
                caught = _matching(state.get("Catch", []), error)
                if caught is None:
                    raise
                output = {"Error": error.error, "Cause": error.cause}
                self._assign(state["Catch"][caught], {**states, "errorOutput": output})
                return state["Catch"][caught]["Next"], output
        self._assign(state, {**states, "result": result})
        return state["Next"], result

    def _assign(self, state: dict[str, Any], states: dict[str, Any]) -> None:
        # All values are found before any is set, as in Step Functions.
        self._variables |= {name: self._fill(value, states) for name, value in state.get("Assign", {}).items()}

    def _fill(self, template: Any, states: dict[str, Any]) -> Any:
        if isinstance(template, dict):
            return {key: self._fill(value, states) for key, value in template.items()}
        if isinstance(template, list):
            return [self._fill(value, states) for value in template]
        if isinstance(template, str) and template.startswith("{%"):
            return self._evaluate(template.removeprefix("{%").removesuffix("%}").strip(), states)
        return template

    def _evaluate(self, code: str, states: dict[str, Any]) -> Any:
        expression = Jsonata.jsonata(code)
        expression.register_lambda("parse", json.loads)
        expression.register_lambda("uuid", lambda: str(uuid.uuid4()))
        if self.now:
            expression.register_lambda("now", lambda *_: self.now)
        frame = expression.create_frame()
        for name, value in {**self._variables, "states": states}.items():
            frame.bind(name, value)
        result = expression.evaluate(None, frame)
        if result is None:
            raise ServiceError("States.QueryEvaluationError", f"no result: {code}")
        return result


def _matching(rules: list[dict[str, Any]], error: ServiceError) -> int | None:
    for index, rule in enumerate(rules):
        names = rule["ErrorEquals"]
        assert "States.ALL" not in names or (names == ["States.ALL"] and rule is rules[-1]), (
            "States.ALL stands alone, last"
        )
        if error.error in names or "States.ALL" in names:
            return index
    return None
