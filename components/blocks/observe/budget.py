"""Budget: e-mails when a stack costs more in a month than it should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
from pulumi_aws import budgets

from components.blocks.resources import child

# Alarm at this share of the budget, once spent; and as soon as the whole of it is forecast.
SPENT_PERCENT = 80
FORECAST_PERCENT = 100
# Calls of these services have no resource, so their costs have no tags: those of the whole account count.
UNTAGGED_SERVICES = ("Amazon Comprehend", "Amazon Translate")
# https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create.html
MOST_EMAILS = 10


class Budget(pulumi.ComponentResource):
    """A monthly budget of a stack, with an e-mail at 80 % of it and when more than all of it is forecast.

    It counts the costs of resources with the stack's tags, and those of Amazon Comprehend and Amazon Translate in the
    whole account, whose calls cannot have tags. AWS counts by a tag once the tag is activated for cost allocation.

    Parameters
    ----------
    name
        Logical name; the budget's physical name starts with it.
    monthly_usd
        The budget of a month, in US dollars.
    tags
        Tags that all resources of the stack have; one at least.
    emails
        Who is told; at most the first ten.
    """

    def __init__(
        self,
        name: str,
        *,
        monthly_usd: float,
        tags: Mapping[str, str],
        emails: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:Budget", name, {}, opts)
        if not tags:
            raise ValueError(f"Budget {name}: expected tags by which the costs of the stack are found")
        told = list(dict.fromkeys(emails))[:MOST_EMAILS]
        aws.budgets.Budget(
            name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{monthly_usd:g}",
            limit_unit="USD",
            metrics="UnblendedCost",
            filter_expression=_costs(tags),
            notifications=[
                _notification("ACTUAL", SPENT_PERCENT, told),
                _notification("FORECASTED", FORECAST_PERCENT, told),
            ],
            opts=child(self),
        )
        self.register_outputs({})


def _costs(tags: Mapping[str, str]) -> budgets.BudgetFilterExpressionArgs:
    services = budgets.BudgetFilterExpressionOrArgs(
        dimensions=budgets.BudgetFilterExpressionOrDimensionsArgs(key="SERVICE", values=list(UNTAGGED_SERVICES))
    )
    return budgets.BudgetFilterExpressionArgs(ors=[_with(tags), services])


def _with(tags: Mapping[str, str]) -> budgets.BudgetFilterExpressionOrArgs:
    """Select the costs of resources that have all of the tags."""
    if len(tags) == 1:
        ((key, value),) = tags.items()
        return budgets.BudgetFilterExpressionOrArgs(
            tags=budgets.BudgetFilterExpressionOrTagsArgs(key=key, values=[value])
        )
    return budgets.BudgetFilterExpressionOrArgs(
        ands=[
            budgets.BudgetFilterExpressionOrAndArgs(
                tags=budgets.BudgetFilterExpressionOrAndTagsArgs(key=key, values=[value])
            )
            for key, value in sorted(tags.items())
        ]
    )


def _notification(kind: str, percent: float, emails: list[str]) -> budgets.BudgetNotificationArgs:
    return budgets.BudgetNotificationArgs(
        notification_type=kind,
        comparison_operator="GREATER_THAN",
        threshold=percent,
        threshold_type="PERCENTAGE",
        subscriber_email_addresses=emails,
    )
