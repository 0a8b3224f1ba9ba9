"""Baseline: a Lambda function that makes the AWS calls of each endpoint of the API, and does nothing else.

One after another, with boto3 as it comes: no checks, no answers, no logs, no metrics.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3

dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
stepfunctions, comprehend = boto3.client("stepfunctions"), boto3.client("comprehend")
TABLE, BUCKET, MACHINE = os.environ["DOCUMENTS_TABLE"], os.environ["DOCUMENTS_BUCKET"], os.environ["STATE_MACHINE"]
COMPANIES, OBSERVATIONS = os.environ["COMPANIES_TABLE"], os.environ["OBSERVATIONS_TABLE"]

Request = dict[str, Any]


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Make the calls of the endpoint whose route it is, `/bare` aside."""
    request = {
        **event.get("queryStringParameters", {}),
        **(event.get("pathParameters") or {}),
        **json.loads(event.get("body") or "{}"),
        "caller": event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"],
    }
    CALLS[event["routeKey"].replace("/bare", "")](request)
    return {"statusCode": 200, "body": "{}"}


def list_projects(request: Request) -> None:
    found: list[dict[str, Any]] = []
    for name, value in (("membership", f"{request['caller']}#active"), ("user", request["caller"])):
        page = dynamodb.query(
            TableName=TABLE,
            IndexName=f"by-{name}",
            KeyConditionExpression="#name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": {"S": value}},
            ScanIndexForward=False,
            Limit=int(request["limit"]) + 1,
        )
        found += page["Items"]
    keys = [project_key({"project": item["project"]["S"]}) for item in found[: int(request["limit"])]]
    dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})


def create_project(request: Request) -> None:
    project = str(uuid.uuid4())
    item = {**project_key({"project": project}), "name": {"S": request["name"]}, "owner": {"S": request["caller"]}}
    listed = {"membership": {"S": f"{request['caller']}#active"}, "project": {"S": project}}
    member = {**key({"project": project}, "MEMBER#"), **listed}
    dynamodb.transact_write_items(TransactItems=[put(item), put(member)])


def get_project(request: Request) -> None:
    dynamodb.get_item(TableName=TABLE, Key=project_key(request), ConsistentRead=True)


def change_project(request: Request) -> None:
    dynamodb.update_item(
        TableName=TABLE,
        Key=project_key(request),
        UpdateExpression="SET #name = :name",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":name": {"S": request["name"]}},
    )


def archive_project(request: Request) -> None:
    get_project(request)
    checks = [check(key(request, f"RUNNING#{kind}"), "attribute_not_exists(pk)") for kind in ("translate", "analyse")]
    changed = update(project_key(request), "#active", "active", {"BOOL": False})
    member = put({**key(request, "MEMBER#"), "membership": {"S": f"{request['caller']}#archived"}})
    dynamodb.transact_write_items(TransactItems=[changed, *checks, member])


def list_documents(request: Request) -> None:
    get_project(request)
    query(request, "DOCUMENT#")
    s3.list_objects_v2(Bucket=BUCKET, Prefix=documents_of(request))


def create_document(request: Request) -> None:
    get_project(request)
    dynamodb.put_item(TableName=TABLE, Item={**key(request, f"DOCUMENT#{uuid.uuid4()}"), "name": {"S": "a.txt"}})


def delete_document(request: Request) -> None:
    document = key(request, f"DOCUMENT#{request['document']}")
    dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": [project_key(request), document], "ConsistentRead": True}})
    s3.delete_object(Bucket=BUCKET, Key=f"{documents_of(request)}{request['document']}/a.txt")
    dynamodb.delete_item(TableName=TABLE, Key=document)


def list_jobs(request: Request) -> None:
    get_project(request)
    query(request, "JOB#")


def create_job(request: Request) -> None:
    job = str(uuid.uuid4())
    get_project(request)
    s3.list_objects_v2(Bucket=BUCKET, Prefix=documents_of(request), MaxKeys=1)
    written = [put({**key(request, f"JOB#{job}"), "job": {"S": job}}), put(key(request, "RUNNING#analyse"))]
    dynamodb.transact_write_items(TransactItems=[*written, check(project_key(request), "attribute_exists(pk)")])
    stepfunctions.start_execution(stateMachineArn=MACHINE, name=job, input="{}")


def get_job(request: Request) -> None:
    keys = [project_key(request), key(request, f"JOB#{request['job']}")]
    dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})


def cancel_job(request: Request) -> None:
    get_job(request)
    cancelled = update(key(request, f"JOB#{request['job']}"), "#status", "status", {"S": "cancelled"})
    released = {"Delete": {"TableName": TABLE, "Key": key(request, "RUNNING#analyse")}}
    dynamodb.transact_write_items(TransactItems=[cancelled, released])
    execution = MACHINE.replace(":stateMachine:", ":execution:") + ":" + request["job"]
    stepfunctions.stop_execution(executionArn=execution, cause="cancelled")


def list_results(request: Request) -> None:
    get_job(request)
    s3.list_objects_v2(Bucket=BUCKET, Prefix=f"results/{request['project']}/{request['job']}/")


def list_companies(request: Request) -> None:
    found = dynamodb.scan(TableName=COMPANIES, Limit=int(request["limit"]))
    keys = [{"company": item["name"], "record": {"S": "latest"}} for item in found["Items"]]
    dynamodb.batch_get_item(RequestItems={OBSERVATIONS: {"Keys": keys}})


def get_company(request: Request) -> None:
    dynamodb.get_item(TableName=COMPANIES, Key={"name": {"S": request["name"]}})
    dynamodb.query(
        TableName=OBSERVATIONS,
        KeyConditionExpression="#company = :company",
        ExpressionAttributeNames={"#company": "company"},
        ExpressionAttributeValues={":company": {"S": request["name"]}},
        ScanIndexForward=False,
        Limit=50,
    )


def change_companies(request: Request) -> None:
    keys = [{"name": {"S": change["name"]}} for change in request["changes"]]
    dynamodb.batch_get_item(RequestItems={COMPANIES: {"Keys": keys, "ConsistentRead": True}})


def put_company(request: Request) -> None:
    dynamodb.update_item(
        TableName=COMPANIES,
        Key={"name": {"S": request["name"]}},
        UpdateExpression="SET #page = :page, #added_at = :now",
        ExpressionAttributeNames={"#page": "page", "#added_at": "added_at"},
        ExpressionAttributeValues={":page": {"S": request["page"]}, ":now": {"S": time.strftime("%FT%TZ")}},
    )


def delete_company(request: Request) -> None:
    dynamodb.delete_item(TableName=COMPANIES, Key={"name": {"S": request["name"]}})


def analyse(request: Request) -> None:
    comprehend.batch_detect_sentiment(TextList=request["texts"], LanguageCode=request["language"])


CALLS: dict[str, Callable[[Request], None]] = {
    "GET /projects": list_projects,
    "POST /projects": create_project,
    "GET /projects/{project}": get_project,
    "PATCH /projects/{project}": change_project,
    "DELETE /projects/{project}": archive_project,
    "GET /projects/{project}/documents": list_documents,
    "POST /projects/{project}/documents": create_document,
    "DELETE /projects/{project}/documents/{document}": delete_document,
    "GET /projects/{project}/jobs": list_jobs,
    "POST /projects/{project}/jobs": create_job,
    "GET /projects/{project}/jobs/{job}": get_job,
    "DELETE /projects/{project}/jobs/{job}": cancel_job,
    "GET /projects/{project}/jobs/{job}/results": list_results,
    "GET /companies": list_companies,
    "POST /companies": change_companies,
    "GET /companies/{name+}": get_company,
    "PUT /companies/{name+}": put_company,
    "DELETE /companies/{name+}": delete_company,
    "POST /sentiment": analyse,
}


def key(request: Request, sk: str) -> dict[str, Any]:
    return {"pk": {"S": f"PROJECT#{request['project']}"}, "sk": {"S": sk}}


def project_key(request: Request) -> dict[str, Any]:
    return key(request, "PROJECT")


def documents_of(request: Request) -> str:
    return f"projects/{request['project']}/documents/"


def query(request: Request, prefix: str) -> None:
    dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": f"PROJECT#{request['project']}"}, ":prefix": {"S": prefix}},
        ScanIndexForward=False,
        Limit=int(request["limit"]) + 1,
        ConsistentRead=True,
    )


def put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": item}}


def check(of: dict[str, Any], condition: str) -> dict[str, Any]:
    return {"ConditionCheck": {"TableName": TABLE, "Key": of, "ConditionExpression": condition}}


def update(of: dict[str, Any], placeholder: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": of,
            "UpdateExpression": f"SET {placeholder} = :value",
            "ExpressionAttributeNames": {placeholder: name},
            "ExpressionAttributeValues": {":value": value},
        }
    }
