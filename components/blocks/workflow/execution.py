"""What the expressions of a batch job's states read: Step Functions' own values, and the variables of the execution."""

from __future__ import annotations

from components.blocks.workflow.expressions import Expression, call, text, variable

# Input of the state, which in the first states is the input of the execution.
INPUT = Expression("$states.input")
# In a rule that catches errors.
ERROR = Expression("$states.errorOutput")
# ARN of the execution.
EXECUTION = Expression("$states.context.Execution.Id")
NOW = call("now", text("[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z"))

# Input of an execution that the API has started, or what it would have been for a job of a schedule.
JOB = variable("job")
# Why the job failed.
CAUSE = variable("cause")
# Jobs of SageMaker that were created for lack of capacity, this one included.
ATTEMPT = variable("attempt")
# The failure was a lack of capacity.
OUT_OF_CAPACITY = variable("outOfCapacity")
# Addresses of the program and of its wheels.
PROGRAM = variable("program")
WHEELS = variable("wheels")
# Environment variables of all jobs.
ENVIRONMENT = variable("environment")
# Name of the bucket.
BUCKET = variable("bucket")
