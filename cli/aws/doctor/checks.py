"""All checks before a deployment, run at the same time, since most wait for AWS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from cli.aws.doctor import account, deployer, machine, reach
from cli.aws.doctor.finding import Finding
from cli.aws.doctor.surroundings import Surroundings
from cli.ui.errors import explain

Check = Callable[[Surroundings], Finding | Sequence[Finding]]
WORKERS = 8

# By what they check, in the order in which they are shown.
ON_MACHINE: dict[str, Check] = {
    "Python": machine.python,
    "Pulumi": machine.pulumi_tool,
    "region": account.region,
    "contact": reach.contact,
    "alarms": reach.alarms,
}
ON_AWS: dict[str, Check] = {
    deployer.NAME: deployer.deployer_rights,
    "Lambda concurrency": account.lambda_concurrency,
    "SageMaker quota": account.processing_quota,
    "mail": reach.mail,
    "domain": reach.domain,
    "job logs": account.job_logs,
    "budget": account.budget,
}
TOTAL = len(ON_MACHINE) + len(ON_AWS) + 1


def run_checks(around: Surroundings, finished: Callable[[int], None] = lambda _count: None) -> list[Finding]:
    """Run all checks.

    Parameters
    ----------
    around : Surroundings
        What they look at.
    finished : callable
        Called with the number of checks that have just ended.

    Returns
    -------
    list of Finding
        One or more for each check, in their order. A check that AWS does not answer is a warning; without credentials,
        what needs AWS is not checked.
    """

    def perform(name: str, check: Check) -> list[Finding]:
        found = run_check(name, check, around)
        finished(1)
        return found

    with ThreadPoolExecutor(WORKERS) as threads:
        here = [threads.submit(perform, name, check) for name, check in ON_MACHINE.items()]
        caller = perform("credentials", account.credentials)
        there = []
        if around.account:
            there = [threads.submit(perform, name, check) for name, check in ON_AWS.items()]
        found = [one for future in here for one in future.result()]
        found += [*caller, *(one for future in there for one in future.result())]
    if not around.account:
        finished(len(ON_AWS))
        found.append(Finding("account", "warning", f"not checked without credentials: {', '.join(ON_AWS)}"))
    return found


def run_check(name: str, check: Check, around: Surroundings) -> list[Finding]:
    """Run one check; an error of AWS becomes a finding."""
    try:
        found = check(around)
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        status = "failed" if name == "credentials" else "warning"
        return [Finding(name, status, f"could not be checked: {explained.message}")]
    return [found] if isinstance(found, Finding) else list(found)
