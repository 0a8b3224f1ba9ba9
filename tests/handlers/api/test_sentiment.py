"""Sentiments of texts that a caller sends."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.handlers.api.harness import Api, Comprehend, User


@pytest.fixture
def comprehend(api: Api, monkeypatch: pytest.MonkeyPatch) -> Comprehend:
    fake = Comprehend()
    monkeypatch.setattr(api.modules["sentiment"], "comprehend", fake)
    monkeypatch.setattr("schema.retry.full_jitter", lambda *_: 0)
    return fake


def test_each_text_has_its_sentiment_in_one_call(ann: User, comprehend: Comprehend) -> None:
    texts = [f"Text {number} 🎵" for number in range(25)]
    answer = ann.ok("sentiment", body={"texts": texts, "language": "de"})
    scores = {"positive": 0.9, "negative": 0.05, "neutral": 0.04, "mixed": 0.01}
    assert answer["sentiments"] == [{"label": "POSITIVE", "scores": scores, "error": None}] * 25
    assert comprehend.calls == [{"TextList": texts, "LanguageCode": "de"}]


def test_one_texts_failure_is_not_anothers(ann: User, comprehend: Comprehend) -> None:
    answer = ann.ok("sentiment", body={"texts": ["fine", "UNSUPPORTED_LANGUAGE", "INTERNAL_SERVER_ERROR", "good"]})
    fine, unsupported, failed, good = answer["sentiments"]
    assert fine["label"] == good["label"] == "POSITIVE"
    assert (unsupported["label"], unsupported["error"]) == (None, "The text cannot be analysed.")
    assert "Try again" in failed["error"]
    assert len(comprehend.calls) == 4, "what may pass is tried again"


def test_a_text_for_which_comprehend_refuses_the_whole_call_fails_alone(
    ann: User, comprehend: Comprehend, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect = comprehend.batch_detect_sentiment

    def refusing(**request: Any) -> Any:
        if "spoilt" in request["TextList"]:
            raise ClientError({"Error": {"Code": "InvalidRequestException", "Message": ""}}, "BatchDetectSentiment")
        return detect(**request)

    monkeypatch.setattr(comprehend, "batch_detect_sentiment", refusing)
    fine, spoilt, good = ann.ok("sentiment", body={"texts": ["fine", "spoilt", "good"]})["sentiments"]
    assert fine["label"] == good["label"] == "POSITIVE"
    assert spoilt["error"] == "The text cannot be analysed."


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({"texts": []}, 422, ["texts"]),
        ({"texts": ["x"] * 26}, 413, ["texts"]),
        ({"texts": ["x", ""]}, 422, ["texts[1]"]),
        ({"texts": ["x", "ä" * 2501, "y", "ä" * 5000]}, 422, ["texts[1]", "texts[3]"]),
        ({"texts": ["x"], "language": "xx"}, 422, ["language"]),
        ({"texts": "x", "language": 1, "more": 1}, 422, ["more", "texts", "language"]),
    ],
)
def test_what_is_too_much_or_wrong_is_named(
    ann: User, comprehend: Comprehend, body: Any, status: int, wrong: list[str]
) -> None:
    response = ann("sentiment", body=body)
    assert (response.status, response.wrong) == (status, wrong)
    assert comprehend.calls == []


def test_throttling_is_told_and_a_repeated_request_is_not_paid_twice(
    ann: User, comprehend: Comprehend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "BatchDetectSentiment")

    body = {"texts": ["fine"]}
    with monkeypatch.context() as patched:
        patched.setattr(comprehend, "batch_detect_sentiment", throttled)
        response = ann("sentiment", body=body)
    assert (response.status, response.problem) == (429, "too-many-requests")
    assert response.headers["retry-after"] == "1"
    assert ann("sentiment", body=body, key="paid") == ann("sentiment", body=body, key="paid")
    assert len(comprehend.calls) == 1
