"""Defaults of settings that the program, the command line and the maker of image locks all need."""

from __future__ import annotations

# Batches of companies analysed at once. A new AWS account runs 10 functions at a time; 8 stay for the API.
# Lambda needs at least 2 for a queue.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ANALYSE_CONCURRENCY = 2

# Instances of a batch job.
INSTANCE_TYPE = "ml.m5.large"
INSTANCE_COUNT = 1

# SageMaker's image that jobs run in: Amazon Linux 2023, Python 3.12, patched until 2027-07-16.
# https://aws.github.io/deep-learning-containers/reference/support_policy/, read on 2026-11-26
IMAGE_NAME = "sagemaker-scikit-learn"
IMAGE_VERSION = "1.9-0-cpu-py3"
IMAGE_PYTHON = "3.12"

# Days that logs are kept.
LOG_RETENTION_DAYS = 30
