"""What the table of observations holds, as values and as items."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from handlers.sentiment.sentiments import Scores, Sentiment
from handlers.sentiment.texts import Text, cut_to_bytes
from schema.companies import (
    LATEST,
    OBSERVATION_KEY,
    OBSERVATION_SORT_KEY,
    TEXT_PARTITION,
    TEXT_RECORD,
    WRITE_UNIT_BYTES,
)
from schema.dynamodb import encode, item_bytes
from schema.templates import fill

# An update is charged by the size of the whole item. The rest of a unit is for revisions that become longer.
LATEST_BYTES = WRITE_UNIT_BYTES - 24
_MORE = "…"
_TEXTS = ("run", "observed_at", "company", "label", "language", "revision", "snippet")
# Left out of an item where they are empty.
_OPTIONAL = ("text_hash", "page", "reason")


class Observation(msgspec.Struct, frozen=True):
    """What was observed of one company in one run.

    Attributes
    ----------
    observed_at
        Time in UTC, ISO 8601, such as `2026-11-21T06:52:00Z`. Of an unchanged company, when the change was observed.
    label
        A sentiment, or why there is none: see `Sentiment` and `NoText`.
    scores
        Absent where there is no sentiment.
    unchanged
        It says the same as the company's observation before.
    snippet
        The beginning of the text.
    text_hash
        Hash of the text, under which it is stored; empty where there is none.
    page
        Title of the page, after redirects.
    candidates
        Titles of pages that could be meant; only with `AMBIGUOUS`.
    reason
        Why there is no page, or no text on it; only with `NOT_FOUND`.
    """

    run: str
    observed_at: str
    company: str
    label: str
    scores: Scores | None = None
    language: str = ""
    revision: str = ""
    unchanged: bool = False
    snippet: str = ""
    text_hash: str = ""
    page: str = ""
    candidates: tuple[str, ...] = ()
    reason: str = ""


class Claim(msgspec.Struct, frozen=True):
    """A look that was written, and the objects that publish it.

    Attributes
    ----------
    object
        Key of the result object that holds the row, once its writer has finished; empty where nothing changed.
    batch
        Token of the batch in whose summary the look is counted; empty for looks of versions without summaries.
    claimed_until
        The writer is not at work after this time, in seconds since 1970.
    """

    observation: Observation
    object: str
    batch: str
    claimed_until: int


class Previous(msgspec.Struct, frozen=True):
    """What the table holds of a company when a message arrives.

    Attributes
    ----------
    latest
        The newest observation; its `run` is the last that looked.
    claim
        The look of the message's run.
    """

    latest: Observation | None = None
    claim: Claim | None = None


def text_hash(text: Text) -> str:
    """Name a text: equal contents in one language have one name."""
    return hashlib.sha256(f"{text.language}\n{text.content}".encode()).hexdigest()


def says_the_same(observation: Observation, last: Observation | None) -> bool:
    """Tell whether an observation adds nothing to the company's latest one."""
    if last is None:
        return False
    if any(getattr(observation, name) != getattr(last, name) for name in ("label", "text_hash", "reason")):
        return False
    return fit_latest(observation).candidates == last.candidates


def fit_latest(observation: Observation) -> Observation:
    """Shorten an observation so that the latest item, which every run updates, takes one write unit.

    The title of the page, the candidates and the snippet are kept as far as they fit, in this order. All else always
    fits, up to names of 650 bytes. The history has everything in full.
    """
    fitted = msgspec.structs.replace(observation, page="", candidates=(), snippet="")
    with_page = msgspec.structs.replace(fitted, page=observation.page)
    fitted = with_page if _room(with_page) >= 0 else fitted
    kept = _first_that_fit(observation.candidates, _room(fitted))
    fitted = msgspec.structs.replace(fitted, candidates=kept)
    return msgspec.structs.replace(fitted, snippet=_shorten(observation.snippet, max(0, _room(fitted))))


def _first_that_fit(candidates: tuple[str, ...], room: int) -> tuple[str, ...]:
    kept = 0
    room -= item_bytes(encode({"candidates": []}))
    for candidate in candidates:
        room -= 1 + len(candidate.encode())  # a list takes a byte more per entry
        if room < 0:
            break
        kept += 1
    return candidates[:kept]


def _room(observation: Observation) -> int:
    """Compute how many bytes a latest item may still grow, with all that is added by looks that find nothing new."""
    item = latest_item(Claim(observation, "", "0" * 16, 10**9 + 1), looked_at="0" * 20)
    return LATEST_BYTES - item_bytes(encode(item))


def _shorten(text: str, room: int) -> str:
    if len(text.encode()) <= room:
        return text
    kept = cut_to_bytes(text, room - len(_MORE.encode())) if room > len(_MORE.encode()) else ""
    return kept.rstrip() + _MORE if kept else ""


def history_item(claim: Claim, expires_at: int) -> dict[str, Any]:
    """Make the item of an observation in the history."""
    observation = claim.observation
    return {
        **_observation_item(observation, observation.run),
        "object": claim.object,
        "batch": claim.batch,
        "claimed_until": claim.claimed_until,
        "expires_at": expires_at,
    }


def latest_item(claim: Claim, looked_at: str) -> dict[str, Any]:
    """Make the item of a company's newest observation; `fit_latest` has shortened it."""
    return {
        **_observation_item(claim.observation, LATEST),
        "looked_at": looked_at,
        "batch": claim.batch,
        "claimed_until": claim.claimed_until,
    }


def text_item(name: str, text: Text, sentiment: Sentiment, analysed_at: str) -> dict[str, Any]:
    """Make the item of a text and its analysis."""
    scores = msgspec.structs.asdict(sentiment.scores) if sentiment.scores else {}
    return {
        **text_key(name),
        "content": text.content,
        "language": text.language,
        "label": sentiment.label,
        "analysed_at": analysed_at,
        **scores,
    }


def text_key(name: str) -> dict[str, str]:
    """Make the key of a text's item."""
    return {OBSERVATION_KEY: fill(TEXT_PARTITION, text_hash=name), OBSERVATION_SORT_KEY: TEXT_RECORD}


def _observation_item(observation: Observation, record: str) -> dict[str, Any]:
    scores = msgspec.structs.asdict(observation.scores) if observation.scores else {}
    texts = {name: getattr(observation, name) for name in _TEXTS}
    optional = {name: value for name in _OPTIONAL if (value := getattr(observation, name))}
    if observation.candidates:
        optional["candidates"] = list(observation.candidates)
    return {OBSERVATION_SORT_KEY: record, "unchanged": observation.unchanged, **texts, **optional, **scores}


def read_observation(item: dict[str, Any]) -> Observation:
    """Read an item of the history, or the latest one. Versions before texts were stored left some attributes out."""
    return Observation(
        **{name: item[name] for name in _TEXTS},
        **{name: item.get(name, "") for name in _OPTIONAL},
        candidates=tuple(item.get("candidates", ())),
        scores=read_sentiment(item).scores,
        unchanged=item["unchanged"],
    )


def read_sentiment(item: dict[str, Any]) -> Sentiment:
    """Read the analysis from the item of a text or an observation."""
    scores = None
    if "positive" in item:
        scores = Scores(*(float(item[name]) for name in Scores.__struct_fields__))
    return Sentiment(item["label"], scores)


def read_previous(latest: dict[str, Any] | None, history: dict[str, Any] | None, run: str) -> Previous:
    """Read what is known of a company before a run looks at it.

    Parameters
    ----------
    latest, history
        The company's newest observation, and its observation of the run, as attributes.
    run
        The run.
    """
    found = read_observation(latest) if latest else None
    if history:
        return Previous(found, _claim(history))
    return Previous(found, _claim(latest) if latest and found and found.run == run else None)


def _claim(item: dict[str, Any]) -> Claim:
    has_row = item[OBSERVATION_SORT_KEY] != LATEST
    return Claim(
        read_observation(item),
        item["object"] if has_row else "",
        item.get("batch", ""),
        item.get("claimed_until", 0),
    )
