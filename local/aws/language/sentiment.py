"""Sentiment of a text, as confidences in Comprehend's four labels.

The analysis is VADER, a lexicon and rule based analyser for English. Text in another supported language is accepted, as
by Comprehend, but the lexicon knows few of its words, so it mostly comes out as NEUTRAL.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from schema.limits import COMPREHEND_TEXT_BYTES

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# A reference text about a company is mostly neutral words even where it praises or blames, and one or two words make a
# sentence an opinion, so neutral weighs less. The exponent turns shares into confident scores, as Comprehend gives.
_NEUTRAL_WEIGHT = 0.55
_CONFIDENCE_EXPONENT = 3
_SCORE_DIGITS = 6


class Scores(NamedTuple):
    """Confidence in each of Comprehend's four sentiments, from 0 to 1, 1 in total."""

    positive: float
    negative: float
    neutral: float
    mixed: float

    @property
    def label(self) -> str:
        """The sentiment with the highest score; the first of the fields wins a tie."""
        return self._fields[self.index(max(self))].upper()

    def as_sentiment(self) -> dict[str, Any]:
        """Return the scores as Comprehend writes them in its answers."""
        return {
            "Sentiment": self.label,
            "SentimentScore": {name.capitalize(): score for name, score in self._asdict().items()},
        }


def analyse(text: str) -> Scores:
    """Return the scores of a text.

    VADER gives each sentence a compound value from -1 to 1. The means of the positive parts (P) and of the negative
    parts (N) over all sentences say how much praise and how much blame there is, and 1 - P - N is what is left:
    neutral. Where both are there, they are mixed in the measure of their balance b = min(P, N) / max(P, N), so

        positive = P (1 - b)    negative = N (1 - b)    mixed = (P + N) b    neutral = 1 - P - N

    which make 1. Neutral is then weighed down, all four are sharpened (see the constants) and made to sum to 1 again.
    The same text has the same scores on every machine.

    Parameters
    ----------
    text
        Text of any length; only its first 5,000 bytes in UTF-8 count, so that the time is bounded.
    """
    sentences = [sentence for sentence in _SENTENCE_END.split(_cut(text).strip()) if sentence]
    compounds = [_analyser().polarity_scores(sentence)["compound"] for sentence in sentences] or [0.0]
    praise = sum(max(value, 0.0) for value in compounds) / len(compounds)
    blame = sum(max(-value, 0.0) for value in compounds) / len(compounds)
    strongest = max(praise, blame)
    balance = min(praise, blame) / strongest if strongest else 0.0
    shares = (
        praise * (1 - balance),
        blame * (1 - balance),
        (1 - praise - blame) * _NEUTRAL_WEIGHT,
        (praise + blame) * balance,
    )
    powers = [share**_CONFIDENCE_EXPONENT for share in shares]
    positive, negative, neutral, _ = (round(power / sum(powers), _SCORE_DIGITS) for power in powers)
    return Scores(positive, negative, neutral, round(max(1 - positive - negative - neutral, 0.0), _SCORE_DIGITS))


def _cut(text: str) -> str:
    return text.encode()[:COMPREHEND_TEXT_BYTES].decode(errors="ignore")


@functools.lru_cache(maxsize=1)
def _analyser() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
