"""Checks of this machine, which need no AWS."""

from __future__ import annotations

import platform
import sys

from cli.aws.doctor.finding import Finding
from cli.aws.doctor.surroundings import Surroundings
from cli.ui.errors import CliError

OLDEST_PYTHON = (3, 11)


def python(_around: Surroundings) -> Finding:
    """Check the version of Python."""
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("Python", "failed", f"{version} is too old", "Install Python 3.11 or newer.")
    return Finding("Python", "ok", version)


def pulumi_tool(around: Surroundings) -> Finding:
    """Check that Pulumi's command-line tool is there, and new enough for its library."""
    if around.settings.is_local:
        return Finding("Pulumi", "ok", "not needed: `make serve` deploys without it")
    from cli.aws.pulumi_stack import open_workspace, pulumi_errors

    try:
        with pulumi_errors(around.settings.stack):
            version = open_workspace().pulumi_version
    except CliError as error:
        return Finding("Pulumi", "failed", error.message, "Install or renew the tool: https://pulumi.com/docs/install")
    return Finding("Pulumi", "ok", f"{version}")
