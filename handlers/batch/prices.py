"""What a job costs, estimated from what it has used."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schema.prices import COMPREHEND_UNITS, PRICES, TRANSLATE_CHARACTERS, comprehend_units

__all__ = ["COMPREHEND_UNITS", "TRANSLATE_CHARACTERS", "Cost", "CostItem", "comprehend_units", "estimate"]


class CostItem(msgspec.Struct, frozen=True):
    """What was used of one service, and its price."""

    service: str
    unit: str
    quantity: int
    price: float
    amount: float
    source: str


class Cost(msgspec.Struct, frozen=True):
    """An estimate, in US dollars."""

    amount: float
    items: list[CostItem]
    currency: str = "USD"
    basis: str = "list prices of us-east-1 without discounts and free tiers; instance time and storage are not included"


def estimate(usage: Mapping[str, int]) -> Cost:
    """Estimate what a usage costs.

    Parameters
    ----------
    usage
        Quantities by the names of `PRICES`.
    """
    items = [
        CostItem(
            price.service,
            price.unit,
            usage[name],
            price.dollars,
            round(usage[name] * price.dollars, 6),
            price.source,
        )
        for name, price in PRICES.items()
        if usage.get(name)
    ]
    return Cost(round(sum(item.amount for item in items), 6), items)
