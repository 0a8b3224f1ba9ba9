"""Parliament, an IAM linter, as a function: a policy's findings."""

from __future__ import annotations

import warnings
from collections.abc import Callable

Lint = Callable[[str], list[str]]
# AWS lists a second kind of resource for this action; the linter wants both of them in each statement.
_EXPRESS_EXECUTIONS = {"action": "states:DescribeExecution", "required_format": "arn:*:states:*:*:express:*:*:*"}


def load_linter() -> Lint:
    """Load the linter, which takes a second.

    Returns
    -------
    A function from a policy's JSON to the titles of its findings.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own: it reads its data through setuptools
        from parliament import analyze_policy_string, enhance_finding

    def lint(policy: str) -> list[str]:
        findings = analyze_policy_string(policy).findings
        return sorted(enhance_finding(one).title for one in findings if one.detail != [_EXPRESS_EXECUTIONS])

    return lint
