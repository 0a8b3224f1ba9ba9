"""Wikipedia refuses: the product leaves it alone for as long as it asks, and loses nobody."""

from __future__ import annotations

import time

from tests.integration.harness import Pipeline, wait_until


def test_one_refusal_is_not_answered_with_more_requests(pipeline: Pipeline) -> None:
    names = [f"Refused {number}" for number in range(120)]
    for name in names:
        pipeline.control.set_text(name, "All is well.")
    pipeline.add(names)
    pipeline.control.set_text_fault("*", status=429, retry_after=30)

    pipeline.start()
    wait_until(pipeline.control.text_requests, 20, "a request")
    time.sleep(8)  # longer than an invocation, and than the delay of a failed message

    counts = pipeline.control.text_counts()
    assert counts["requests"] <= 3, "at most those that were under way at the same time"
    assert pipeline.waiting("dead_letter_queue_url") == 0
    assert pipeline.waiting() == len(names), "each company is waiting, and none has failed"
    lines = [line for line in pipeline.logs("analyse") if line.get("company") in names]
    assert {line["message"] for line in lines} == {"message postponed"}
