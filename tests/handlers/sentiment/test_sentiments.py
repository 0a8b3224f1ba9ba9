"""Amazon Comprehend in batches."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from handlers.sentiment.sentiments import BACKOFF, Scores, Sentiment, SentimentError, Sentiments
from handlers.sentiment.texts import Text
from tests.handlers.aws_fakes import FakeComprehend, client_error

GOOD = Sentiment("POSITIVE", Scores(0.91, 0.02, 0.05, 0.02))
PLAIN = Sentiment("NEUTRAL", Scores(0.04, 0.02, 0.92, 0.02))


def text(content: str, language: str = "en") -> Text:
    return Text(content, language, "1")


class Analysis:
    """Sentiments on a fake, with the waits between attempts."""

    def __init__(self) -> None:
        self.comprehend = FakeComprehend()
        self.waits: list[float] = []
        self.sentiments = Sentiments(self.comprehend.batch_detect_sentiment, self.waits.append)

    def analyse(self, *texts: Text) -> list[Sentiment | SentimentError]:
        return self.sentiments.analyse(list(texts))


@pytest.fixture
def analysis() -> Analysis:
    return Analysis()


def test_no_text_needs_no_call(analysis: Analysis) -> None:
    assert analysis.analyse() == []
    assert analysis.sentiments.calls == 0


def test_answers_out_of_order_reach_their_texts(analysis: Analysis) -> None:
    assert analysis.analyse(text("good"), text("a"), text("b"), text("good too")) == [GOOD, PLAIN, PLAIN, GOOD]
    assert analysis.sentiments.calls == 1


def test_scores_are_not_mixed_up(analysis: Analysis) -> None:
    scores = {"Mixed": 0.4, "Neutral": 0.3, "Negative": 0.2, "Positive": 0.1234567}
    result = {"Index": 0, "Sentiment": "MIXED", "SentimentScore": scores}
    detect = Sentiments(lambda **_: {"ResultList": [result], "ErrorList": []})
    assert detect.analyse([text("a")]) == [Sentiment("MIXED", Scores(0.123457, 0.2, 0.3, 0.4))]


@pytest.mark.parametrize(("texts", "calls"), [(1, 1), (25, 1), (26, 2), (51, 3)])
def test_25_texts_are_one_call(analysis: Analysis, texts: int, calls: int) -> None:
    found = analysis.analyse(*(text(f"{'good' if number % 3 else 'a'} {number}") for number in range(texts)))
    assert found == [GOOD if number % 3 else PLAIN for number in range(texts)]
    assert analysis.sentiments.calls == len(analysis.comprehend.calls) == calls


def test_languages_are_called_apart_and_answers_stay_in_place(analysis: Analysis) -> None:
    found = analysis.analyse(text("good", "en"), text("bon", "fr"), text("a", "en"), text("good", "fr"))
    assert found == [GOOD, PLAIN, PLAIN, GOOD]
    requests = [(parameters["LanguageCode"], parameters["TextList"]) for _, parameters in analysis.comprehend.calls]
    assert requests == [("en", ["good", "a"]), ("fr", ["bon", "good"])]


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "INTERNAL_SERVER_EXCEPTION", "THROTTLED", ""])
def test_refused_text_is_tried_again_alone(analysis: Analysis, code: str) -> None:
    analysis.comprehend.item_errors["good"] = [code, code]
    assert analysis.analyse(text("a"), text("good"), text("b")) == [PLAIN, GOOD, PLAIN]
    assert analysis.comprehend.sent() == [["a", "good", "b"], ["good"], ["good"]]
    assert len(analysis.waits) == 2
    assert analysis.waits[0] <= 0.3
    assert analysis.waits[1] <= 0.6


def test_text_refused_in_every_attempt_fails_alone(analysis: Analysis) -> None:
    analysis.comprehend.item_errors["good"] = ["INTERNAL_SERVER_ERROR"] * 99
    first, second = analysis.analyse(text("good"), text("b"))
    assert isinstance(first, SentimentError)
    assert "INTERNAL_SERVER_ERROR" in str(first)
    assert second == PLAIN
    assert analysis.sentiments.calls == BACKOFF.attempts == 4
    assert len(analysis.waits) == BACKOFF.attempts - 1, "after the last attempt there is nothing to wait for"


@pytest.mark.parametrize(
    "code",
    [
        "TEXT_SIZE_LIMIT_EXCEEDED",
        "TEXT_SIZE_LIMIT_EXCEEDED_EXCEPTION",
        "UNSUPPORTED_LANGUAGE",
        "unsupported_language_exception",
        "INVALID_REQUEST",
        "INVALID_REQUEST_EXCEPTION",
    ],
)
def test_text_that_cannot_be_analysed_is_recorded_and_not_tried_again(analysis: Analysis, code: str) -> None:
    analysis.comprehend.item_errors["bad"] = [code]
    assert analysis.analyse(text("good"), text("bad")) == [GOOD, Sentiment("UNSUPPORTED")]
    assert analysis.sentiments.calls == 1


def test_failed_call_fails_its_texts_with_the_reason(analysis: Analysis) -> None:
    analysis.comprehend.failures["BatchDetectSentiment"] = [client_error("ThrottlingException")]
    found = analysis.analyse(text("a"), text("b"))
    assert all(isinstance(outcome, SentimentError) and "ThrottlingException" in str(outcome) for outcome in found)
    assert analysis.sentiments.calls == 1, "the client has tried again by itself"


def test_failed_call_does_not_take_other_languages_along(analysis: Analysis) -> None:
    analysis.comprehend.failures["BatchDetectSentiment"] = [client_error("UnsupportedLanguageException")]
    first, second = analysis.analyse(text("a", "xx"), text("good", "en"))
    assert isinstance(first, SentimentError)
    assert second == GOOD


def test_failed_second_attempt_keeps_what_the_first_answered(analysis: Analysis) -> None:
    analysis.comprehend.item_errors["b"] = ["INTERNAL_SERVER_ERROR"]
    analysis.comprehend.failures["BatchDetectSentiment"] = [None, TimeoutError("no answer")]
    first, second = analysis.analyse(text("good"), text("b"))
    assert first == GOOD
    assert isinstance(second, SentimentError)


def test_text_left_out_of_the_answer_fails_and_is_not_lost() -> None:
    silent = Sentiments(lambda **_: {"ResultList": [], "ErrorList": []}, sleep=lambda _: None)
    [outcome] = silent.analyse([text("a")])
    assert isinstance(outcome, SentimentError)
    assert silent.calls == BACKOFF.attempts


@pytest.mark.parametrize("code", ["InvalidRequestException", "TextSizeLimitExceededException"])
def test_one_text_that_spoils_the_whole_call_fails_alone(analysis: Analysis, code: str) -> None:
    analysis.comprehend.poison["bad"] = code
    found = analysis.analyse(text("good"), text("bad"), text("a"))
    assert [found[0], found[2]] == [GOOD, PLAIN]
    assert found[1] == Sentiment("UNSUPPORTED")


def test_the_fake_refuses_what_comprehend_refuses() -> None:
    with pytest.raises(ClientError, match="TextSizeLimitExceeded"):
        FakeComprehend().batch_detect_sentiment(TextList=["é" * 2501], LanguageCode="en")
