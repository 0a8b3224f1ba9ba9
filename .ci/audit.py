"""Look for known vulnerabilities in the locked packages; `make audit` runs it.

The database is PyPI's. Where it cannot be reached within a few seconds, nothing is checked, and the reason is printed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

# It has the packages of all other lock files, in their versions.
LOCK_FILE = Path(__file__).resolve().parents[1] / "requirements" / "development.txt"
# A version of a small package, whose entry has what pip-audit reads of others. Mirrors of PyPI often lack such entries,
# and pip-audit then finds nothing wrong.
PROBE = "https://pypi.org/pypi/six/1.17.0/json"
PROBE_SECONDS = 4
AUDIT_SECONDS = 300


def unreachable(url: str = PROBE) -> str | None:
    """Say why the database does not answer; None where it does."""
    reasons: list[str | None] = [f"no answer within {PROBE_SECONDS} seconds"]
    # A thread, because the time limit of a request does not hold for the look-up of the name.
    asking = threading.Thread(target=lambda: reasons.append(_ask(url)), daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    return reasons[-1]


def _ask(url: str) -> str | None:
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
        *("--require-hashes", "--disable-pip", "--strict", "--progress-spinner", "off", "--timeout", "10"),
    ]
    return int(subprocess.run(command, timeout=AUDIT_SECONDS, check=False).returncode != 0)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
