"""`nlp dead-letters`: looking without taking, and moving without losing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.aws.dead_letter_queue import DeadLetterQueue
from cli.aws.deployment import Deployment
from tests.support.cli_aws import Product

RUN = "20261121T065200Z-1a2b3c4d"


def body(company: str) -> str:
    return json.dumps({"run": RUN, "company": company})


@pytest.fixture
def dead(product: Product) -> Any:
    def send(*bodies: str) -> list[str]:
        client = product.client("sqs")
        for one in bodies:
            client.send_message(QueueUrl=product.outputs["dead_letter_queue_url"], MessageBody=one)
        return sorted(bodies)

    return send


@pytest.fixture
def queue(product: Product) -> DeadLetterQueue:
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return DeadLetterQueue(Deployment("local", product.outputs, product.endpoint, credentials))


def test_list_takes_nothing(product: Product, dead: Any) -> None:
    sent = dead(*(body(f"Company {number}") for number in range(25)))
    first, letters = (product.json("dead-letters", "list") for _ in range(2))
    assert sorted(letter["body"] for letter in first) == sent
    assert sorted(letter["body"] for letter in letters) == sent
    assert {letter["run"] for letter in letters} == {RUN}
    assert {letter["receives"] for letter in letters} == {2}
    assert letters[0]["sent_at"].endswith("Z")
    assert product.bodies("dead_letter_queue_url") == sent
    assert product.bodies("work_queue_url") == []


def test_list_shows_odd_bodies_escaped(product: Product, dead: Any) -> None:
    dead(body("Nike"), "not\njson \x09", '["a list"]', '{"company": 5}', "\u202ereversed")
    shown = product.invoke("dead-letters", "list").stdout
    assert len(shown.splitlines()) == 6
    assert r"not\njson \t" in shown
    assert r"\u202ereversed" in shown
    nike = next(line for line in shown.splitlines() if "Nike" in line)
    assert nike.split()[:3] == ["Nike", RUN, "1"]
    assert "{" not in nike


def test_deeply_nested_bodies_are_listed_and_moved_like_any_other(product: Product, dead: Any) -> None:
    sent = dead(body("Nike"), '{"company":' * 50_000 + "1" + "}" * 50_000, "[" * 50_000)
    letters = product.json("dead-letters", "list")
    assert sorted(letter["body"] for letter in letters) == sent
    assert sorted(letter["company"] or "" for letter in letters) == ["", "", "Nike"]
    assert product.json("dead-letters", "redrive")["moved"] == 3


def test_list_up_to_a_limit(product: Product, dead: Any) -> None:
    dead(*(body(f"Company {number}") for number in range(15)))
    result = product.invoke("dead-letters", "list", "--limit", "12")
    assert len(result.stdout.splitlines()) == 13
    assert "12 of about 15" in result.stderr


def test_empty(product: Product) -> None:
    result = product.invoke("dead-letters", "list")
    assert (result.stdout, result.stderr) == ("", "There are no dead letters.\n")
    assert product.json("dead-letters", "list") == []
    assert "Moved 0 messages" in product.invoke("dead-letters", "redrive").stdout


def test_redrive_moves_everything(product: Product, dead: Any) -> None:
    sent = dead(*(body(f"Company {number}") for number in range(25)), "not json")
    assert product.json("dead-letters", "redrive") == {"moved": 26, "refused": 0, "left": 0}
    assert product.bodies("work_queue_url") == sent
    assert product.bodies("dead_letter_queue_url") == []


def test_redrive_of_some_companies(product: Product, dead: Any) -> None:
    dead(*(body(name) for name in ("Nike", "Apple", "Nestlé", "Puma") * 8), "not json")
    shown = product.invoke("dead-letters", "redrive", "--company", "Nike", "--company", "Nestlé").stdout
    assert "Moved 16 messages" in shown
    assert "Left 17 messages" in shown
    assert product.bodies("work_queue_url") == sorted([body("Nike"), body("Nestlé")] * 8)
    # Those left can be received at once: they were given back.
    assert product.bodies("dead_letter_queue_url") == sorted([body("Apple"), body("Puma")] * 8 + ["not json"])


def test_redrive_keeps_attributes(product: Product) -> None:
    client = product.client("sqs")
    attributes = {"trace": {"DataType": "String", "StringValue": "abc"}}
    client.send_message(
        QueueUrl=product.outputs["dead_letter_queue_url"], MessageBody="{}", MessageAttributes=attributes
    )
    product.invoke("dead-letters", "redrive")
    (message,) = client.receive_message(QueueUrl=product.outputs["work_queue_url"], MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert message["MessageAttributes"] == attributes


def test_a_crash_between_sending_and_deleting_loses_nothing(
    product: Product, dead: Any, queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = dead(*(body(f"Company {number}") for number in range(10)))

    def crash(_messages: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(queue, "_delete", crash)
    with pytest.raises(KeyboardInterrupt):
        queue.redrive((), lambda _: None)
    assert product.bodies("work_queue_url") == sent
    assert product.bodies("dead_letter_queue_url") == sent


def test_a_crash_before_sending_loses_nothing(
    product: Product, dead: Any, queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = dead(body("Nike"), body("Apple"))

    def crash(_messages: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(queue, "_send", crash)
    with pytest.raises(KeyboardInterrupt):
        queue.redrive((), lambda _: None)
    assert product.bodies("dead_letter_queue_url") == sent


def test_only_what_the_work_queue_took_is_deleted(product: Product, dead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = dead(*(body(f"Company {number}") for number in range(10)))
    whole = DeadLetterQueue._send
    monkeypatch.setattr(DeadLetterQueue, "_send", lambda self, messages: whole(self, messages[:7]))
    result = product.invoke("dead-letters", "redrive", code=1)
    assert "Moved 7 messages" in result.stdout
    assert "refused 3 messages" in result.stderr
    left = product.bodies("dead_letter_queue_url")
    assert len(left) == 3
    assert sorted(left + product.bodies("work_queue_url")) == sent
