"""AWS services as the handlers meet them, in memory: requests are checked against botocore's own service models."""

from __future__ import annotations

import csv
import io
import operator
import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

TABLE = "observations"
BUCKET = "results"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/work"
# Amazon SQS: the characters a message may contain, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference
_SENDABLE = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")

Item = dict[str, Any]
Key = tuple[str, str]


@cache
def real_client(service: str) -> Any:
    """A client that is never asked to send anything: for its service model and its exceptions."""
    return boto3.client(service, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")


def client_error(code: str, operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} of the test"}}, operation)


class Fake:
    """What the fakes share: recorded calls, checked parameters, prepared failures."""

    service = ""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        # By operation: what its next calls raise, in this order; None lets a call pass.
        self.failures: dict[str, list[Exception | None]] = {}
        # By operation: run once, after its next call has been carried out and before it is answered.
        self.afterwards: dict[str, Callable[[], None]] = {}
        self.lock = threading.RLock()
        self._service_model = real_client(self.service).meta.service_model  # made here, before there are threads

    def begin(self, operation: str, parameters: dict[str, Any]) -> None:
        """Check a request, remember it, and fail where the test says so."""
        model = self._service_model.operation_model(operation)
        report = ParamValidator().validate(parameters, model.input_shape)
        assert not report.has_errors(), report.generate_report()
        self.calls.append((operation, parameters))
        failures = self.failures.get(operation)
        error = failures.pop(0) if failures else None
        if error:
            raise error

    def end(self, operation: str) -> None:
        act = self.afterwards.pop(operation, None)
        if act:
            act()

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.calls)


class FakeDynamoDB(Fake):
    """Tables of items by company and record; evaluates condition expressions."""

    service = "dynamodb"

    def __init__(self) -> None:
        super().__init__()
        self.exceptions = real_client("dynamodb").exceptions
        self.items: dict[Key, Item] = {}
        # For the next transactions: positions and the code that each is cancelled with.
        self.cancellations: list[dict[int, str]] = []
        # For the next reads: how many keys are left unprocessed.
        self.unprocessed: list[int] = []

    def batch_get_item(self, **parameters: Any) -> dict[str, Any]:
        self.begin("BatchGetItem", parameters)
        [(table, request)] = parameters["RequestItems"].items()
        keys = [_key(key) for key in request["Keys"]]
        if len(keys) > 100 or len(set(keys)) != len(keys) or table != TABLE:
            raise client_error("ValidationException", "BatchGetItem")
        assert request["ConsistentRead"] is True, "a claim that was just written has to be seen"
        left = self.unprocessed.pop(0) if self.unprocessed else 0
        with self.lock:
            found = [dict(self.items[key]) for key in keys[left:] if key in self.items]
        unprocessed = {table: {"Keys": request["Keys"][:left]}} if left else {}
        self.end("BatchGetItem")
        return {"Responses": {table: found}, "UnprocessedKeys": unprocessed}

    def transact_write_items(self, **parameters: Any) -> dict[str, Any]:
        self.begin("TransactWriteItems", parameters)
        puts = [action["Put"] for action in parameters["TransactItems"]]
        keys = [_key(put["Item"]) for put in puts]
        if not 1 <= len(puts) <= 100 or len(set(keys)) != len(keys) or {put["TableName"] for put in puts} != {TABLE}:
            raise client_error("ValidationException", "TransactWriteItems")
        with self.lock:
            codes = [
                "None" if _holds(put, self.items.get(key)) else "ConditionalCheckFailed"
                for put, key in zip(puts, keys, strict=True)
            ]
            for position, code in (self.cancellations.pop(0) if self.cancellations else {}).items():
                codes[position] = code
            if set(codes) != {"None"}:
                raise self._cancelled(codes)
            self.items.update({key: dict(put["Item"]) for key, put in zip(keys, puts, strict=True)})
        self.end("TransactWriteItems")
        return {}

    def _cancelled(self, codes: list[str]) -> ClientError:
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": message},
            "CancellationReasons": [{"Code": code} for code in codes],
        }
        return self.exceptions.TransactionCanceledException(answer, "TransactWriteItems")


def _key(item: Item) -> Key:
    return item["company"]["S"], item["record"]["S"]


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, "<=": operator.le, "<": operator.lt}


def _holds(put: dict[str, Any], item: Item | None) -> bool:
    """Evaluate a condition of comparisons and attribute_not_exists, joined with AND and OR."""
    names, values = put.get("ExpressionAttributeNames", {}), put.get("ExpressionAttributeValues", {})
    expression = put["ConditionExpression"]
    used = set(re.findall(r"[#:]\w+", expression))
    assert used == {*names, *values}, "DynamoDB refuses names and values that are unused or undefined"
    return any(
        all(_term(term.strip(), item or {}, names, values) for term in alternative.split(" AND "))
        for alternative in expression.split(" OR ")
    )


def _term(term: str, item: Item, names: dict[str, str], values: dict[str, Any]) -> bool:
    absent = re.fullmatch(r"attribute_not_exists\((\S+)\)", term)
    if absent:
        return names.get(absent[1], absent[1]) not in item
    name, sign, value = term.split()
    have, want = item.get(names.get(name, name)), values[value]
    if have is None or have.keys() != want.keys():
        return False
    [(kind, left)], [right] = have.items(), want.values()
    return _COMPARISONS[sign](float(left), float(right)) if kind == "N" else _COMPARISONS[sign](left, right)


class FakeS3(Fake):
    """A bucket of objects."""

    service = "s3"

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.lose_answers = False

    def put_object(self, **parameters: Any) -> dict[str, Any]:
        self.begin("PutObject", parameters)
        assert parameters["Bucket"] == BUCKET
        self.objects[parameters["Key"]] = parameters["Body"]
        if self.lose_answers:
            raise TimeoutError("the answer was lost")
        self.end("PutObject")
        return {"ETag": "0"}

    def list_objects_v2(self, **parameters: Any) -> dict[str, Any]:
        self.begin("ListObjectsV2", parameters)
        assert parameters["Bucket"] == BUCKET
        keys = sorted(key for key in self.objects if key.startswith(parameters["Prefix"]))
        self.end("ListObjectsV2")
        return {"KeyCount": len(keys[: parameters.get("MaxKeys", 1000)])}

    def rows(self) -> list[dict[str, str]]:
        """The rows of all objects: what users query."""
        return [
            row
            for body in self.objects.values()
            for row in csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True)
        ]


class FakeSqs(Fake):
    """A queue that takes messages and delays."""

    service = "sqs"

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[str] = []
        self.delays: dict[str, int] = {}
        # For the next calls: Ids of the entries that are refused.
        self.refused: list[set[str]] = []

    def send_message_batch(self, **parameters: Any) -> dict[str, Any]:
        self.begin("SendMessageBatch", parameters)
        entries, refused = self._entries(parameters)
        bad = {entry["Id"] for entry in entries if not _SENDABLE.fullmatch(entry["MessageBody"])}
        taken = [entry for entry in entries if entry["Id"] not in refused | bad]
        with self.lock:
            self.bodies += [entry["MessageBody"] for entry in taken]
        failed = [{"Id": number, "SenderFault": True, "Code": "InvalidMessageContents"} for number in sorted(bad)]
        failed += [{"Id": number, "SenderFault": False, "Code": "InternalError"} for number in sorted(refused - bad)]
        answer = {"Successful": [{"Id": entry["Id"]} for entry in taken], "Failed": failed}
        return answer if failed else {"Successful": answer["Successful"]}

    def change_message_visibility_batch(self, **parameters: Any) -> dict[str, Any]:
        self.begin("ChangeMessageVisibilityBatch", parameters)
        entries, refused = self._entries(parameters)
        for entry in entries:
            assert 0 <= entry["VisibilityTimeout"] <= 43_200
            if entry["Id"] not in refused:
                self.delays[entry["ReceiptHandle"]] = entry["VisibilityTimeout"]
        return {"Failed": [{"Id": number, "SenderFault": True, "Code": "ReceiptHandleIsInvalid"} for number in refused]}

    def _entries(self, parameters: dict[str, Any]) -> tuple[list[dict[str, Any]], set[str]]:
        assert parameters["QueueUrl"] == QUEUE
        entries = parameters["Entries"]
        numbers = [entry["Id"] for entry in entries]
        if not 1 <= len(entries) <= 10 or len(set(numbers)) != len(numbers):
            raise client_error("AWS.SimpleQueueService.InvalidBatch")
        with self.lock:
            refused = self.refused.pop(0) if self.refused else set()
        return entries, refused & set(numbers)


class FakeComprehend(Fake):
    """Finds every text with `good` in it positive, the others neutral; answers from back to front."""

    service = "comprehend"

    def __init__(self) -> None:
        super().__init__()
        # By text: error codes of its next analyses.
        self.item_errors: dict[str, list[str]] = {}
        # Texts that make Comprehend refuse the whole call, and with what code.
        self.poison: dict[str, str] = {}

    def batch_detect_sentiment(self, **parameters: Any) -> dict[str, Any]:
        self.begin("BatchDetectSentiment", parameters)
        texts = parameters["TextList"]
        if not 1 <= len(texts) <= 25:
            raise client_error("BatchSizeLimitExceededException", "BatchDetectSentiment")
        for text in texts:
            if len(text.encode()) > 5000:
                raise client_error("TextSizeLimitExceededException", "BatchDetectSentiment")
            if text in self.poison:
                raise client_error(self.poison[text], "BatchDetectSentiment")
        answer: dict[str, list[Any]] = {"ResultList": [], "ErrorList": []}
        for index, text in reversed(list(enumerate(texts))):
            errors = self.item_errors.get(text)
            if errors:
                answer["ErrorList"].append({"Index": index, "ErrorCode": errors.pop(0), "ErrorMessage": "of the test"})
            else:
                answer["ResultList"].append({"Index": index, **_sentiment(text)})
        return answer

    def sent(self) -> list[list[str]]:
        """The texts of each call."""
        return [parameters["TextList"] for _, parameters in self.calls]


def _sentiment(text: str) -> dict[str, Any]:
    good = "good" in text
    scores = {"Positive": 0.91 if good else 0.04, "Negative": 0.02, "Neutral": 0.05 if good else 0.92, "Mixed": 0.02}
    return {"Sentiment": "POSITIVE" if good else "NEUTRAL", "SentimentScore": scores}
