"""Creators of budgets."""

from __future__ import annotations

from typing import Any

from local.aws.embedded_aws import ACCOUNT_ID
from local.deploy.creators.common import Context, Created, Creator, Inputs, spelled

# Inputs that are lists where AWS's names are singular.
_SPELLINGS = {"ands": "And", "ors": "Or"}


def _budget(context: Context, inputs: Inputs) -> Created:
    budget: dict[str, Any] = {
        "BudgetName": context.unique,
        "BudgetType": inputs["budgetType"],
        "TimeUnit": inputs["timeUnit"],
        "BudgetLimit": {"Amount": inputs["limitAmount"], "Unit": inputs["limitUnit"]},
        "FilterExpression": spelled(inputs["filterExpression"], **_SPELLINGS),
        "Metrics": [inputs["metrics"]],
    }
    context.client("budgets").create_budget(
        AccountId=ACCOUNT_ID,
        Budget=budget,
        NotificationsWithSubscribers=[_notification(one) for one in inputs["notifications"]],
    )
    return f"{ACCOUNT_ID}:{context.unique}", {"name": context.unique}


def _notification(given: Inputs) -> dict[str, Any]:
    emails = given["subscriberEmailAddresses"]
    return {
        "Notification": {
            "NotificationType": given["notificationType"],
            "ComparisonOperator": given["comparisonOperator"],
            "Threshold": float(given["threshold"]),
            "ThresholdType": given["thresholdType"],
        },
        "Subscribers": [{"SubscriptionType": "EMAIL", "Address": email} for email in emails],
    }


CREATORS: dict[str, Creator] = {"aws:budgets/budget:Budget": _budget}
