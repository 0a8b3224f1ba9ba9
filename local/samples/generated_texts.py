"""Made-up texts for made-up companies, for tests and benchmarks with thousands of them."""

from __future__ import annotations

_INDUSTRIES = (
    "logistics", "software", "textiles", "robotics", "insurance", "packaging", "optics", "shipping", "farming",
    "publishing", "steel", "furniture", "toys", "chemicals", "tourism", "music", "batteries",
)  # fmt: skip
_PLACES = ("Lisbon", "Toronto", "Nairobi", "Osaka", "Lyon", "Austin", "Leeds", "Graz", "Recife", "Hanoi", "Turku")
_PRAISE = (
    "Customers praise its excellent service and love its reliable products.",
    "It won awards for outstanding design and is admired as a great place to work.",
    "Analysts welcomed its impressive growth and strong, healthy profits.",
    "Its generous support of local schools made it popular and respected.",
    "The company is celebrated for brilliant inventions that improve lives.",
)
_BLAME = (
    "It was sued over a fraud that cost victims their savings and damaged its reputation.",
    "Workers protested against terrible conditions, layoffs and abusive managers.",
    "A serious failure injured several people and led to angry criticism.",
    "Regulators fined it for illegal pollution and misleading, deceptive advertising.",
    "Losses worsened and critics blamed poor decisions and a troubled culture.",
)
_FACTS = (
    "It operates offices in four countries and runs two plants.",
    "Its shares are listed on a regional exchange.",
    "The head office moved to a new building near the station.",
    "It publishes a report every spring and every autumn.",
    "About a third of its revenue comes from other continents.",
)


def generated_text(number: int, name: str) -> str:
    """Return the text of a made-up company.

    The same number always has the same text; consecutive numbers differ in tone (praise, blame, neither, both).

    Parameters
    ----------
    number
        Number of the company.
    name
        Its name, which the text mentions.
    """
    industry, place = _INDUSTRIES[number % len(_INDUSTRIES)], _PLACES[number % len(_PLACES)]
    start = f"{name} is a {industry} company based in {place}, founded in {1900 + number * 7 % 120}."
    facts = [_pick(_FACTS, number), _pick(_FACTS, number // 5 + 1)]
    praise = [_pick(_PRAISE, number), _pick(_PRAISE, number // 5 + 2)]
    blame = [_pick(_BLAME, number), _pick(_BLAME, number // 5 + 2)]
    middle = (praise, blame, facts, [praise[0], blame[0]])[number % 4]
    return " ".join([start, *middle, f"It employs {100 + number * 37 % 9000} people."])


def _pick(sentences: tuple[str, ...], number: int) -> str:
    return sentences[number % len(sentences)]
