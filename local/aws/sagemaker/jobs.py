"""Processing jobs of the embedded SageMaker: what one is, and how it runs.

A job's image is recorded and not used: the program runs as one process for each instance, with the Python of this
project and a folder that stands for the container's ``/opt/ml``. It is told of the folder's ``processing`` in the
variable ``PROCESSING_ROOT``.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.sagemaker.files import (
    ProcessingError,
    download_input,
    exit_message,
    make_output_folder,
    upload_output,
    write_configuration,
)
from local.aws.sagemaker.program import LogStream, Program
from local.aws.sagemaker.surroundings import Surroundings

# SageMaker waits 120 s between SIGTERM and SIGKILL; nobody wants to wait that long on their own machine.
STOP_GRACE_S = 5.0
# DescribeProcessingJob tells this limit where the job's creator gave none: one day.
DEFAULT_MAX_RUNTIME_S = 86_400
TERMINAL = frozenset({"Completed", "Failed", "Stopped"})

_POLL_S = 0.05
_INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."
_DESCRIBED = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingJobName",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Instance:
    name: str
    root: Path
    program: Program
    log: LogStream


class ProcessingJob:
    """A processing job from its creation to its end; safe to use from several threads.

    Parameters
    ----------
    request
        A valid request to ``CreateProcessingJob``.
    arn
        The job's ARN.
    surroundings
        Where it runs.

    Attributes
    ----------
    status
        ``InProgress``, ``Stopping``, ``Completed``, ``Failed`` or ``Stopped``.
    created_at, modified_at
        Seconds since the epoch.
    """

    def __init__(self, request: dict[str, Any], arn: str, surroundings: Surroundings) -> None:
        self.arn = arn
        self.name: str = request["ProcessingJobName"]
        self.status = "InProgress"
        self.created_at = self.modified_at = time.time()
        default: dict[str, Any] = {"StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_S}}
        self._request = default | request
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._outcome: dict[str, Any] = {}

    def start(self) -> None:
        """Run the job in the background."""
        threading.Thread(target=self._run, daemon=True, name=f"processing-{self.name}").start()

    def stop(self) -> bool:
        """Ask the job to stop; False when it has ended already."""
        with self._lock:
            if self.status in TERMINAL:
                return False
            self.status = "Stopping"
            self.modified_at = time.time()
        self._stop.set()
        return True

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the job; False when it did not come in time."""
        return self._ended.wait(seconds)

    def summary(self) -> dict[str, Any]:
        """Return what ``ListProcessingJobs`` tells of the job."""
        with self._lock:
            outcome = {key: self._outcome[key] for key in ("ExitMessage", "FailureReason") if key in self._outcome}
            if "ProcessingEndTime" in self._outcome:
                outcome["ProcessingEndTime"] = self._outcome["ProcessingEndTime"]
            return {
                "ProcessingJobName": self.name,
                "ProcessingJobArn": self.arn,
                "CreationTime": self.created_at,
                "LastModifiedTime": self.modified_at,
                "ProcessingJobStatus": self.status,
                **outcome,
            }

    def description(self) -> dict[str, Any]:
        """Return what ``DescribeProcessingJob`` tells of the job."""
        asked = {key: self._request[key] for key in _DESCRIBED if key in self._request}
        with self._lock:
            outcome = dict(self._outcome)
        return asked | self.summary() | outcome

    def _run(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="processing-"))
        status, reason = "Failed", _INTERNAL_ERROR
        try:
            status, reason = self._run_in(folder)
        except Exception:
            logger.exception("Processing job %s", self.name)
        finally:
            self._end(status, reason, folder)
            shutil.rmtree(folder, ignore_errors=True)

    def _run_in(self, folder: Path) -> tuple[str, str | None]:
        try:
            s3 = self._surroundings.client("s3")
            instances = self._prepare(folder, s3)
            if self._stop.is_set():
                return "Stopped", None
            status, reason = self._run_programs(instances)
            self._upload(s3, instances, completed=status == "Completed")
        except ProcessingError as error:
            return "Failed", str(error)
        return status, reason

    def _end(self, status: str, reason: str | None, folder: Path) -> None:
        message = None
        try:
            message = exit_message([folder / name for name in self._hosts()])
        except ProcessingError as error:
            status, reason = "Failed", str(error)
        with self._lock:
            self.status = status
            self.modified_at = time.time()
            self._outcome["ProcessingEndTime"] = self.modified_at
            if reason:
                self._outcome["FailureReason"] = reason
            if message:
                self._outcome["ExitMessage"] = message
        self._ended.set()

    def _prepare(self, folder: Path, s3: Any) -> list[_Instance]:
        """Make the instances with their folders, configuration and inputs."""
        hosts = self._hosts()
        logs = self._surroundings.client("logs")
        inputs = [one["S3Input"] for one in self._request.get("ProcessingInputs", []) if not one.get("AppManaged")]
        instances = []
        for number, host in enumerate(hosts):
            root = folder / host
            write_configuration(root, self._configuration(), host, hosts)
            (root / "output").mkdir()
            (root / "processing").mkdir()
            for output in self._outputs():
                make_output_folder(output, root)
            for source in inputs:
                if self._stop.is_set():
                    return []
                download_input(s3, source, root, number, len(hosts))
            log = LogStream(logs, f"{self.name}/{host}-{int(time.time() * 1000)}")
            instances.append(_Instance(host, root, Program(root, self._command(), self._environment(), log), log))
        return instances

    def _run_programs(self, instances: list[_Instance]) -> tuple[str, str | None]:
        with self._lock:
            self._outcome["ProcessingStartTime"] = time.time()
        deadline = time.monotonic() + self._request["StoppingCondition"]["MaxRuntimeInSeconds"]
        try:
            for instance in instances:
                instance.program.start()
            status, reason = self._watch(instances, lambda: time.monotonic() >= deadline)
        finally:
            _end_all(instances)
        for instance in instances:
            instance.log.wait()
        return status, reason

    def _watch(self, instances: list[_Instance], late: Callable[[], bool]) -> tuple[str, str | None]:
        """Wait for the end of the programs, a failure of one, the time limit, or the request to stop."""
        while not self._stop.wait(_POLL_S):
            codes = [instance.program.exit_code() for instance in instances]
            failed = next((code for code in codes if code), None)
            if failed:
                return "Failed", f"AlgorithmError: , exit code: {failed}"
            if None not in codes:
                return "Completed", None
            if late():
                with self._lock:
                    self.status = "Stopping"
                break
        return "Stopped", None

    def _upload(self, s3: Any, instances: list[_Instance], *, completed: bool) -> None:
        """Bring the outputs to S3: all of a completed job, of another one only what is uploaded continuously."""
        key_id = self._request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        for output in self._outputs():
            if completed or output["S3UploadMode"] == "Continuous":
                for instance in instances:
                    upload_output(s3, output, instance.root, key_id)

    def _hosts(self) -> list[str]:
        count = self._request["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
        return [f"algo-{number}" for number in range(1, count + 1)]

    def _outputs(self) -> list[dict[str, Any]]:
        outputs = self._request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [output["S3Output"] for output in outputs if not output.get("AppManaged")]

    def _command(self) -> list[str]:
        specification = self._request["AppSpecification"]
        return [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]

    def _configuration(self) -> dict[str, Any]:
        asked = {key: self._request[key] for key in _DESCRIBED if key in self._request}
        return {"ProcessingJobArn": self.arn, **asked}

    def _environment(self) -> dict[str, str]:
        """Return the job's variables with what the program needs to reach AWS, unless the network is isolated."""
        asked = self._request.get("Environment", {})
        if self._request.get("NetworkConfig", {}).get("EnableNetworkIsolation"):
            return dict(asked)
        return self._surroundings.variables() | asked


def _end_all(instances: list[_Instance]) -> None:
    """End what still runs: politely first, then not."""
    running = [instance.program for instance in instances if instance.program.exit_code() is None]
    for program in running:
        program.terminate()
    deadline = time.monotonic() + STOP_GRACE_S
    while time.monotonic() < deadline and any(program.exit_code() is None for program in running):
        time.sleep(_POLL_S)
    for program in running:
        program.kill()
