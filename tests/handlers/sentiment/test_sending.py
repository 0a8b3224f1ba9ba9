"""Sending messages to the work queue."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.sentiment.messages import CompanyMessage, parse_message
from handlers.sentiment.sending import BACKOFF, SendingError, send_all, send_one_batch
from tests.handlers.aws_fakes import QUEUE, FakeSqs, client_error
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import RUN


def messages(count: int) -> list[CompanyMessage]:
    return [CompanyMessage(RUN, f"company {number}") for number in range(count)]


@pytest.mark.parametrize(("count", "requests"), [(0, 0), (1, 1), (10, 1), (11, 2), (25, 3), (200, 20)])
def test_every_message_is_sent_once_ten_a_request(threads: ThreadPoolExecutor, count: int, requests: int) -> None:
    sqs = FakeSqs()
    send_all(sqs.send_message_batch, QUEUE, messages(count), threads)
    assert Counter(map(parse_message, sqs.bodies)) == Counter(messages(count))
    assert sqs.count("SendMessageBatch") == requests


def test_refused_messages_are_sent_again_and_only_those(log_lines: LogLines) -> None:
    sqs, waits = FakeSqs(), []
    sqs.refused = [{"0", "7"}, {"7"}]
    send_one_batch(sqs.send_message_batch, QUEUE, messages(10), waits.append)
    assert Counter(map(parse_message, sqs.bodies)) == Counter(messages(10))
    assert [len(parameters["Entries"]) for _, parameters in sqs.calls] == [10, 2, 1]
    assert len(waits) == 2
    assert waits[0] <= 0.2
    assert [line["attempt"] for line in log_lines()] == [1, 2]


def test_message_refused_in_every_attempt_is_an_error_that_says_so() -> None:
    sqs, waits = FakeSqs(), []
    sqs.refused = [{"3"}] * 99
    with pytest.raises(SendingError, match="1 messages were refused 6 times"):
        send_one_batch(sqs.send_message_batch, QUEUE, messages(10), waits.append)
    assert len(sqs.bodies) == 9
    assert sqs.count("SendMessageBatch") == BACKOFF.attempts == 6
    assert len(waits) == 5


def test_error_of_any_batch_reaches_the_caller(threads: ThreadPoolExecutor) -> None:
    sqs = FakeSqs()
    sqs.failures["SendMessageBatch"] = [None, None, client_error("AccessDenied")]
    with pytest.raises(Exception, match="AccessDenied"):
        send_all(sqs.send_message_batch, QUEUE, messages(30), threads)


@given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFD), min_size=1, max_size=200))
@settings(max_examples=50)
def test_control_characters_in_names_are_sent(company: str) -> None:
    sqs = FakeSqs()
    send_one_batch(sqs.send_message_batch, QUEUE, [CompanyMessage(RUN, company)])
    assert [parse_message(body) for body in sqs.bodies] == [CompanyMessage(RUN, company)]


@pytest.mark.parametrize("company", ["a\ufffe", "a\uffff"])
def test_characters_that_sqs_refuses_are_escaped(company: str) -> None:
    sqs = FakeSqs()
    send_one_batch(sqs.send_message_batch, QUEUE, [CompanyMessage(RUN, company)], lambda _: None)
    assert [parse_message(body) for body in sqs.bodies] == [CompanyMessage(RUN, company)]
