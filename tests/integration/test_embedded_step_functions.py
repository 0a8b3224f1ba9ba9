"""State machines of the embedded AWS: processing jobs, DynamoDB, limits, stops, and what their role may do."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from local.aws.embedded_aws import ACCOUNT_ID, EmbeddedAws
from tests.integration.processing import (
    Statement,
    job_request,
    log_lines,
    make_role,
    new_name,
    received,
    subscribed_queue,
    wait_for,
    wait_for_job,
)
from tests.integration.test_embedded_aws import error_code

SLEEP = 'import time; print("started"); time.sleep(600)'
TABLE = "items"
PROCESS = "arn:aws:states:::sagemaker:createProcessingJob.sync"


@pytest.fixture(scope="module")
def shared_aws(shared_aws: EmbeddedAws) -> EmbeddedAws:
    shared_aws.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    return shared_aws


def machine_statements(aws: EmbeddedAws, job_role: str) -> list[Statement]:
    """The least that a state machine needs for processing jobs and the table."""
    job = f"arn:aws:sagemaker:{aws.region}:{ACCOUNT_ID}:processing-job/*"
    rule = f"arn:aws:events:{aws.region}:{ACCOUNT_ID}:rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule"
    table = f"arn:aws:dynamodb:{aws.region}:{ACCOUNT_ID}:table/{TABLE}"
    actions = {
        job: [
            "sagemaker:AddTags",
            "sagemaker:CreateProcessingJob",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:StopProcessingJob",
        ],
        rule: ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
        table: ["dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:GetItem"],
        job_role: ["iam:PassRole"],
    }
    return [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for resource, names in actions.items()
        for action in names
    ]


@pytest.fixture(scope="module")
def machine_role(shared_aws: EmbeddedAws, job_role: str) -> str:
    return make_role(shared_aws, machine_statements(shared_aws, job_role), service="states")


class Machine:
    """A state machine, and its executions."""

    def __init__(self, aws: EmbeddedAws, role: str, states: dict[str, Any], **top: Any) -> None:
        self.client = aws.client("stepfunctions")
        definition = {"StartAt": next(iter(states)), "States": states, **top}
        self.arn = self.client.create_state_machine(
            name=new_name("machine"), definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]

    def start(self, **given: Any) -> str:
        return self.client.start_execution(stateMachineArn=self.arn, input=json.dumps(given))["executionArn"]

    def end(self, execution: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            description = self.client.describe_execution(executionArn=execution)
            return description if description["status"] != "RUNNING" else None

        return wait_for(ended, f"the end of {execution}")

    def run(self, **given: Any) -> dict[str, Any]:
        return self.end(self.start(**given))

    def events(self, execution: str, kind: str) -> list[dict[str, Any]]:
        history = self.client.get_execution_history(executionArn=execution)["events"]
        return [event for event in history if event["type"] == kind]


def processing(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"Process": {"Type": "Task", "Resource": PROCESS, "Parameters": request, "End": True, **changes}}


def dynamodb(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"Write": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}}


def test_a_task_waits_for_its_job_and_gives_its_description(aws: EmbeddedAws, job_role: str, machine_role: str) -> None:
    request = job_request(aws, job_role, "import time; time.sleep(0.5)")
    name = request.pop("ProcessingJobName")
    request["ProcessingJobName.$"] = "$.name"
    request["Environment"] = {"JOB_OPTIONS.$": "States.JsonToString($.options)"}
    machine = Machine(aws, machine_role, processing(request, TimeoutSeconds=60))
    ended = machine.run(name=name, options={"target": "de"})
    assert ended["status"] == "SUCCEEDED"
    job = json.loads(ended["output"])
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["Environment"] == {"JOB_OPTIONS": '{"target":"de"}'}
    assert job["ProcessingEndTime"] - job["ProcessingStartTime"] >= 500, "times are milliseconds"


def test_a_failed_job_is_a_failed_task_with_the_description_as_cause(
    aws: EmbeddedAws, job_role: str, machine_role: str
) -> None:
    request = job_request(aws, job_role, "raise SystemExit(2)")
    states = processing(
        request,
        Retry=[{"ErrorEquals": ["SageMaker.AmazonSageMakerException"], "IntervalSeconds": 1, "MaxAttempts": 2}],
        Catch=[{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "Tell"}],
    )
    states["Tell"] = {
        "Type": "Pass",
        "Parameters": {"cause.$": "States.StringToJson($.error.Cause)", "name.$": "$$.Execution.Name"},
        "End": True,
    }
    output = json.loads(Machine(aws, machine_role, states).run()["output"])
    assert output["cause"]["ProcessingJobStatus"] == "Failed"
    assert output["cause"]["FailureReason"] == "AlgorithmError: , exit code: 2"
    assert output["name"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceLimitExceeded", "SageMaker.ResourceLimitExceededException"),
        ("ThrottlingException", "SageMaker.AmazonSageMakerException"),
    ],
)
def test_errors_of_sagemaker_can_be_retried(
    aws: EmbeddedAws, job_role: str, machine_role: str, code: str, error: str
) -> None:
    aws.control.add_fault("sagemaker", operation="CreateProcessingJob", code=code, status=400, times=2)
    retry = {
        "ErrorEquals": [error],
        "IntervalSeconds": 1,
        "MaxAttempts": 3,
        "BackoffRate": 100,
        "MaxDelaySeconds": 1,
        "JitterStrategy": "FULL",
    }
    machine = Machine(aws, machine_role, processing(job_request(aws, job_role, ""), Retry=[retry]))
    execution = machine.start()
    assert machine.end(execution)["status"] == "SUCCEEDED"
    failures = machine.events(execution, "TaskFailed")
    assert [event["taskFailedEventDetails"]["error"] for event in failures] == [error, error]
    assert f"Error Code: {code}" in failures[0]["taskFailedEventDetails"]["cause"]


def test_a_time_limit_of_the_task_stops_the_job(aws: EmbeddedAws, job_role: str, machine_role: str) -> None:
    request = job_request(aws, job_role, SLEEP)
    ended = Machine(aws, machine_role, processing(request, TimeoutSeconds=1)).run()
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert wait_for_job(aws, request["ProcessingJobName"])["ProcessingJobStatus"] == "Stopped"


def test_a_time_limit_of_the_machine_stops_the_job(aws: EmbeddedAws, job_role: str, machine_role: str) -> None:
    request = job_request(aws, job_role, SLEEP)
    ended = Machine(aws, machine_role, processing(request), TimeoutSeconds=1).run()
    assert (ended["status"], ended["error"]) == ("TIMED_OUT", "States.Timeout")
    assert wait_for_job(aws, request["ProcessingJobName"])["ProcessingJobStatus"] == "Stopped"


def test_a_stop_stops_the_job_and_nothing_follows(aws: EmbeddedAws, job_role: str, machine_role: str) -> None:
    request = job_request(aws, job_role, SLEEP)
    name = request["ProcessingJobName"]
    states = processing(request, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Note"}])
    states["Note"] = dynamodb(
        "arn:aws:states:::dynamodb:putItem", {"TableName": TABLE, "Item": {"pk": {"S": "noted"}}}
    )["Write"]
    machine = Machine(aws, machine_role, states)
    execution = machine.start()
    wait_for(lambda: machine.events(execution, "TaskScheduled"), "the task")
    wait_for(lambda: log_lines_or_none(aws, name), "the program")
    machine.client.stop_execution(executionArn=execution, error="Cancelled", cause="as asked")
    assert wait_for_job(aws, name)["ProcessingJobStatus"] == "Stopped"
    ended = machine.end(execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Cancelled", "as asked")
    assert machine.events(execution, "TaskFailed") == []
    assert "Item" not in aws.client("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": "noted"}})


def test_a_stop_ends_the_wait_for_another_attempt(aws: EmbeddedAws, job_role: str, machine_role: str) -> None:
    aws.control.add_fault("sagemaker", operation="CreateProcessingJob", code="ThrottlingException", status=400)
    aws.control.reset_requests()
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5, "BackoffRate": 1}
    machine = Machine(aws, machine_role, processing(job_request(aws, job_role, ""), Retry=[retry]))
    execution = machine.start()
    wait_for(lambda: machine.events(execution, "TaskFailed"), "the first attempt")
    machine.client.stop_execution(executionArn=execution)
    time.sleep(1.5)
    assert machine.end(execution)["status"] == "ABORTED"
    assert aws.control.requests()["sagemaker"] == {"CreateProcessingJob": 1}


CONDITIONAL = {
    "TableName": TABLE,
    "Key": {"pk": {"S": "missing"}},
    "UpdateExpression": "SET #s = :s",
    "ConditionExpression": "attribute_exists(pk)",
    "ExpressionAttributeNames": {"#s": "status"},
    "ExpressionAttributeValues": {":s": {"S": "running"}},
}
TRANSACTION = {
    "TransactItems": [
        {"Put": {"TableName": TABLE, "Item": {"pk": {"S": "in-transaction"}}}},
        {"Update": CONDITIONAL},
    ]
}


@pytest.mark.parametrize(
    ("resource", "parameters", "error"),
    [
        ("arn:aws:states:::dynamodb:updateItem", CONDITIONAL, "DynamoDB.ConditionalCheckFailedException"),
        ("arn:aws:states:::aws-sdk:dynamodb:updateItem", CONDITIONAL, "DynamoDb.ConditionalCheckFailedException"),
        ("arn:aws:states:::aws-sdk:dynamodb:transactWriteItems", TRANSACTION, "DynamoDb.TransactionCanceledException"),
    ],
)
def test_refused_conditions_have_names(
    aws: EmbeddedAws, machine_role: str, resource: str, parameters: dict[str, Any], error: str
) -> None:
    ended = Machine(aws, machine_role, dynamodb(resource, parameters)).run()
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert "Item" not in aws.client("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": "in-transaction"}})


def test_a_transaction_is_written(aws: EmbeddedAws, machine_role: str) -> None:
    put = {"Put": {"TableName": TABLE, "Item": {"pk": {"S.$": "$.pk"}, "n": {"N": "1"}}}}
    parameters = {"TransactItems": [put, {"Delete": {"TableName": TABLE, "Key": {"pk": {"S": "other"}}}}]}
    machine = Machine(aws, machine_role, dynamodb("arn:aws:states:::aws-sdk:dynamodb:transactWriteItems", parameters))
    assert machine.run(pk="written")["status"] == "SUCCEEDED"
    assert aws.client("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": "written"}})["Item"]["n"] == {"N": "1"}


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("sagemaker:CreateProcessingJob", "SageMaker.AmazonSageMakerException"),
        ("sagemaker:StopProcessingJob", "SageMaker.AmazonSageMakerException"),
        ("iam:PassRole", "SageMaker.AmazonSageMakerException"),
        ("dynamodb:UpdateItem", "DynamoDB.AmazonDynamoDBException"),
        ("dynamodb:PutItem", "DynamoDb.DynamoDbException"),
        ("sns:Publish", "SNS.AmazonSNSException"),
    ],
)
def test_tasks_do_what_the_machines_role_may(aws: EmbeddedAws, job_role: str, action: str, error: str) -> None:
    statements = [one for one in machine_statements(aws, job_role) if one["Action"] != action]
    topic = aws.client("sns").create_topic(Name=new_name("topic"))["TopicArn"]
    states = {
        "sagemaker": processing(job_request(aws, job_role, ""))["Process"],
        "iam": processing(job_request(aws, job_role, ""))["Process"],
        "dynamodb:UpdateItem": dynamodb("arn:aws:states:::dynamodb:updateItem", CONDITIONAL)["Write"],
        "dynamodb:PutItem": dynamodb("arn:aws:states:::aws-sdk:dynamodb:transactWriteItems", TRANSACTION)["Write"],
        "sns": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Parameters": {"TopicArn": topic, "Message": "x"},
            "End": True,
        },
    }
    state = states.get(action) or states[action.partition(":")[0]]
    ended = Machine(aws, make_role(aws, statements, service="states"), {"Only": state}).run()
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert f"not authorized to perform: {action}" in ended["cause"]


def test_notices_reach_the_topic(aws: EmbeddedAws) -> None:
    topic = aws.client("sns").create_topic(Name=new_name("topic"))["TopicArn"]
    queue = subscribed_queue(aws, topic)
    role = make_role(aws, [{"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}], service="states")
    publish = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": topic, "Subject": "Failed", "Message.$": "States.Format('Job {} failed', $.job)"},
        "End": True,
    }
    assert Machine(aws, role, {"Notify": publish}).run(job="7")["status"] == "SUCCEEDED"
    assert received(aws, queue)["Message"] == "Job 7 failed"


def test_sync_needs_the_managed_rule(aws: EmbeddedAws, job_role: str) -> None:
    statements = [one for one in machine_statements(aws, job_role) if one["Action"] != "events:PutRule"]
    role = make_role(aws, statements, service="states")
    definition = {"StartAt": "Process", "States": processing({"ProcessingJobName": "x"})}
    refused = error_code(
        aws.client("stepfunctions").create_state_machine,
        name=new_name("machine"),
        definition=json.dumps(definition),
        roleArn=role,
    )
    assert refused == ("AccessDeniedException", 400)


def test_a_start_can_be_repeated_while_it_runs(aws: EmbeddedAws, machine_role: str) -> None:
    machine = Machine(aws, machine_role, {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}})
    start = {"stateMachineArn": machine.arn, "name": "one"}
    first = machine.client.start_execution(**start, input='{"a": 1}')
    again = machine.client.start_execution(**start, input='{"a": 1}')
    assert (first["executionArn"], first["startDate"]) == (again["executionArn"], again["startDate"])
    refusal = ("ExecutionAlreadyExists", 400)
    assert error_code(machine.client.start_execution, **start, input='{"a": 2}') == refusal
    machine.end(first["executionArn"])
    assert error_code(machine.client.start_execution, **start, input='{"a": 1}') == refusal
    executions = machine.client.list_executions(stateMachineArn=machine.arn)["executions"]
    assert [execution["name"] for execution in executions] == ["one"]


def log_lines_or_none(aws: EmbeddedAws, name: str) -> dict[str, list[str]]:
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    return log_lines(aws, name) if groups else {}
