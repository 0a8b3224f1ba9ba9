"""Comprehend's answers: real analysis, the service's limits and its error shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.aws.language.comprehend import answer
from local.aws.language.sentiment import analyse
from local.aws.text_source import TextSource
from local.samples.generated_texts import generated_text
from schema.languages import COMPREHEND
from schema.limits import COMPREHEND_TEXT_BYTES


def ask(operation: str, **request: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    status, headers, body = answer(operation, json.dumps(request).encode())
    return status, headers, json.loads(body)


def refusal(operation: str, **request: Any) -> str:
    status, headers, body = ask(operation, **request)
    assert status == 400
    assert headers["x-amzn-errortype"] == body["__type"]
    assert body["message"]
    return body["__type"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Customers love its excellent service. It won awards for a great product.", "POSITIVE"),
        ("It was sued for fraud. Workers protested against terrible conditions.", "NEGATIVE"),
        ("It makes shoes. Its head office is in Oregon.", "NEUTRAL"),
        ("Customers love its wonderful service. It was sued for terrible fraud.", "MIXED"),
        ("", "NEUTRAL"),
        ("会社は東京にあります。", "NEUTRAL"),
    ],
)
def test_labels(text: str, label: str) -> None:
    assert analyse(text).label == label


@given(st.text(max_size=400))
@settings(max_examples=100, deadline=None)
def test_scores_are_confidences_that_make_one(text: str) -> None:
    scores = analyse(text)
    assert all(0 <= score <= 1 for score in scores)
    assert sum(scores) == pytest.approx(1, abs=1e-9)
    assert analyse(text) == scores


def test_the_sample_texts_have_every_tone() -> None:
    source = TextSource.from_files()
    labels = [analyse(source.extract(title)).label for title in source.titles]
    assert len(labels) >= 60
    assert all(labels.count(label) >= 8 for label in ("POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"))


def test_generated_texts_have_every_tone() -> None:
    labels = {analyse(generated_text(number, "Company")).label for number in range(20)}
    assert labels == {"POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"}


def test_only_the_first_5000_bytes_count() -> None:
    filler = "It makes shoes. " * 400
    assert analyse(filler + "It is terrible, hated and criminal. " * 500) == analyse(filler)


def test_one_document() -> None:
    status, headers, body = ask("DetectSentiment", Text="Wonderful!", LanguageCode="en")
    assert status == 200
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert body["Sentiment"] == "POSITIVE"
    assert set(body["SentimentScore"]) == {"Positive", "Negative", "Neutral", "Mixed"}


def test_a_batch_reports_bad_documents_and_answers_the_rest() -> None:
    texts = ["Wonderful!", "", "é" * (COMPREHEND_TEXT_BYTES // 2 + 1), "Terrible!"]
    status, _, body = ask("BatchDetectSentiment", TextList=texts, LanguageCode="en")
    assert status == 200
    assert [(item["Index"], item["Sentiment"]) for item in body["ResultList"]] == [(0, "POSITIVE"), (3, "NEGATIVE")]
    errors = [(item["Index"], item["ErrorCode"]) for item in body["ErrorList"]]
    assert errors == [(1, "INVALID_REQUEST"), (2, "TEXT_SIZE_LIMIT_EXCEEDED")]
    assert all(item["ErrorMessage"] for item in body["ErrorList"])


def test_limits_are_inclusive() -> None:
    texts = ["x" * COMPREHEND_TEXT_BYTES] * 25
    status, _, body = ask("BatchDetectSentiment", TextList=texts, LanguageCode="en")
    assert (status, len(body["ResultList"]), body["ErrorList"]) == (200, 25, [])


@pytest.mark.parametrize("language", COMPREHEND)
def test_supported_languages(language: str) -> None:
    assert ask("DetectSentiment", Text="x", LanguageCode=language)[0] == 200


def test_refusals() -> None:
    single, batch = "DetectSentiment", "BatchDetectSentiment"
    assert refusal(single, Text="", LanguageCode="en") == "InvalidRequestException"
    assert refusal(single, LanguageCode="en") == "InvalidRequestException"
    assert refusal(single, Text="x") == "InvalidRequestException"
    assert refusal(single, Text="x" * 5001, LanguageCode="en") == "TextSizeLimitExceededException"
    assert refusal(single, Text="x", LanguageCode="nl") == "UnsupportedLanguageException"
    assert refusal(batch, TextList=[], LanguageCode="en") == "InvalidRequestException"
    assert refusal(batch, TextList=[1], LanguageCode="en") == "InvalidRequestException"
    assert refusal(batch, TextList=["x"] * 26, LanguageCode="en") == "BatchSizeLimitExceededException"
    assert refusal(batch, TextList=["x"], LanguageCode="nl") == "UnsupportedLanguageException"
    assert refusal("DetectEntities", Text="x") == "UnknownOperationException"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object(body: bytes) -> None:
    status, _, text = answer("DetectSentiment", body)
    assert (status, json.loads(text)["__type"]) == (400, "SerializationException")


def test_languages_and_key_phrases() -> None:
    text = "The company opened a new office in Berlin."
    _, _, body = ask("DetectDominantLanguage", Text=text)
    assert body["Languages"][0]["LanguageCode"] == "en"
    _, _, body = ask("DetectKeyPhrases", Text=text, LanguageCode="en")
    for phrase in body["KeyPhrases"]:
        assert text[phrase["BeginOffset"] : phrase["EndOffset"]] == phrase["Text"]
    assert "Berlin" in [phrase["Text"] for phrase in body["KeyPhrases"]]


@pytest.mark.parametrize(
    ("operation", "key"), [("BatchDetectDominantLanguage", "Languages"), ("BatchDetectKeyPhrases", "KeyPhrases")]
)
def test_other_batches_report_bad_documents_and_answer_the_rest(operation: str, key: str) -> None:
    texts = ["A good day.", "", "x" * (COMPREHEND_TEXT_BYTES + 1)]
    language = {} if key == "Languages" else {"LanguageCode": "en"}
    _, _, body = ask(operation, TextList=texts, **language)
    assert [(item["Index"], bool(item[key])) for item in body["ResultList"]] == [(0, True)]
    errors = [(item["Index"], item["ErrorCode"]) for item in body["ErrorList"]]
    assert errors == [(1, "INVALID_REQUEST"), (2, "TEXT_SIZE_LIMIT_EXCEEDED")]
    assert refusal(operation, TextList=["x"] * 26, **language) == "BatchSizeLimitExceededException"


def test_refusals_of_languages_and_key_phrases() -> None:
    assert refusal("DetectDominantLanguage", Text="") == "InvalidRequestException"
    assert refusal("DetectDominantLanguage", Text="x" * 100_001) == "TextSizeLimitExceededException"
    assert refusal("DetectKeyPhrases", Text="x") == "InvalidRequestException"
    assert refusal("DetectKeyPhrases", Text="x", LanguageCode="nl") == "UnsupportedLanguageException"
    assert ask("DetectKeyPhrases", Text="x" * 100_000, LanguageCode="en")[0] == 200
