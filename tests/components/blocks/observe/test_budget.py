"""Budget: what it counts, and who is told when."""

from __future__ import annotations

from typing import Any

import pytest

from components.blocks.observe.budget import Budget
from tests.support.pulumi_mocks import evaluate

BUDGET = "aws:budgets/budget:Budget"
SERVICES = {"dimensions": {"key": "SERVICE", "values": ["Amazon Comprehend", "Amazon Translate"]}}


def declare(emails: tuple[str, ...] = ("a@example.com",), **tags: str) -> dict[str, Any]:
    evaluation = evaluate(lambda: Budget("spent", monthly_usd=50, tags=tags, emails=emails) and None)
    return evaluation.one(BUDGET, "spent").inputs


def test_the_budget_is_of_a_month_in_dollars() -> None:
    budget = declare(stack="dev")
    assert (budget["budgetType"], budget["timeUnit"]) == ("COST", "MONTHLY")
    assert (budget["limitAmount"], budget["limitUnit"], budget["metrics"]) == ("50", "USD", "UnblendedCost")


def test_it_counts_the_stacks_resources_and_the_services_whose_calls_have_no_tags() -> None:
    assert declare(stack="dev")["filterExpression"] == {
        "ors": [{"tags": {"key": "stack", "values": ["dev"]}}, SERVICES]
    }
    both = {"ands": [{"tags": {"key": key, "values": [value]}} for key, value in (("project", "p"), ("stack", "dev"))]}
    assert declare(stack="dev", project="p")["filterExpression"] == {"ors": [both, SERVICES]}


def test_people_are_told_before_the_budget_is_spent() -> None:
    notifications = declare(emails=("a@example.com", "a@example.com", "b@example.com"), stack="dev")["notifications"]
    told = {(one["notificationType"], one["threshold"], one["thresholdType"]) for one in notifications}
    assert told == {("ACTUAL", 80, "PERCENTAGE"), ("FORECASTED", 100, "PERCENTAGE")}
    for one in notifications:
        assert one["subscriberEmailAddresses"] == ["a@example.com", "b@example.com"]


def test_aws_tells_at_most_ten_addresses() -> None:
    emails = tuple(f"{number}@example.com" for number in range(12))
    for one in declare(emails=emails, stack="dev")["notifications"]:
        assert len(one["subscriberEmailAddresses"]) == 10


def test_a_budget_without_tags_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="Budget spent: expected tags"):
        declare()
