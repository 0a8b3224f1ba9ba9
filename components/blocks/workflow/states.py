"""States of a state machine, in AWS's Amazon States Language with JSONata, as typed values.

Language: https://states-language.net and https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html.
A state that calls a service carries the permissions for the call. The machine's role is built from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from components.blocks.access.permissions import Permission
from components.blocks.workflow.expressions import Expression, jsonata

ANY_ERROR = "States.ALL"


@dataclass(frozen=True)
class Retry:
    """Retry after some errors, with full jitter.

    Attributes
    ----------
    errors
        Names of errors; the state's next rule applies to all others.
    attempts
        Most retries; 0 for errors that a retry cannot fix.
    first_seconds, longest_seconds
        Longest delay before the first retry, and before any retry.
    factor
        Growth of the delay with each retry.
    """

    errors: Sequence[str]
    _: KW_ONLY
    attempts: int
    first_seconds: int = 1
    longest_seconds: int = 60
    factor: float = 2.0

    def to_asl(self) -> dict[str, Any]:
        """Write the rule as Amazon States Language spells it."""
        if not self.attempts:
            return {"ErrorEquals": list(self.errors), "MaxAttempts": 0}
        return {
            "ErrorEquals": list(self.errors),
            "IntervalSeconds": self.first_seconds,
            "MaxDelaySeconds": self.longest_seconds,
            "MaxAttempts": self.attempts,
            "BackoffRate": self.factor,
            "JitterStrategy": "FULL",
        }


@dataclass(frozen=True)
class Catch:
    """Continue with another state after some errors.

    Attributes
    ----------
    errors
        Names of errors.
    next
        Name of the state.
    assign
        Variables that are set; `$states.errorOutput` has the error.
    """

    errors: Sequence[str]
    _: KW_ONLY
    next: str
    assign: Mapping[str, Any] = field(default_factory=dict)

    def to_asl(self) -> dict[str, Any]:
        """Write the rule as Amazon States Language spells it."""
        return {"ErrorEquals": list(self.errors), "Next": self.next, **_given(Assign=self.assign)}


@dataclass(frozen=True)
class Call:
    """Call a service.

    Attributes
    ----------
    reason
        Purpose of the state.
    resource
        ARN of the call, such as `arn:aws:states:::dynamodb:updateItem`.
    arguments
        Arguments of the call, as the service spells them.
    permissions
        Permissions of the machine's role that the call needs.
    next
        Name of the next state; the execution succeeds when absent.
    timeout_seconds
        Longest time the call may take.
    retry, catch
        Rules for errors; the first one with the error applies.
    """

    reason: str
    _: KW_ONLY
    resource: str
    arguments: Mapping[str, Any]
    permissions: Sequence[Permission]
    next: str | None = None
    timeout_seconds: int = 60
    retry: Sequence[Retry] = ()
    catch: Sequence[Catch] = ()

    def to_asl(self) -> dict[str, Any]:
        """Write the state as Amazon States Language spells it."""
        return {
            "Type": "Task",
            "Comment": self.reason,
            "Resource": self.resource,
            "Arguments": self.arguments,
            "TimeoutSeconds": self.timeout_seconds,
            **_given(Retry=[rule.to_asl() for rule in self.retry], Catch=[rule.to_asl() for rule in self.catch]),
            **({"Next": self.next} if self.next else {"End": True}),
        }

    def targets(self) -> Iterator[str]:
        """Names of the states that may follow."""
        yield from [self.next] if self.next else []
        yield from (rule.next for rule in self.catch)


@dataclass(frozen=True)
class Assign:
    """Set variables.

    Attributes
    ----------
    reason
        Purpose of the state.
    variables
        Their values by name.
    next
        Name of the next state.
    """

    reason: str
    _: KW_ONLY
    variables: Mapping[str, Any]
    next: str

    def to_asl(self) -> dict[str, Any]:
        """Write the state as Amazon States Language spells it."""
        return {"Type": "Pass", "Comment": self.reason, "Assign": self.variables, "Next": self.next}

    def targets(self) -> Iterator[str]:
        """Names of the states that may follow."""
        yield self.next


@dataclass(frozen=True)
class Choice:
    """Continue with one of two states.

    Attributes
    ----------
    reason
        Purpose of the state.
    condition
        Condition of the choice.
    then, otherwise
        Names of the next state if the condition holds, and if it does not.
    """

    reason: str
    _: KW_ONLY
    condition: Expression
    then: str
    otherwise: str

    def to_asl(self) -> dict[str, Any]:
        """Write the state as Amazon States Language spells it."""
        rule = {"Condition": jsonata(self.condition), "Next": self.then}
        return {"Type": "Choice", "Comment": self.reason, "Choices": [rule], "Default": self.otherwise}

    def targets(self) -> Iterator[str]:
        """Names of the states that may follow."""
        yield from (self.then, self.otherwise)


@dataclass(frozen=True)
class Wait:
    """Wait for some time.

    Attributes
    ----------
    reason
        Purpose of the state.
    seconds
        Length of the wait, in seconds.
    assign
        Variables that are set.
    next
        Name of the next state.
    """

    reason: str
    _: KW_ONLY
    seconds: Expression
    next: str
    assign: Mapping[str, Any] = field(default_factory=dict)

    def to_asl(self) -> dict[str, Any]:
        """Write the state as Amazon States Language spells it."""
        return {
            "Type": "Wait",
            "Comment": self.reason,
            "Seconds": jsonata(self.seconds),
            **_given(Assign=self.assign),
            "Next": self.next,
        }

    def targets(self) -> Iterator[str]:
        """Names of the states that may follow."""
        yield self.next


@dataclass(frozen=True)
class End:
    """End the execution.

    Attributes
    ----------
    reason
        Purpose of the state.
    error, cause
        Error and cause of an execution that fails; without an error it succeeds.
    """

    reason: str
    _: KW_ONLY
    error: str = ""
    cause: str = ""

    def to_asl(self) -> dict[str, Any]:
        """Write the state as Amazon States Language spells it."""
        if not self.error:
            return {"Type": "Succeed", "Comment": self.reason}
        return {"Type": "Fail", "Comment": self.reason, "Error": self.error, "Cause": self.cause}

    def targets(self) -> Iterator[str]:
        """Names of the states that may follow: none."""
        yield from ()


State = Call | Assign | Choice | Wait | End


def definition(reason: str, start: str, states: Mapping[str, State], timeout_seconds: int) -> dict[str, Any]:
    """Make a machine's definition of its states.

    Parameters
    ----------
    reason
        Purpose of the machine.
    start
        Name of the first state.
    states
        By name.
    timeout_seconds
        Longest time an execution may take.

    Raises
    ------
    ValueError
        One message for all states that are missing, and all that nothing leads to.
    """
    named = {start} | {target for state in states.values() for target in state.targets()}
    mistakes = [f"state {name} is named and not there" for name in sorted(named - states.keys())]
    mistakes += [f"nothing leads to state {name}" for name in states if name not in named]
    if mistakes:
        raise ValueError(f"State machine: {'; '.join(mistakes)}")
    return {
        "Comment": reason,
        "QueryLanguage": "JSONata",
        "StartAt": start,
        "TimeoutSeconds": timeout_seconds,
        "States": {name: state.to_asl() for name, state in states.items()},
    }


def permissions_of(states: Mapping[str, State]) -> list[Permission]:
    """Collect the permissions of all calls, each one once."""
    needed: list[Permission] = []
    for state in states.values():
        if isinstance(state, Call):
            needed += [permission for permission in state.permissions if permission not in needed]
    return needed


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
