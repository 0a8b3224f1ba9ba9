"""Metrics in CloudWatch's embedded metric format: CloudWatch reads them from the log, without a call.

Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import os
import sys
import time

NAMESPACE = "CloudNLP"


def emit_counts(service: str, counts: dict[str, int], **properties: str) -> None:
    """Write one metric line. The dimension `Stack` keeps stacks that share an account apart.

    Parameters
    ----------
    service
        Value of the dimension `Service`: the function that counts.
    counts
        Counts by metric name.
    properties
        Fields that can be searched in the log but are no dimensions, such as `run`.
    """
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Stack", "Service"]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
                }
            ],
        },
        "Stack": os.environ.get("STACK") or "unknown",
        "Service": service,
        **properties,
        **counts,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
