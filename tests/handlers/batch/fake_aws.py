"""Amazon Translate and Amazon Comprehend on a port of this machine, as far as the batch program calls them."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_GERMAN = re.compile(r"\b(der|die|das|und|ist|nicht|ein|eine)\b", re.IGNORECASE)


class RefusalError(Exception):
    """An error answer."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class FakeAws:
    """Answers calls, counts them, and fails where a test says so."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.translated: list[str] = []
        # By operation: what its next calls fail with.
        self.failures: dict[str, list[RefusalError]] = {}
        # Texts with this in them are refused.
        self.poison = ""
        self.translate: Callable[[str], str] = str.upper
        self._lock = threading.Lock()

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.calls[operation] += 1
            failures = self.failures.get(operation)
            if failures:
                raise failures.pop(0)
        if operation == "TranslateText":
            return self._translate_text(request)
        texts = request["TextList"]
        if not 1 <= len(texts) <= 25:
            raise RefusalError("BatchSizeLimitExceededException")
        if any(len(text.encode()) > 5000 or not text.strip() for text in texts):
            raise RefusalError("TextSizeLimitExceededException")
        results, errors = [], []
        for index, text in enumerate(texts):
            if self.poison and self.poison in text:
                errors.append({"Index": index, "ErrorCode": "INVALID_REQUEST", "ErrorMessage": "poison"})
            else:
                results.append({"Index": index, **_ANALYSES[operation](text)})
        return {"ResultList": results, "ErrorList": errors}

    def _translate_text(self, request: dict[str, Any]) -> dict[str, Any]:
        text = request["Text"]
        if not 1 <= len(text.encode()) <= 10_000:
            raise RefusalError("TextSizeLimitExceededException")
        if request["SourceLanguageCode"] == request["TargetLanguageCode"]:
            raise RefusalError("UnsupportedLanguagePairException")
        if self.poison and self.poison in text:
            raise RefusalError("InvalidRequestException")
        with self._lock:
            self.translated.append(text)
        return {
            "TranslatedText": self.translate(text),
            "SourceLanguageCode": request["SourceLanguageCode"],
            "TargetLanguageCode": request["TargetLanguageCode"],
        }


def _languages(text: str) -> dict[str, Any]:
    german = len(_GERMAN.findall(text)) > 1
    if "swedish" in text:
        return {"Languages": [{"LanguageCode": "sv", "Score": 0.9}]}
    return {"Languages": [{"LanguageCode": "de" if german else "en", "Score": 0.98}]}


def _sentiment(text: str) -> dict[str, Any]:
    good, bad = text.count("good"), text.count("bad")
    total = good + bad + 1
    scores = {"Positive": good / total, "Negative": bad / total, "Neutral": 1 / total, "Mixed": 0.0}
    return {"Sentiment": max(scores, key=lambda name: scores[name]).upper(), "SentimentScore": scores}


def _key_phrases(text: str) -> dict[str, Any]:
    found = re.finditer(r"[A-Za-z]{6,}", text)
    return {
        "KeyPhrases": [
            {"Text": match[0], "Score": 0.9, "BeginOffset": match.start(), "EndOffset": match.end()} for match in found
        ]
    }


_ANALYSES = {
    "BatchDetectDominantLanguage": _languages,
    "BatchDetectSentiment": _sentiment,
    "BatchDetectKeyPhrases": _key_phrases,
}


@contextmanager
def serving(aws: FakeAws) -> Iterator[str]:
    """Serve on a free port; gives the endpoint."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            try:
                status, answer = 200, aws.answer(operation, json.loads(body))
            except RefusalError as refusal:
                status, answer = refusal.status, {"__type": refusal.code, "message": f"{refusal.code} of the test"}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
