"""The request to stop, with which SageMaker ends a job before its time; two minutes later it ends the container.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopProcessingJob.html
"""

from __future__ import annotations

import signal
import threading

# What a shell says of a program that was asked to end.
EXIT_CODE = 128 + signal.SIGTERM

_stopping = threading.Event()


def listen() -> None:
    """Take note of the request from now on."""
    signal.signal(signal.SIGTERM, lambda *_: _stopping.set())


def is_stopping() -> bool:
    """Tell whether the job has been asked to stop."""
    return _stopping.is_set()
