"""Evaluates the Pulumi program for stack `local` without making anything, and tells what it declares as JSON.

Run as ``python -m bench.program``, so that every evaluation has a process of its own, as in `pulumi preview`.
"""

from __future__ import annotations

import json
import resource
import runpy
import sys
from pathlib import Path
from typing import Any

# Peak of resident memory of this process alone; what `getrusage` says includes the parent's at the time of the fork.
_LINUX_STATUS = Path("/proc/self/status")
# Outputs by which the program refers to what it makes, besides ARNs.
_NAMES = ("name", "bucket", "keyId", "executionArn", "endpoint")
_ADDRESSES = ("url", "apiEndpoint")


def main() -> None:
    """Evaluate, and print number of resources, peak memory, functions with their code, and layers."""
    import pulumi

    from local.deploy.deployer import PROJECT, ROOT, STACK, read_config

    declared: list[pulumi.runtime.MockResourceArgs] = []

    class Recorder(pulumi.runtime.Mocks):
        """Answers as AWS would, with made-up names."""

        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            declared.append(args)
            names = dict.fromkeys(_NAMES, args.name)
            addresses = dict.fromkeys(_ADDRESSES, f"https://{args.name}")
            return args.name, {"arn": f"arn:aws:any:::{args.name}", **names, **addresses, **args.inputs}

        def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
            return args.args

    pulumi.runtime.set_mocks(Recorder(), project=PROJECT, stack=STACK)
    pulumi.runtime.set_all_config(read_config({}))
    pulumi.runtime.test(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__") and None)()
    resources = [one for one in declared if one.custom]
    print(
        json.dumps(
            {
                "resources": len(resources),
                "peak_bytes": peak_memory_bytes(),
                "functions": [_function(one.inputs) for one in resources if one.typ.endswith(":Function")],
                "layers": [one.inputs["code"].path for one in resources if one.typ.endswith(":LayerVersion")],
            }
        )
    )


def peak_memory_bytes() -> int:
    """Most memory that this process has had resident at once."""
    if _LINUX_STATUS.exists():
        lines = _LINUX_STATUS.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _function(inputs: dict[str, Any]) -> dict[str, Any]:
    code = {name: file.path for name, file in inputs["code"].assets.items()}
    return {"handler": inputs["handler"], "variables": inputs["environment"]["variables"], "code": code}


if __name__ == "__main__":
    main()
