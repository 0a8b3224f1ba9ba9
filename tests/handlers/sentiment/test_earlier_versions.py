"""Tables that an earlier version has written are read and updated as they are."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.sentiment.records import read_observation, text_hash
from handlers.sentiment.results import to_csv
from handlers.sentiment.texts import NoText, Text
from schema.dynamodb import decode, encode
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN, Pipeline, failed, ids, records


def _succeed(pipeline: Pipeline, run: str) -> None:
    assert failed(pipeline.deliver(records("a", run=run))) == []


def legacy_item(record: str, run: str = RUN, **more: Any) -> dict[str, Any]:
    """An item of company `a` as version 0.1.0 wrote it."""
    item = {
        "company": "a",
        "record": record,
        "run": run,
        "observed_at": "2026-11-21T06:52:00Z",
        "label": "POSITIVE",
        "positive": 0.91,
        "negative": 0.02,
        "neutral": 0.05,
        "mixed": 0.02,
        "language": "en",
        "revision": "revision of a",
        "unchanged": True,
        "snippet": "a is good",
        "object": "sentiment/dt=2026-11-21/old.csv",
    }
    return encode(item | more)


def test_company_of_a_version_without_stored_texts_is_looked_at_once_more(pipeline: Pipeline) -> None:
    """Its text was not stored, so it is fetched and analysed, though its revision is known."""
    pipeline.dynamodb.items["a", "latest"] = legacy_item("latest")
    _succeed(pipeline, NEWER_RUN)
    assert pipeline.comprehend.sent() == [["a is good"]]
    assert pipeline.published() == [(NEWER_RUN, "a")]
    latest = pipeline.dynamodb.items["a", "latest"]
    assert latest["text_hash"] == {"S": text_hash(Text("a is good", "en", ""))}
    assert "object" not in latest
    newest = "20261121T070200Z-00000002"
    _succeed(pipeline, newest)
    assert pipeline.published() == [(NEWER_RUN, "a")]
    assert pipeline.latest("a") == newest


def test_company_without_a_text_of_an_earlier_version_stays_unchanged(pipeline: Pipeline) -> None:
    pipeline.source.found["a"] = NoText("NOT_FOUND")
    item = legacy_item("latest", label="NOT_FOUND", language="", revision="", snippet="")
    pipeline.dynamodb.items["a", "latest"] = {name: value for name, value in item.items() if "N" not in value}
    _succeed(pipeline, NEWER_RUN)
    assert pipeline.published() == []
    assert pipeline.latest("a") == NEWER_RUN
    assert pipeline.dynamodb.items["a", "latest"]["looked_at"]


@pytest.mark.parametrize("is_published", [True, False])
def test_claim_of_an_earlier_version_is_published_once(pipeline: Pipeline, is_published: bool) -> None:
    """The function is replaced while messages are under way."""
    until = int(pipeline.clock.time) + 10
    pipeline.dynamodb.items["a", "latest"] = legacy_item("latest")
    pipeline.dynamodb.items["a", RUN] = legacy_item(RUN, claimed_until=until)
    if is_published:
        pipeline.s3.objects["sentiment/dt=2026-11-21/old.csv"] = to_csv([read_observation(decode(legacy_item(RUN)))])
    else:
        assert failed(pipeline.deliver(records("a"))) == ids("a")
    pipeline.pass_claims()
    for _ in range(2):
        assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(RUN, "a")]
    assert pipeline.source.asked == []
