"""The batch program of this project or of another commit, run as in a container, with the embedded AWS's services."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.batch_jobs import OPTIONS
from bench.runs import BenchmarkError
from local.aws.embedded_aws import EmbeddedAws
from local.deploy.deployer import ROOT

_TIMEOUT_SECONDS = 1800
_PEAKS = ("PeakMegabytes", "DocumentPeakMegabytes")
_COMMIT = re.compile(r"[0-9A-Za-z._/-]{1,100}")
# No document is refused for its length here: what is measured is what it takes.
_LIMITS = {"MAX_DOCUMENT_CHARACTERS": "1000000000"}


@dataclass(frozen=True)
class ProgramRun:
    """What one run of the program took.

    Attributes
    ----------
    documents
        How many it worked on.
    seconds
        From its start to its end.
    processor_seconds
        Processor time of all its processes.
    peak_megabytes
        Most memory that its largest process had at once, in MiB.
    """

    documents: int
    seconds: float
    processor_seconds: float
    peak_megabytes: int

    @property
    def documents_per_second(self) -> float:
        """Throughput."""
        return self.documents / self.seconds


def extract_commit(commit: str, folder: Path) -> Path:
    """Put the files of a commit into a folder, and return it.

    Raises
    ------
    BenchmarkError
        There is no such commit.
    """
    if not _COMMIT.fullmatch(commit) or commit.startswith("-"):
        raise BenchmarkError(f"no commit: {commit}")
    command = ["git", "archive", "--format=tar", commit]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 - checked above
    if done.returncode:
        raise BenchmarkError(f"{commit}: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def run_program(aws: EmbeddedAws, root: Path, kind: str, documents: Mapping[str, bytes | Path]) -> ProgramRun:
    """Run a job as SageMaker does: a process with folders and environment variables.

    Parameters
    ----------
    aws
        Its services.
    root
        Folder with the program's sources.
    kind
        Of the job.
    documents
        Contents or files by name.

    Raises
    ------
    BenchmarkError
        It failed, or left a document out.
    """
    with TemporaryDirectory(prefix="bench-") as folder:
        machine = Path(folder)
        source = machine / "processing" / "input" / "documents"
        source.mkdir(parents=True)
        (machine / "tmp").mkdir()
        for name, content in documents.items():
            if isinstance(content, Path):
                (source / name).hardlink_to(content)
            else:
                (source / name).write_bytes(content)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(  # noqa: S603 - the project's own program
            [sys.executable, "-B", str(root / "handlers" / "batch" / "run.py")],
            env=_environment(aws, machine, kind),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise BenchmarkError(f"the program of {root} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        totals = json.loads((machine / "processing" / "output" / "report.json").read_bytes())["totals"]
    if totals["completed"] != len(documents):
        raise BenchmarkError(f"{totals['failed']} of {len(documents)} documents failed:\n{done.stdout[-2000:]}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ProgramRun(len(documents), seconds, used, _peak_megabytes(done.stdout))


def _environment(aws: EmbeddedAws, machine: Path, kind: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(machine / "tmp"),
        "PROCESSING_ROOT": str(machine / "processing"),
        "JOB_KIND": kind,
        "JOB_ID": "bench",
        "JOB_OPTIONS": json.dumps(OPTIONS[kind]),
        "AWS_REGION": aws.region,
        "AWS_ENDPOINT_URL": aws.endpoint,
        **aws.credentials,
        **_LIMITS,
    }


def _peak_megabytes(log: str) -> int:
    """Read from the log how much memory the program's largest process needed at most."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines() if _PEAKS[0] in line]
    return max(line.get(name, 0) for line in lines for name in _PEAKS)
