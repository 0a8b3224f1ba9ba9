"""Whom the program names to Wikipedia, and what it warns of."""

from __future__ import annotations

import pytest

from tests.support.pulumi_mocks import evaluate_program, evaluate_program_anew

FUNCTION = "aws:lambda/function:Function"


def test_first_address_for_alarms_is_the_contact_where_no_other_is_set() -> None:
    evaluation = evaluate_program("prod", {"cloud-nlp:notify_emails": '["you@example.com"]'})
    variables = evaluation.one(FUNCTION, "sentiment-analyse").inputs["environment"]["variables"]
    assert (variables["CONTACT"], variables["TEXT_REQUESTS_PER_MINUTE"]) == ("you@example.com", "200")
    assert evaluation.outputs["companies_that_fit"] == "18000"


@pytest.mark.parametrize(("stack", "warned"), [("local", False), ("dev", True), ("prod", True)])
def test_deployment_to_aws_warns_of_a_missing_contact(
    stack: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda text, *_, **__: warnings.append(text))
    evaluate_program_anew(stack, {})
    assert any("not told whom to contact" in text for text in warnings) is warned
    assert not any("do not fit" in text for text in warnings), "the shipped list fits in the shipped schedules"
