"""The emulator: which ministack this package changes, and how it replaces ministack's functions.

Ministack has no interface for the differences from AWS that `local.aws` corrects, so its private functions are
replaced. A later version may rename them or call them with other arguments, which would show late and far from the
cause. The version is therefore checked once, at the start, and each name before it is replaced or used.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

DISTRIBUTION = "ministack"
LOCK_FILE = Path(__file__).resolve().parents[2] / "requirements" / "local.txt"


class EmulatorError(RuntimeError):
    """The installed ministack is not the one that is changed here; the message says what to do."""


def check_version(lock_file: Path = LOCK_FILE) -> None:
    """Check that the installed ministack is the one in the lock file.

    Parameters
    ----------
    lock_file
        Requirements with exact versions.

    Raises
    ------
    EmulatorError
        Another version is installed.
    """
    locked = re.search(rf"^{DISTRIBUTION}==(\S+)", lock_file.read_text(), re.MULTILINE)
    if locked is None:
        raise EmulatorError(f"{lock_file} names no version of {DISTRIBUTION}. Restore it, or run `make lock`.")
    installed = metadata.version(DISTRIBUTION)
    if installed != locked[1]:
        raise EmulatorError(
            f"{DISTRIBUTION} {installed} is installed, but {locked[1]} is needed ({lock_file.name}). "
            f"Run: {sys.executable} -m pip install --no-deps {DISTRIBUTION}=={locked[1]}"
        )


def require(owner: Any, *expected: str) -> None:
    """Check that a module or class of ministack has names, and that its functions take certain parameters.

    Parameters
    ----------
    owner
        Module or class.
    *expected
        Names: of a value such as ``_stages``, or of a function with its parameters such as ``_sign_up(data)``.

    Raises
    ------
    EmulatorError
        A name is missing, or a function has other parameters.
    """
    for one in expected:
        _find(owner, one)


def replace(owner: Any, expected: str, make: Callable[[Any], Any]) -> None:
    """Replace a value or function of ministack.

    Parameters
    ----------
    owner
        Module or class.
    expected
        Its name, with parameters where it is a function; see `require`.
    make
        Makes the new one of the one that is there.

    Raises
    ------
    EmulatorError
        The name is missing, or the function has other parameters.
    """
    setattr(owner, expected.partition("(")[0], make(_find(owner, expected)))


def changed(what: str) -> EmulatorError:
    """Make the error that says what is different in the installed ministack, and what to do."""
    return EmulatorError(
        f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)} is not as local/aws expects it: {what}. "
        f"Adapt local/aws, or set an earlier version in requirements/local.in and run `make lock`."
    )


def _find(owner: Any, expected: str) -> Any:
    name, is_function, parameters = expected.partition("(")
    if not hasattr(owner, name):
        raise changed(f"{owner.__name__} has no {name}")
    found = getattr(owner, name)
    if is_function:
        actual = f"{name}({', '.join(inspect.signature(found).parameters)})" if callable(found) else name
        if actual != f"{name}({parameters}":
            raise changed(f"{owner.__name__} has {actual} instead of {expected}")
    return found
