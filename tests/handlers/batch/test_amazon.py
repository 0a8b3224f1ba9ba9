"""Amazon Translate: requests as full as they may be, answers held to their texts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.batch.budget import Budget
from handlers.batch.errors import DocumentError
from handlers.batch.translate.amazon import AmazonEngine
from schema.limits import TRANSLATE_TEXT_BYTES
from tests.handlers.aws_fakes import client_error
from tests.handlers.batch.support import budget


class Service:
    """Translates, and keeps what it was asked."""

    def __init__(self, translate: Callable[[str], str] = str.upper) -> None:
        self.texts: list[str] = []
        self.failures: list[Exception] = []
        self.most_at_once = 0
        self._translate = translate
        self._at_once = 0
        self._lock = threading.Lock()

    def __call__(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            self.texts.append(request["Text"])
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            failure = self.failures.pop(0) if self.failures else None
        try:
            if failure:
                raise failure
            assert 1 <= len(request["Text"].encode()) <= TRANSLATE_TEXT_BYTES
            return {"TranslatedText": self._translate(request["Text"])}
        finally:
            with self._lock:
                self._at_once -= 1


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def engine(service: Service) -> Iterator[AmazonEngine]:
    made = AmazonEngine(service, "de", 4, sleep=lambda _: None)
    yield made
    made.close()


def test_short_texts_share_a_request(engine: AmazonEngine, service: Service) -> None:
    texts = [f"text number {number}" for number in range(1000)]
    assert engine.translate(texts, "en", budget()) == [text.upper() for text in texts]
    assert len(service.texts) == -(-sum(len(text) + 1 for text in texts) // TRANSLATE_TEXT_BYTES)


def test_a_long_text_is_cut_between_sentences(engine: AmazonEngine, service: Service) -> None:
    text = " ".join(f"Dr. Smith paid {number}.50 dollars." for number in range(1000))
    assert engine.translate([text, "other"], "en", budget()) == [text.upper(), "OTHER"]
    assert all(request.endswith((".", "other")) for request in service.texts)
    assert len(service.texts) == 4


texts_of_a_line = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1), st.just("ä" * 9000)
    ),
    max_size=30,
)


@settings(max_examples=50)
@given(texts_of_a_line)
def test_every_text_gets_its_own_translation(texts: list[str]) -> None:
    service = Service(lambda text: text)
    engine = AmazonEngine(service, "de", 4)
    translated = engine.translate(texts, "en", budget())
    assert [text.replace(" ", "") for text in translated] == texts
    engine.close()


@pytest.mark.parametrize(
    "merge", [lambda text: text.replace("\n", " "), lambda text: text + "\nmore", lambda text: text.replace("b", "")]
)
def test_an_answer_with_other_lines_is_not_trusted(merge: Callable[[str], str]) -> None:
    service = Service(lambda text: merge(text) if "\n" in text else text.upper())
    engine = AmazonEngine(service, "de", 4)
    assert engine.translate(["a", "b", "c"], "en", budget()) == ["A", "B", "C"]
    assert service.texts[0] == "a\nb\nc"
    engine.close()


def test_requests_are_sent_at_the_same_time() -> None:
    barrier = threading.Barrier(4, timeout=5)

    def wait(text: str) -> str:
        barrier.wait()
        return text

    service = Service(wait)
    engine = AmazonEngine(service, "de", 4)
    engine.translate(["x" * 9999] * 8, "en", budget())
    assert service.most_at_once == 4
    engine.close()


def test_what_was_billed_is_counted(engine: AmazonEngine, service: Service) -> None:
    service.failures = [client_error("ThrottlingException")]
    used = budget()
    engine.translate(["ä text"], "en", used)
    assert used.usage == {"translate_characters": 6}
    assert len(service.texts) == 2


def test_throttling_is_waited_for_until_the_time_is_over(service: Service) -> None:
    clock = Clock()
    service.failures = [client_error("ThrottlingException")] * 10_000
    engine = AmazonEngine(service, "de", 1, sleep=clock.sleep)
    with pytest.raises(DocumentError, match="time limit of 60 seconds"):
        engine.translate(["text"], "en", Budget(60, clock))
    assert 60 <= clock.now < 61
    assert len(service.texts) < 40
    engine.close()


@pytest.mark.parametrize(
    ("failure", "message", "attempts"),
    [
        (client_error("UnsupportedLanguagePairException"), r"Amazon Translate refused it \(UnsupportedLanguagePair", 1),
        (client_error("AccessDeniedException"), "AccessDeniedException", 1),
        (EndpointConnectionError(endpoint_url="http://x"), "Amazon Translate cannot be reached", 6),
        (NoCredentialsError(), "Amazon Translate cannot be called: Unable to locate credentials", 1),
    ],
)
def test_failures_are_told(
    engine: AmazonEngine, service: Service, failure: Exception, message: str, attempts: int
) -> None:
    service.failures = [failure] * 20
    with pytest.raises(DocumentError, match=message):
        engine.translate(["text"], "en", budget())
    assert len(service.texts) == attempts


def test_a_failure_passes(engine: AmazonEngine, service: Service) -> None:
    service.failures = [EndpointConnectionError(endpoint_url="http://x")] * 5
    assert engine.translate(["text"], "en", budget()) == ["TEXT"]
