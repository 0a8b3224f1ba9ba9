"""What a job costs, estimated from what it has used."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

TRANSLATE_CHARACTERS = "translate_characters"
COMPREHEND_UNITS = "comprehend_units"
# Amazon Comprehend: a unit is 100 characters, a request has at least 3.
UNIT_CHARACTERS = 100
MINIMUM_UNITS = 3


class Price(msgspec.Struct, frozen=True):
    """A list price in US dollars, without volume discounts and free tiers."""

    service: str
    unit: str
    dollars: float
    source: str


PRICES = {
    TRANSLATE_CHARACTERS: Price("Amazon Translate", "character", 15 / 1e6, "https://aws.amazon.com/translate/pricing/"),
    COMPREHEND_UNITS: Price("Amazon Comprehend", "100 characters", 1e-4, "https://aws.amazon.com/comprehend/pricing/"),
}


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


def comprehend_units(text: str) -> int:
    """How many units Amazon Comprehend bills for a text."""
    return max(MINIMUM_UNITS, -(-len(text) // UNIT_CHARACTERS))


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
