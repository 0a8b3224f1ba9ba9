"""Prices of the paid services that jobs and texts use, and what a usage costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TRANSLATE_CHARACTERS = "translate_characters"
COMPREHEND_UNITS = "comprehend_units"
# Amazon Comprehend: a unit is 100 characters, a request has at least 3.
UNIT_CHARACTERS = 100
MINIMUM_UNITS = 3


@dataclass(frozen=True, kw_only=True)
class Price:
    """A list price in US dollars, without volume discounts and free tiers."""

    service: str
    unit: str
    dollars: float
    source: str


PRICES: Mapping[str, Price] = {
    TRANSLATE_CHARACTERS: Price(
        service="Amazon Translate",
        unit="character",
        dollars=15 / 1e6,
        source="https://aws.amazon.com/translate/pricing/",
    ),
    COMPREHEND_UNITS: Price(
        service="Amazon Comprehend",
        unit="100 characters",
        dollars=1e-4,
        source="https://aws.amazon.com/comprehend/pricing/",
    ),
}


def comprehend_units(text: str) -> int:
    """How many units Amazon Comprehend bills for a text."""
    return max(MINIMUM_UNITS, -(-len(text) // UNIT_CHARACTERS))


def dollars(usage: Mapping[str, int]) -> float:
    """Return what a usage costs, in US dollars.

    Parameters
    ----------
    usage
        Quantities by the names of `PRICES`.
    """
    return round(sum(quantity * PRICES[name].dollars for name, quantity in usage.items()), 6)
