"""Amazon Comprehend for ministack: DetectSentiment and BatchDetectSentiment with real analysis.

The analysis is VADER, a lexicon and rule based analyser for English. Text in another supported language is accepted, as
by Comprehend, but the lexicon knows few of its words, so it mostly comes out as NEUTRAL.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

SERVICE = "comprehend"
TARGET_PREFIX = "Comprehend_20171127"

# Limits and languages: Amazon Comprehend API Reference, BatchDetectSentiment and DetectSentiment.
MAX_DOCUMENTS = 25
MAX_DOCUMENT_BYTES = 5_000
LANGUAGES = frozenset({"en", "es", "fr", "de", "it", "pt", "ar", "hi", "ja", "ko", "zh", "zh-TW"})

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# A reference text about a company is mostly neutral words even where it praises or blames, and one or two words make a
# sentence an opinion, so neutral weighs less. The exponent turns shares into confident scores, as Comprehend gives.
_NEUTRAL_WEIGHT = 0.55
_CONFIDENCE_EXPONENT = 3
_SCORE_DIGITS = 6

Response = tuple[int, dict[str, str], bytes]


class Scores(NamedTuple):
    """Confidence in each of Comprehend's four sentiments, from 0 to 1, 1 in total."""

    positive: float
    negative: float
    neutral: float
    mixed: float

    @property
    def label(self) -> str:
        """The sentiment with the highest score; the first of the fields wins a tie."""
        return self._fields[self.index(max(self))].upper()

    def as_sentiment(self) -> dict[str, Any]:
        """Return the scores as Comprehend writes them in its answers."""
        return {
            "Sentiment": self.label,
            "SentimentScore": {name.capitalize(): score for name, score in self._asdict().items()},
        }


class ComprehendError(Exception):
    """A request that Comprehend refuses as a whole."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def register() -> None:
    """Add Comprehend to ministack: its routing, its IAM namespace and its handler."""
    from ministack import app
    from ministack.core import iam_actions, router

    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET_PREFIX], "host_patterns": []}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    iam_actions._DENIED_CODES[SERVICE] = "AccessDeniedException"
    handlers: dict[str, Any] = app.SERVICE_HANDLERS
    handlers[SERVICE] = handle_request


async def handle_request(
    method: str,  # noqa: ARG001 - the signature of every ministack handler
    path: str,  # noqa: ARG001
    headers: dict[str, str],
    body: bytes,
    query: dict[str, list[str]],  # noqa: ARG001
) -> Response:
    """Answer one Comprehend request in the JSON 1.1 protocol."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    # Off the event loop: 25 documents take some 50 ms, during which every other service would stand still.
    return await asyncio.to_thread(answer, operation, body)


def answer(operation: str, body: bytes) -> Response:
    """Return status, headers and body of the answer to a request.

    Parameters
    ----------
    operation
        Operation as named in the ``X-Amz-Target`` header, without the prefix.
    body
        JSON text of the request.
    """
    try:
        act = _OPERATIONS.get(operation)
        if act is None:
            raise ComprehendError("UnknownOperationException", f"Operation {operation} is not known.")
        return _response(200, act(_parse(body)))
    except ComprehendError as error:
        return _response(400, {"__type": error.code, "message": error.message}, error.code)


def analyse(text: str) -> Scores:
    """Return the scores of a text.

    VADER gives each sentence a compound value from -1 to 1. The means of the positive parts (P) and of the negative
    parts (N) over all sentences say how much praise and how much blame there is, and 1 - P - N is what is left:
    neutral. Where both are there, they are mixed in the measure of their balance b = min(P, N) / max(P, N), so

        positive = P (1 - b)    negative = N (1 - b)    mixed = (P + N) b    neutral = 1 - P - N

    which make 1. Neutral is then weighed down, all four are sharpened (see the constants) and made to sum to 1 again.
    The same text has the same scores on every machine.

    Parameters
    ----------
    text
        Text of any length; only its first 5,000 bytes in UTF-8 count, so that the time is bounded.
    """
    sentences = [sentence for sentence in _SENTENCE_END.split(_cut(text).strip()) if sentence]
    compounds = [_analyser().polarity_scores(sentence)["compound"] for sentence in sentences] or [0.0]
    praise = sum(max(value, 0.0) for value in compounds) / len(compounds)
    blame = sum(max(-value, 0.0) for value in compounds) / len(compounds)
    strongest = max(praise, blame)
    balance = min(praise, blame) / strongest if strongest else 0.0
    shares = (
        praise * (1 - balance),
        blame * (1 - balance),
        (1 - praise - blame) * _NEUTRAL_WEIGHT,
        (praise + blame) * balance,
    )
    powers = [share**_CONFIDENCE_EXPONENT for share in shares]
    positive, negative, neutral, _ = (round(power / sum(powers), _SCORE_DIGITS) for power in powers)
    return Scores(positive, negative, neutral, round(max(1 - positive - negative - neutral, 0.0), _SCORE_DIGITS))


def _detect_sentiment(request: dict[str, Any]) -> dict[str, Any]:
    text = request.get("Text")
    if not isinstance(text, str) or not text:
        raise ComprehendError("InvalidRequestException", "Text must have length greater than or equal to 1.")
    _check_language(request)
    size = len(text.encode())
    if size > MAX_DOCUMENT_BYTES:
        raise ComprehendError("TextSizeLimitExceededException", _too_long(size))
    return analyse(text).as_sentiment()


def _batch_detect_sentiment(request: dict[str, Any]) -> dict[str, Any]:
    texts = request.get("TextList")
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ComprehendError("InvalidRequestException", "TextList must be a list of 1 to 25 texts.")
    if len(texts) > MAX_DOCUMENTS:
        raise ComprehendError(
            "BatchSizeLimitExceededException",
            f"The number of documents in the request ({len(texts)}) exceeds the limit of {MAX_DOCUMENTS}.",
        )
    _check_language(request)
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for index, text in enumerate(texts):
        problem = _document_problem(text)
        if problem:
            code, message = problem
            errors.append({"Index": index, "ErrorCode": code, "ErrorMessage": message})
        else:
            results.append({"Index": index, **analyse(text).as_sentiment()})
    return {"ResultList": results, "ErrorList": errors}


_OPERATIONS = {"DetectSentiment": _detect_sentiment, "BatchDetectSentiment": _batch_detect_sentiment}


def _document_problem(text: str) -> tuple[str, str] | None:
    if not text:
        return "INVALID_REQUEST", "The document is empty."
    size = len(text.encode())
    if size > MAX_DOCUMENT_BYTES:
        return "TEXT_SIZE_LIMIT_EXCEEDED", _too_long(size)
    return None


def _too_long(size: int) -> str:
    return f"The text has {size} bytes in UTF-8, which exceeds the limit of {MAX_DOCUMENT_BYTES} bytes."


def _check_language(request: dict[str, Any]) -> None:
    language = request.get("LanguageCode")
    if not isinstance(language, str) or not language:
        raise ComprehendError("InvalidRequestException", "LanguageCode is required.")
    if language not in LANGUAGES:
        raise ComprehendError(
            "UnsupportedLanguageException",
            f"Language {language} is not supported. Supported languages: {', '.join(sorted(LANGUAGES))}.",
        )


def _parse(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise ComprehendError("SerializationException", "The request is not valid JSON.") from error
    if not isinstance(request, dict):
        raise ComprehendError("SerializationException", "The request is not a JSON object.")
    return request


def _response(status: int, body: dict[str, Any], error_code: str | None = None) -> Response:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    if error_code:
        headers["x-amzn-errortype"] = error_code
    return status, headers, json.dumps(body, ensure_ascii=False).encode()


def _cut(text: str) -> str:
    return text.encode()[:MAX_DOCUMENT_BYTES].decode(errors="ignore")


@functools.lru_cache(maxsize=1)
def _analyser() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
