"""The child process of the embedded AWS: ministack with the services it lacks, faults and the text source.

Only `local.aws.embedded_aws` starts it, as ``python -m local.aws.server``. Ministack reads its settings from the
environment when it is imported, so the parent sets them and no module imports ministack at the top.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.aws import emulator, roles
from local.aws.control import ControlServer
from local.aws.faults import FaultPlan
from local.aws.text_source import TextSource

if TYPE_CHECKING:
    from types import FrameType

_WORKER_EXIT_GRACE_S = 0.1
_ORPHAN_GRACE_S = 3.0
_KEEP_ALIVE_S = 75


def main() -> None:
    """Serve until SIGTERM, or until the parent process ends."""
    arguments = _parse_arguments()
    _end_everything_on_sigterm(arguments.workspace)
    threading.Thread(target=_watch_parent, daemon=True, name="parent-watch").start()
    _allow_many_connections()

    plan = FaultPlan()
    texts = TextSource.from_files(latency=arguments.text_latency)
    ControlServer(socket.socket(fileno=arguments.control_fd), plan, texts).start()

    try:
        _extend_ministack(plan)
    except emulator.EmulatorError as error:
        sys.exit(str(error))  # the parent shows the end of the log
    asyncio.run(_serve(arguments.gateway_fd))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="temporary folder, removed at the end")
    parser.add_argument("--gateway-fd", type=int, required=True, help="listening socket of the AWS endpoint")
    parser.add_argument("--control-fd", type=int, required=True, help="listening socket of text source and control")
    parser.add_argument("--text-latency", type=float, default=0.0, help="seconds before each text is answered")
    return parser.parse_args()


def _extend_ministack(plan: FaultPlan) -> None:
    from local.aws import api_gateway, cognito, event_targets, faults, iam_differences, lambda_workers, sqs_batches
    from local.aws.language import comprehend, translate
    from local.aws.sagemaker import service as sagemaker
    from local.aws.step_functions import differences as step_functions

    emulator.check_version()
    roles.check_emulator()
    iam_differences.install()
    comprehend.install()
    translate.install()
    sagemaker.install()
    step_functions.install()
    event_targets.install()
    api_gateway.install()
    cognito.install()
    sqs_batches.install()
    lambda_workers.install()
    faults.install(plan)  # last: it wraps every service that is registered by then


async def _serve(gateway_fd: int) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{gateway_fd}"]
    config.backlog = 512
    config.keep_alive_timeout = _KEEP_ALIVE_S
    config.loglevel = "WARNING"
    forever = asyncio.Event()
    # With its own trigger hypercorn installs no signal handlers: SIGTERM must end the Lambda workers as well.
    await serve(app, config, shutdown_trigger=forever.wait)


def _end_everything_on_sigterm(workspace: Path) -> None:
    """Make SIGTERM end this process group, Lambda workers included, and remove the temporary folder."""

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        time.sleep(_WORKER_EXIT_GRACE_S)  # workers that still write would keep the folder from going away
        shutil.rmtree(workspace, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGTERM, end)


def _watch_parent() -> None:
    """End everything when standard input ends, which happens when the parent ends in any way."""
    while os.read(sys.stdin.fileno(), 1024):  # unbuffered: a lock of the buffer would disturb the end of the process
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ORPHAN_GRACE_S)
    os.killpg(0, signal.SIGKILL)  # only reached when the main thread is stuck


def _allow_many_connections() -> None:
    """Raise the soft limit of open files, often 1,024, to what the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
