"""DocumentStore: the table and bucket of projects, and the withdrawal of late uploads."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from components.blocks.compute.function_defaults import FunctionDefaults
from components.document_store import DocumentStore, DocumentStoreArgs
from schema.ids import ANY_ID
from tests.support.pulumi_mocks import SUFFIX, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:index:DocumentStore"
FUNCTION = "aws:lambda/function:Function"
POLICY = "aws:iam/rolePolicy:RolePolicy"
TABLE = "aws:dynamodb/table:Table"
PARTS = {"cloud-nlp:blocks:Table": 1, "cloud-nlp:blocks:PrivateBucket": 1, "cloud-nlp:blocks:PythonFunction": 1}


def declare(preview: bool = False, **arguments: Any) -> Evaluation:
    args = DocumentStoreArgs(functions=FunctionDefaults(layers=[]), **arguments)
    return evaluate(lambda: DocumentStore("store", args) and None, preview=preview)


def test_parts_belong_to_the_store() -> None:
    assert declare().children(COMPONENT) == PARTS


@pytest.mark.parametrize("preview", [False, True])
def test_one_statement_makes_a_store(preview: bool, build_layer: mock.Mock) -> None:
    evaluation = evaluate(lambda: DocumentStore("store") and None, preview=preview)
    assert evaluation.children(COMPONENT) == PARTS
    assert len(evaluation.of("aws:lambda/layerVersion:LayerVersion")) == build_layer.call_count == 1
    assert not [one for one in evaluation.resources if one.protect]


def test_table_has_its_indexes_and_expiry() -> None:
    table = declare().one(TABLE, "store-documents").inputs
    indexes = {
        index["name"]: ([key["attributeName"] for key in index["keySchemas"]], index["projectionType"])
        for index in table["globalSecondaryIndexes"]
    }
    assert (table["hashKey"], table["rangeKey"], table["ttl"]["attributeName"]) == ("pk", "sk", "expires_at")
    assert indexes == {
        "by-membership": (["membership", "project"], "ALL"),
        "by-user": (["user", "project"], "ALL"),
        "by-status": (["project_status", "job"], "ALL"),
    }


def test_uploads_that_do_not_count_are_withdrawn() -> None:
    evaluation = declare()
    withdraw = evaluation.one(FUNCTION, "store-withdraw")
    assert withdraw.inputs["handler"] == "handlers.uploads.withdraw.handler"
    assert withdraw.inputs["environment"]["variables"] == {
        "DOCUMENTS_TABLE": f"store-documents{SUFFIX}",
        "DOCUMENTS_BUCKET": f"store-files{SUFFIX}",
        "LOG_LEVEL": "INFO",
    }
    [notification] = evaluation.one("aws:s3/bucketNotification:BucketNotification").inputs["lambdaFunctions"]
    assert notification == {
        "lambdaFunctionArn": arn_of(FUNCTION, "store-withdraw"),
        "events": ["s3:ObjectCreated:Post"],
        "filterPrefix": "projects/",
    }
    statements = evaluation.document(POLICY, "store-withdraw")["Statement"][2:]
    assert [(one["Action"], one["Resource"]) for one in statements] == [
        (["sqs:SendMessage"], [arn_of("aws:sqs/queue:Queue", "store-withdraw-failures")]),
        (["dynamodb:BatchGetItem", "dynamodb:UpdateItem"], [arn_of(TABLE, "store-documents")]),
        (["s3:DeleteObjectVersion"], [f"arn:aws:s3:::store-files{SUFFIX}/projects/{ANY_ID}/documents/*"]),
    ]


def test_pages_of_named_origins_may_post_documents() -> None:
    origins = ["https://app.example.com"]
    evaluation = declare(upload_origins=origins)
    rules = evaluation.one("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration").inputs["corsRules"]
    assert [rule["allowedOrigins"] for rule in rules] == [origins]


@pytest.mark.parametrize("protect", [False, True])
def test_table_and_bucket_are_protected_when_asked_and_only_then(protect: bool) -> None:
    protected = {one.name for one in declare(protect=protect).resources if one.protect}
    assert protected == ({"store-documents", "store-files"} if protect else set())


def test_preview_declares_the_same_resources() -> None:
    assert [repr(one) for one in declare(preview=True).resources] == [repr(one) for one in declare().resources]
