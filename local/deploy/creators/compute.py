"""Creators of Lambda functions and of what starts them."""

from __future__ import annotations

from local.deploy.creators.common import Context, Created, Creator, Inputs, archive_bytes, only, parts


def _layer(context: Context, inputs: Inputs) -> Created:
    version = context.client("lambda").publish_layer_version(
        LayerName=inputs["layerName"],
        Content={"ZipFile": archive_bytes(inputs["code"])},
        CompatibleRuntimes=list(inputs["compatibleRuntimes"]),
        CompatibleArchitectures=list(inputs["compatibleArchitectures"]),
    )
    return version["LayerVersionArn"], {"arn": version["LayerVersionArn"]}


def _function(context: Context, inputs: Inputs) -> Created:
    lambda_ = context.client("lambda")
    made = lambda_.create_function(
        FunctionName=context.unique,
        Runtime=inputs["runtime"],
        Architectures=list(inputs["architectures"]),
        Role=inputs["role"],
        Handler=inputs["handler"],
        Code={"ZipFile": archive_bytes(inputs["code"])},
        Timeout=int(inputs["timeout"]),
        MemorySize=int(inputs["memorySize"]),
        Layers=list(inputs["layers"]),
        Environment={"Variables": dict(inputs["environment"]["variables"])},
        TracingConfig={"Mode": inputs["tracingConfig"]["mode"]},
        LoggingConfig=only(
            inputs["loggingConfig"],
            logFormat="LogFormat",
            logGroup="LogGroup",
            systemLogLevel="SystemLogLevel",
            applicationLogLevel="ApplicationLogLevel",
        ),
    )
    lambda_.get_waiter("function_active_v2").wait(
        FunctionName=context.unique, WaiterConfig={"Delay": 0.2, "MaxAttempts": 150}
    )
    if inputs.get("reservedConcurrentExecutions") is not None:
        lambda_.put_function_concurrency(
            FunctionName=context.unique,
            ReservedConcurrentExecutions=int(inputs["reservedConcurrentExecutions"]),
        )
    return context.unique, {"name": context.unique, "arn": made["FunctionArn"]}


def _function_invoke_config(context: Context, inputs: Inputs) -> Created:
    destination = inputs["destinationConfig"]["onFailure"]["destination"]
    context.client("lambda").put_function_event_invoke_config(
        FunctionName=inputs["functionName"],
        MaximumRetryAttempts=int(inputs["maximumRetryAttempts"]),
        MaximumEventAgeInSeconds=int(inputs["maximumEventAgeInSeconds"]),
        DestinationConfig={"OnFailure": {"Destination": destination}},
    )
    return inputs["functionName"], {}


def _event_source(context: Context, inputs: Inputs) -> Created:
    mapping = context.client("lambda").create_event_source_mapping(
        EventSourceArn=inputs["eventSourceArn"],
        FunctionName=inputs["functionName"],
        BatchSize=int(inputs["batchSize"]),
        MaximumBatchingWindowInSeconds=int(inputs["maximumBatchingWindowInSeconds"]),
        FunctionResponseTypes=list(inputs["functionResponseTypes"]),
        ScalingConfig={"MaximumConcurrency": int(inputs["scalingConfig"]["maximumConcurrency"])},
    )
    return mapping["UUID"], {"uuid": mapping["UUID"]}


def _function_permission(context: Context, inputs: Inputs) -> Created:
    names = ("action", "principal", "sourceArn", "sourceAccount", "eventSourceToken", "qualifier")
    statement = inputs.get("statementId") or context.unique
    context.client("lambda").add_permission(
        FunctionName=inputs["function"], StatementId=statement, **parts(inputs, *names)
    )
    return statement, {}


CREATORS: dict[str, Creator] = {
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _function_invoke_config,
    "aws:lambda/layerVersion:LayerVersion": _layer,
    "aws:lambda/permission:Permission": _function_permission,
}
