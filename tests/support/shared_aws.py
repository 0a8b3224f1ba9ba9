"""An emulator without the product: one for all processes of a test run, because a start takes seconds."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REGION = "eu-central-1"
START_LIMIT_S = 30
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# Kept until this process ends: the emulator may outlive its first user, and Python warns of processes left running.
_started: list[subprocess.Popen[bytes]] = []


@contextmanager
def shared_aws(folder: Path) -> Iterator[str]:
    """Yield the endpoint of the emulator that all processes with this folder share.

    The first user starts it, and the last one ends it.
    """
    with _shared_state(folder) as state:
        if not state.get("users"):
            state |= {"users": 0, **_start(folder)}
        state["users"] += 1
        endpoint = state["endpoint"]
    try:
        yield endpoint
    finally:
        with _shared_state(folder) as state:
            state["users"] -= 1
            if not state["users"]:
                os.kill(state["pid"], signal.SIGTERM)


@contextmanager
def _shared_state(folder: Path) -> Iterator[dict[str, Any]]:
    """Read what all processes know of the emulator, and write it at the end; other processes wait meanwhile."""
    with (folder / "emulator.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        state = json.loads(file.read() or "{}")
        yield state
        file.truncate(0)
        json.dump(state, file)


def _start(folder: Path) -> dict[str, Any]:
    """Start the emulator in a child process: its endpoint and the number of its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | CREDENTIALS
    environment |= {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "AUTH": "false", "LOG_LEVEL": "ERROR"}
    environment |= {"MINISTACK_REGION": REGION, "TMPDIR": str(folder)}
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log)
    _started.append(process)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(endpoint, process)
    except BaseException:
        process.kill()
        raise
    return {"endpoint": endpoint, "pid": process.pid}


def _wait_until_healthy(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the emulator ended at once"
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError("the emulator did not become healthy")
