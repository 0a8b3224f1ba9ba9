"""Tasks of AWS Step Functions: permissions of the state machine's role, and processing jobs of SageMaker.

Ministack runs tasks without checking the state machine's role. Here each call of the integrations listed in
`task_checks` is checked first, and denied as AWS denies it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from local.aws.emulator import require
from local.aws.roles import denial, session_credentials

# AWS makes a rule of this name in the account, with the state machine's role, to learn of the end of processing jobs
# (https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html).
MANAGED_RULE = "StepFunctionsGetEventsForSageMakerProcessingJobsRule"
MANAGED_RULE_ACTIONS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")

PREFIX = "arn:aws:states:::"
CREATE_PROCESSING_JOB = f"{PREFIX}sagemaker:createProcessingJob"
SYNC = ".sync"
STOP_PROCESSING_JOB = f"{PREFIX}aws-sdk:sagemaker:stopProcessingJob"

# SageMaker's exceptions that have a name of their own in Step Functions; all others are AmazonSageMakerException.
_NAMED_SAGEMAKER_ERRORS = frozenset({"ConflictException", "ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound"})
# What Step Functions marks the jobs with that it waits for, which takes sagemaker:AddTags.
MANAGED_TAG = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
_TIMES = ("CreationTime", "LastModifiedTime", "ProcessingStartTime", "ProcessingEndTime")
_POLL_S = 0.1
# The error that a denied call ends with: AWS's libraries know no exception for it, so it is the service's base error.
_DENIED_ERRORS = {
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "lambda": "Lambda.AWSLambdaException",
    "sagemaker": "SageMaker.AmazonSageMakerException",
    "sns": "SNS.AmazonSNSException",
    "sqs": "SQS.AmazonSQSException",
}
_DYNAMODB_ACTIONS = ("getItem", "putItem", "updateItem", "deleteItem")


class Check(NamedTuple):
    """A permission that a task needs."""

    action: str
    resource: str
    context: dict[str, Any]


def check_emulator() -> None:
    """Check that ministack has what this module uses; see `local.aws.emulator.require`."""
    from ministack.services import stepfunctions

    require(stepfunctions, "_ExecutionError(error, cause)", "_AWS_SDK_SERVICE_MAP", "_AWS_SDK_ERROR_PREFIX")
    require(stepfunctions, "_sdk_json_params(service_info, service_key, action, input_data)")


def role_key(role_arn: str, execution: str) -> str:
    """Return the access key of the session that an execution works under."""
    return session_credentials(role_arn, execution[:64])["AWS_ACCESS_KEY_ID"]


def check_permissions(access_key: str, resource: str, parameters: Any) -> None:
    """Raise ministack's execution error when the state machine's role may not do what a task asks for.

    Parameters
    ----------
    access_key
        Of the execution's session.
    resource
        ``Resource`` of the task.
    parameters
        What the task hands over.
    """
    from ministack.services.stepfunctions import _ExecutionError

    for check in task_checks(resource, parameters if isinstance(parameters, dict) else {}):
        refused = denial(access_key, check.action, check.resource, check.context)
        if refused:
            raise _ExecutionError(
                _denied_error(resource), f"{refused} (Status Code: 400; Error Code: AccessDeniedException)"
            )


def task_checks(resource: str, parameters: dict[str, Any]) -> list[Check]:
    """Return the permissions that a task needs; none for integrations that are not checked.

    Checked are DynamoDB (optimised and by the SDK), other JSON services by the SDK, SNS publish, SQS sendMessage,
    Lambda and createProcessingJob.
    """
    integration = resource.removeprefix(PREFIX).removesuffix(SYNC).removesuffix(".waitForTaskToken")
    service, _, operation = integration.partition(":")
    if resource.startswith("arn:aws:lambda:"):
        return [Check("lambda:InvokeFunction", resource, {})]
    if resource == STOP_PROCESSING_JOB:
        return _stop_checks(parameters)
    if service == "aws-sdk":
        sdk_service, _, sdk_operation = operation.partition(":")
        return _sdk_checks(sdk_service, sdk_operation, parameters)
    if service == "dynamodb" and operation in _DYNAMODB_ACTIONS:
        return _json_checks("dynamodb", "DynamoDB_20120810", operation, parameters)
    if (service, operation) == ("sns", "publish"):
        return [Check("sns:Publish", parameters.get("TopicArn", "*"), {})]
    if (service, operation) == ("sqs", "sendMessage"):
        return [Check("sqs:SendMessage", _queue_arn(parameters.get("QueueUrl", "")), {})]
    if (service, operation) == ("lambda", "invoke"):
        return [Check("lambda:InvokeFunction", _function_arn(parameters.get("FunctionName", "")), {})]
    if resource.startswith(CREATE_PROCESSING_JOB):
        return _processing_checks(resource, parameters)
    return []


def may_watch_processing_jobs(role_arn: str, definition: str) -> bool:
    """Say whether a role may make the rule that a definition's ``.sync`` tasks need."""
    from ministack.core.responses import get_account_id, get_region

    if f"{CREATE_PROCESSING_JOB}{SYNC}" not in definition:
        return True
    rule = f"arn:aws:events:{get_region()}:{get_account_id()}:rule/{MANAGED_RULE}"
    key = role_key(role_arn, "managed-rule")
    return not any(denial(key, action, rule) for action in MANAGED_RULE_ACTIONS)


def create_processing_job(
    resource: str, parameters: dict[str, Any], access_key: str, is_cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """Create a processing job and, with ``.sync``, wait for its end.

    Parameters
    ----------
    resource
        ``Resource`` of the task.
    parameters
        The request to SageMaker.
    access_key
        Of the execution's session.
    is_cancelled
        Says that nobody waits any more: the job is stopped then.
    """
    from ministack.services.stepfunctions import _ExecutionError

    from local.aws.sagemaker.service import find_job

    if not resource.endswith(SYNC):
        return _call_sagemaker(access_key, "CreateProcessingJob", parameters)
    tagged = {**parameters, "Tags": [*parameters.get("Tags", []), MANAGED_TAG]}
    _call_sagemaker(access_key, "CreateProcessingJob", tagged)
    job = find_job(parameters["ProcessingJobName"])
    while not job.wait(_POLL_S):
        if is_cancelled():
            job.stop()
            return {}  # the state does not look at it any more
    described = job.description()
    described |= {name: int(described[name] * 1000) for name in _TIMES if name in described}
    if job.status != "Completed":
        raise _ExecutionError("States.TaskFailed", json.dumps(described))
    return described


def stop_processing_job(parameters: dict[str, Any], access_key: str) -> dict[str, Any]:
    """Stop a processing job, as the integration by AWS's SDK does."""
    return _call_sagemaker(access_key, "StopProcessingJob", parameters)


def _call_sagemaker(access_key: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Ask SageMaker through its registered handler, so that faults and counts apply."""
    from ministack import app
    from ministack.core.responses import get_region
    from ministack.services.stepfunctions import _ExecutionError

    headers = {
        "x-amz-target": f"SageMaker.{operation}",
        "content-type": "application/x-amz-json-1.1",
        "authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/{get_region()}/sagemaker/aws4_request",
    }
    handler = app.SERVICE_HANDLERS["sagemaker"]
    status, _, body = app.call_service_handler_sync(handler, "POST", "/", headers, json.dumps(request).encode(), {})
    if not isinstance(body, (bytes, str)):  # an answer that was cut off
        raise _ExecutionError("SageMaker.SdkClientException", "Unable to execute HTTP request: The connection broke.")
    answered = json.loads(body or b"{}")
    if status >= 400:
        code = answered.get("__type", "").rpartition("#")[2]
        message = answered.get("message") or answered.get("Message", "")
        raise _ExecutionError(
            sagemaker_error(code), f"{message} (Service: AmazonSageMaker; Status Code: {status}; Error Code: {code})"
        )
    return answered


def call_dynamodb(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Carry out one of Step Functions' own tasks of DynamoDB through its registered handler, as for SageMaker.

    Parameters
    ----------
    operation
        As the task's ``Resource`` spells it, for example ``updateItem``.
    request
        What the task hands over.
    """
    from ministack import app
    from ministack.services.stepfunctions import _ExecutionError

    headers = {
        "x-amz-target": f"DynamoDB_20120810.{operation[0].upper()}{operation[1:]}",
        "content-type": "application/x-amz-json-1.0",
    }
    handler = app.SERVICE_HANDLERS["dynamodb"]
    status, _, body = app.call_service_handler_sync(handler, "POST", "/", headers, json.dumps(request).encode(), {})
    answered = json.loads(body or b"{}")
    if status >= 400:
        name = answered.get("__type", "AmazonDynamoDBException").rpartition("#")[2]
        raise _ExecutionError(f"DynamoDB.{name}", answered.get("message", ""))
    return answered


def sagemaker_error(code: str) -> str:
    """Return the name that an error of SageMaker has in Step Functions."""
    name = f"{code.removesuffix('Exception')}Exception" if code in _NAMED_SAGEMAKER_ERRORS else None
    return f"SageMaker.{name or 'AmazonSageMakerException'}"


def _processing_checks(resource: str, parameters: dict[str, Any]) -> list[Check]:
    from local.aws.sagemaker.service import PRINCIPAL, job_arn

    arn = job_arn(str(parameters.get("ProcessingJobName", "")))
    # iam:PassRole and sagemaker:AddTags are checked by SageMaker itself.
    operations = ["CreateProcessingJob"]
    if resource.endswith(SYNC):
        operations += ["DescribeProcessingJob", "StopProcessingJob"]
    context = {"iam:PassedToService": PRINCIPAL}
    return [Check(f"sagemaker:{operation}", arn, context) for operation in operations]


def _stop_checks(parameters: dict[str, Any]) -> list[Check]:
    from local.aws.sagemaker.service import job_arn

    return [Check("sagemaker:StopProcessingJob", job_arn(str(parameters.get("ProcessingJobName", ""))), {})]


def _sdk_checks(service: str, operation: str, parameters: dict[str, Any]) -> list[Check]:
    from ministack.services.stepfunctions import _AWS_SDK_SERVICE_MAP, _sdk_json_params

    info = _AWS_SDK_SERVICE_MAP.get(service, {})
    if info.get("protocol") != "json" or not operation:
        return []
    key = info.get("service_key", service)
    request = _sdk_json_params(info, key, operation[0].upper() + operation[1:], parameters)
    return _json_checks(key, info["target_prefix"], operation, request)


def _json_checks(service: str, target_prefix: str, operation: str, request: Any) -> list[Check]:
    """Return the checks that ministack would make of the same request over HTTP."""
    from ministack.core import iam_actions
    from ministack.core.responses import get_account_id, get_region

    headers = {"x-amz-target": f"{target_prefix}.{operation[0].upper()}{operation[1:]}"}
    where = (get_region(), get_account_id())
    body = json.dumps(request).encode()
    action = iam_actions.extract_iam_action(service, "POST", "/", headers, body, {})
    if action is None:
        return []
    if service == "dynamodb":
        context = iam_actions.dynamodb_service_context(body)
        items = iam_actions.dynamodb_transaction_checks(action, body, *where)
        if items:
            enclosing = {**context, "dynamodb:EnclosingOperation": [action.partition(":")[2]]}
            return [Check(item_action, arn, enclosing) for item_action, arn in items]
        return [Check(action, arn, context) for arn in iam_actions.dynamodb_resource_arns(body, *where) or ["*"]]
    return [Check(action, iam_actions.extract_resource_arn(service, "POST", "/", headers, body, {}, *where), {})]


def _denied_error(resource: str) -> str:
    from ministack.services.stepfunctions import _AWS_SDK_ERROR_PREFIX

    integration = resource.removeprefix(PREFIX)
    if integration.startswith("aws-sdk:"):
        prefix = _AWS_SDK_ERROR_PREFIX.get(integration.split(":")[1], "Aws")
        return f"{prefix}.{prefix}Exception"
    service = "lambda" if resource.startswith("arn:aws:lambda:") else integration.partition(":")[0]
    return _DENIED_ERRORS.get(service, "States.TaskFailed")


def _queue_arn(url: str) -> str:
    from ministack.core.responses import get_account_id, get_region

    return f"arn:aws:sqs:{get_region()}:{get_account_id()}:{url.rpartition('/')[2]}"


def _function_arn(reference: str) -> str:
    from ministack.core.responses import get_account_id, get_region

    if reference.startswith("arn:"):
        return reference
    return f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{reference}"
