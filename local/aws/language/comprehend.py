"""Amazon Comprehend for ministack: sentiment, dominant language and key phrases, of one text or of a batch.

The answers come from `sentiment`, `languages` and `key_phrases` beside this module; limits and errors are
Comprehend's.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from local.aws import json_service
from local.aws.json_service import Request, Response, ServiceError, operation_of, register
from local.aws.language.key_phrases import key_phrases
from local.aws.language.languages import detect_languages
from local.aws.language.sentiment import analyse
from schema.languages import COMPREHEND
from schema.limits import COMPREHEND_TEXT_BYTES, COMPREHEND_TEXTS

SERVICE = "comprehend"
TARGET_PREFIX = "Comprehend_20171127"

# Bytes of one text of DetectDominantLanguage and DetectKeyPhrases: Amazon Comprehend API Reference.
_LONG_TEXT_BYTES = 100_000

# Answers for one text in a language; the language is empty where the operation detects it.
Analysis = Callable[[str, str], dict[str, Any]]


def install() -> None:
    """Add Comprehend to ministack."""
    register(SERVICE, TARGET_PREFIX, handle_request)


async def handle_request(
    method: str,  # noqa: ARG001 - the signature of every ministack handler
    path: str,  # noqa: ARG001
    headers: dict[str, str],
    body: bytes,
    query: dict[str, list[str]],  # noqa: ARG001
) -> Response:
    """Answer one Comprehend request in the JSON 1.1 protocol."""
    # Off the event loop: 25 documents take some 50 ms, during which every other service would stand still.
    return await asyncio.to_thread(answer, operation_of(headers), body)


def answer(operation: str, body: bytes) -> Response:
    """Return status, headers and body of the answer to a request.

    Parameters
    ----------
    operation
        Operation as named in the ``X-Amz-Target`` header, without the prefix.
    body
        JSON text of the request.
    """
    return json_service.answer(_OPERATIONS, operation, body)


def _sentiment(text: str, _language: str) -> dict[str, Any]:
    return analyse(text).as_sentiment()


def _languages(text: str, _language: str) -> dict[str, Any]:
    found = detect_languages(text)
    return {"Languages": [{"LanguageCode": language.code, "Score": language.score} for language in found]}


def _phrases(text: str, language: str) -> dict[str, Any]:
    return {
        "KeyPhrases": [
            {"Text": phrase.text, "Score": phrase.score, "BeginOffset": phrase.begin, "EndOffset": phrase.end}
            for phrase in key_phrases(text, language)
        ]
    }


def _detect(analysis: Analysis, max_bytes: int, with_language: bool, request: Request) -> Request:
    text = request.get("Text")
    if not isinstance(text, str) or not text:
        raise ServiceError("InvalidRequestException", "Text must have length greater than or equal to 1.")
    language = _language_of(request) if with_language else ""
    size = len(text.encode())
    if size > max_bytes:
        raise ServiceError("TextSizeLimitExceededException", _too_long(size, max_bytes))
    return analysis(text, language)


def _detect_batch(analysis: Analysis, with_language: bool, request: Request) -> Request:
    texts = request.get("TextList")
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ServiceError("InvalidRequestException", "TextList must be a list of 1 to 25 texts.")
    if len(texts) > COMPREHEND_TEXTS:
        raise ServiceError(
            "BatchSizeLimitExceededException",
            f"The number of documents in the request ({len(texts)}) exceeds the limit of {COMPREHEND_TEXTS}.",
        )
    language = _language_of(request) if with_language else ""
    results: list[Request] = []
    errors: list[Request] = []
    for index, text in enumerate(texts):
        problem = _document_problem(text)
        if problem:
            code, message = problem
            errors.append({"Index": index, "ErrorCode": code, "ErrorMessage": message})
        else:
            results.append({"Index": index, **analysis(text, language)})
    return {"ResultList": results, "ErrorList": errors}


_OPERATIONS: dict[str, json_service.Operation] = {
    "DetectSentiment": functools.partial(_detect, _sentiment, COMPREHEND_TEXT_BYTES, True),
    "DetectDominantLanguage": functools.partial(_detect, _languages, _LONG_TEXT_BYTES, False),
    "DetectKeyPhrases": functools.partial(_detect, _phrases, _LONG_TEXT_BYTES, True),
    "BatchDetectSentiment": functools.partial(_detect_batch, _sentiment, True),
    "BatchDetectDominantLanguage": functools.partial(_detect_batch, _languages, False),
    "BatchDetectKeyPhrases": functools.partial(_detect_batch, _phrases, True),
}


def _document_problem(text: str) -> tuple[str, str] | None:
    if not text:
        return "INVALID_REQUEST", "The document is empty."
    size = len(text.encode())
    if size > COMPREHEND_TEXT_BYTES:
        return "TEXT_SIZE_LIMIT_EXCEEDED", _too_long(size, COMPREHEND_TEXT_BYTES)
    return None


def _too_long(size: int, limit: int) -> str:
    return f"The text has {size} bytes in UTF-8, which exceeds the limit of {limit} bytes."


def _language_of(request: Request) -> str:
    language = request.get("LanguageCode")
    if not isinstance(language, str) or not language:
        raise ServiceError("InvalidRequestException", "LanguageCode is required.")
    if language not in COMPREHEND:
        raise ServiceError(
            "UnsupportedLanguageException",
            f"Language {language} is not supported. Supported languages: {', '.join(COMPREHEND)}.",
        )
    return language
