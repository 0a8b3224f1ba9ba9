"""FunctionDefaults: what all functions of a stack share, the dependency layer included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws
from pulumi.runtime.settings import get_monitor

from components.blocks.compute.bundle import ROOT
from components.blocks.compute.layer import dependency_layer
from schema.defaults import LOG_RETENTION_DAYS

LAYER_LOCK_FILE = ROOT / "requirements" / "layer.txt"
# Shared layers by runtime and architecture, for each run of a program. The connection to the engine identifies the run.
_layers: WeakKeyDictionary[Any, dict[tuple[str, str], aws.lambda_.LayerVersion]] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class FunctionDefaults:
    """Defaults shared by all functions of a stack.

    Attributes
    ----------
    runtime, architecture
        Lambda's identifiers, such as `python3.14` and `arm64`.
    layers
        ARNs of layers with the functions' dependencies. Without any, one layer is built for the runtime and the
        architecture, and shared by all functions of the stack.
    log_retention_days, log_level
        How long logs are kept, and the least severe level that is logged.
    tracing
        Trace requests with AWS X-Ray.
    alarm_topics
        ARNs of SNS topics that alarms are sent to.
    """

    runtime: str = "python3.14"
    architecture: str = "arm64"
    layers: Sequence[pulumi.Input[str]] | None = None
    log_retention_days: int = LOG_RETENTION_DAYS
    log_level: str = "INFO"
    tracing: bool = True
    alarm_topics: Sequence[pulumi.Input[str]] = ()

    def layer_arns(self) -> list[pulumi.Input[str]]:
        """List the ARNs of the layers. Without layers, the first call in a program's run builds the shared one."""
        if self.layers is not None:
            return list(self.layers)
        layers = _layers.setdefault(get_monitor(), {})
        platform = (self.runtime, self.architecture)
        if platform not in layers:
            name = f"handlers-{self.runtime}-{self.architecture}"
            layers[platform] = dependency_layer(
                name, requirements=LAYER_LOCK_FILE, runtime=self.runtime, architecture=self.architecture
            )
        return [layers[platform].arn]
