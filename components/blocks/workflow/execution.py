"""What the expressions of a batch job's states read: Step Functions' own values, and the variables of the execution."""

from __future__ import annotations

from components.blocks.workflow.expressions import Expression, call, text, variable

# Input of the state, which in the first states is the input of the execution.
INPUT = Expression("$states.input")
# The error, in a rule that catches errors.
ERROR = Expression("$states.errorOutput")
# ARN of the execution.
EXECUTION = Expression("$states.context.Execution.Id")
NOW = call("now", text("[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z"))

# Input of the execution, as the API gives it or as `schedule_input.py` composes it.
JOB = variable("job")
# Why the job failed.
CAUSE = variable("cause")
# Whether the documents, and nothing inside, are why the job failed.
OF_DOCUMENTS = variable("ofDocuments")
# Number of the attempt to get an instance, from 1.
ATTEMPT = variable("attempt")
# End of the job's name in SageMaker, which tells attempts apart.
SUFFIX = variable("suffix")
# Whether the failure was that no instance was free, on AWS or in the account's quota.
OUT_OF_CAPACITY = variable("outOfCapacity")
# Whether SageMaker had created the job before it failed, so that its name is taken.
WAS_CREATED = variable("wasCreated")
# Name of a processing job whose creation ended with an error; empty where there is no such job.
UNANSWERED = variable("unanswered")
# Addresses of the program and of its wheels.
PROGRAM = variable("program")
WHEELS = variable("wheels")
# Environment variables of all jobs.
ENVIRONMENT = variable("environment")
# Name of the bucket.
BUCKET = variable("bucket")
