"""Look for known vulnerabilities in the locked packages; `make audit` runs it.

The database is PyPI's. Where it cannot be reached within a few seconds, nothing is checked, and the reason is printed.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

# It has the packages of all other lock files, in their versions.
LOCK_FILE = Path(__file__).resolve().parents[1] / "requirements" / "development.txt"
# A small package, whose entry has all that pip-audit reads of others.
PROBE = "https://pypi.org/pypi/six/json"
PROBE_SECONDS = 4
AUDIT_SECONDS = 300


def unreachable(url: str = PROBE) -> str | None:
    """Say why the database does not answer; None where it does."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as answer:  # noqa: S310 - a constant
            return None if b'"vulnerabilities"' in answer.read() else "it answers without vulnerabilities"
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def main() -> int:
    """Check the packages, installing none.

    Returns
    -------
    The exit code: 1 when a package has a known vulnerability, or when the check ended otherwise than it should.
    """
    reason = unreachable()
    if reason:
        print(f"Skipped the search for known vulnerabilities: the database at {PROBE} cannot be used ({reason}).")
        return 0
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(LOCK_FILE)),
        *("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--timeout", "10"),
    ]
    return int(subprocess.run(command, timeout=AUDIT_SECONDS, check=False).returncode != 0)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
