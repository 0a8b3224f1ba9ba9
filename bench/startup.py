"""What a cold start of each Lambda function costs: the time to import its handler, and the sizes of its archives."""

from __future__ import annotations

import io
import os
import statistics
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi

from bench.children import run_python
from bench.report import Row, Section, at_most, seconds, times
from local.deploy.creators.common import archive_bytes

MAX_IMPORT_SECONDS = 0.25
MAX_BUNDLE_BYTES = 100_000

BASELINE = (
    "for imports, a process that imports boto3 and makes the same clients; for sizes, the limits of Lambda. Python and "
    "environment are the same, files are unpacked as in Lambda, and nothing but boto3 was compiled before."
)
# Of a .zip file that is sent to Lambda with a request, and of a function with its layers once unpacked:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LAMBDA_ZIP_BYTES = 50 * 2**20
_LAMBDA_UNPACKED_BYTES = 250 * 2**20

_IMPORT_HANDLER = """
import importlib, json, sys, time
started = time.process_time()
module = importlib.import_module(sys.argv[1])
seconds = time.process_time() - started
clients = []
if "botocore.client" in sys.modules:
    import gc
    from botocore.client import BaseClient
    clients = [one.meta.service_model.service_name for one in gc.get_objects() if issubclass(type(one), BaseClient)]
print(json.dumps({"seconds": seconds, "clients": sorted(clients)}))
"""
_IMPORT_BOTO3 = """
import json, sys, time
started = time.process_time()
import boto3
from botocore.config import Config
config = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=8)
for service in sys.argv[1:]:
    boto3.client(service, config=config)
print(json.dumps({"seconds": time.process_time() - started}))
"""


def measure_startup(say: Callable[[str], None], repeats: int) -> Section:
    """Measure every function that the program declares.

    Parameters
    ----------
    say
        Called with a description of each step.
    repeats
        Pairs of imports, handler and baseline in turn, of which the medians count.
    """
    section = Section("Start of the Lambda functions", BASELINE)
    section.notes.append(f"Imports are processor time, which other programs change less; medians of {repeats}.")
    program = run_python("-m", "bench.program").answer
    sharing: dict[bytes, list[str]] = {}
    for function in program["functions"]:
        module = function["handler"].rpartition(".")[0]
        say(f"importing {module}")
        bundle = _zipped(function["code"])
        archives = [bundle, *(Path(layer).read_bytes() for layer in program["layers"])]
        section.rows.append(_import_row(module, function["variables"], archives, repeats))
        sharing.setdefault(bundle, []).append(module)
    section.rows += [_bundle_row(modules, bundle) for bundle, modules in sharing.items()]
    section.rows += [_layer_row(Path(layer)) for layer in program["layers"]]
    return section


def _zipped(code: Mapping[str, str]) -> bytes:
    """Zip the files of a function, given by their names in it."""
    return archive_bytes(pulumi.AssetArchive({name: pulumi.FileAsset(path) for name, path in code.items()}))


def _import_row(module: str, variables: Mapping[str, str], archives: list[bytes], repeats: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="cloud-nlp-bench-") as folder:
        for archive in archives:
            zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
        environment = _lambda_environment(variables, [folder, str(Path(folder) / "python")])
        clients = _import_handler(module, environment)["clients"]
        _import_boto3(clients, environment)
        pairs = [
            (_import_handler(module, environment)["seconds"], _import_boto3(clients, environment)["seconds"])
            for _ in range(repeats)
        ]
    ours, baseline = (statistics.median(column) for column in zip(*pairs, strict=True))
    beyond = ours - baseline
    return Row(
        f"Import of {module}",
        f"{seconds(ours)}, {seconds(max(beyond, 0))} beyond boto3",
        f"{seconds(baseline)} ({', '.join(clients)})",
        f"{times(ours / baseline)} as long",
        at_most(beyond * 1000, MAX_IMPORT_SECONDS * 1000, "at most {} ms beyond boto3"),
    )


def _import_handler(module: str, environment: Mapping[str, str]) -> dict[str, Any]:
    return run_python("-c", _IMPORT_HANDLER, module, environment=environment).answer


def _import_boto3(clients: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    return run_python("-c", _IMPORT_BOTO3, *clients, environment=environment).answer


def _lambda_environment(variables: Mapping[str, str], path: list[str]) -> dict[str, str]:
    """Make the environment of a function: nothing of the user's, and no file beside the code can be written."""
    return {
        **variables,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONSAFEPATH": "1",  # else the project's own folder would be found before the unpacked files
    }


def _bundle_row(modules: list[str], bundle: bytes) -> Row:
    others = f" and {len(modules) - 1} more" if len(modules) > 1 else ""
    return Row(
        f"Code of {modules[0]}{others}, zipped",
        _kilobytes(len(bundle)),
        f"{_kilobytes(_LAMBDA_ZIP_BYTES)} (Lambda's limit)",
        f"{len(bundle) / _LAMBDA_ZIP_BYTES:.3%}",
        at_most(len(bundle) / 1000, MAX_BUNDLE_BYTES / 1000, "at most {} kB"),
    )


def _layer_row(layer: Path) -> Row:
    with zipfile.ZipFile(layer) as zipped:
        unpacked = sum(entry.file_size for entry in zipped.infolist())
    return Row(
        "Layer of dependencies, unpacked",
        f"{_kilobytes(unpacked)} ({_kilobytes(layer.stat().st_size)} zipped)",
        f"{_kilobytes(_LAMBDA_UNPACKED_BYTES)} (Lambda's limit)",
        f"{unpacked / _LAMBDA_UNPACKED_BYTES:.2%}",
    )


def _kilobytes(size: int) -> str:
    return f"{size / 1000:,.0f} kB"
