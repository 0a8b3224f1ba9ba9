"""Plain detection of a text's language: by its script, and among languages of Latin script by their commonest words.

It is for texts of some sentences. A single word or a name says too little, and comes out as English.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

# The commonest words of a text in each language; they also end a key phrase (see `local.aws.language.key_phrases`).
STOP_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": (
            "a an the and or but if of in on at to for from by with without about into over after before under between "
            "is are was were be been being has have had do does did will would can could may might shall should must "
            "i you he she it we they me him her us them my your his its our their this that these those there here "
            "which who whom whose what when where why how not no nor so than then as such very too also just only "
            "more most some any each every all both few many much own same other up down out off again once because "
            "while during through against until it's isn't doesn't don't"
        ),
        "de": (
            "der die das den dem des ein eine einer eines einem einen und oder aber wenn weil dass in im an am auf aus "
            "bei mit nach von vom zu zum zur für über unter vor durch ohne um ist sind war waren wird werden wurde "
            "wurden hat haben hatte hatten sein kann können soll muss ich du er sie es wir ihr mich dich sich nicht "
            "auch nur noch schon sehr als wie so dann denn hier dort dieser diese dieses mehr kein keine seine ihre"
        ),
        "fr": (
            "le la les l un une des du de d et ou mais si que qui quoi dont où dans en sur sous à au aux par pour "
            "avec sans entre est sont était étaient sera a ont avait être avoir je tu il elle on nous vous ils elles "
            "ce cet cette ces se sa son ses leur leurs ne pas plus très aussi comme même tout tous c'est"
        ),
        "es": (
            "el la los las un una unos unas y o pero si que de del en a al por para con sin sobre entre es son era "
            "eran fue ser está están ha han había yo tú él ella nosotros ellos se su sus le lo les no más muy también "
            "como cuando donde este esta estos estas todo todos"
        ),
        "it": (
            "il lo la i gli le un uno una e o ma se che di del della dei delle in nel nella a al alla da dal con per "
            "su tra fra è sono era erano essere ha hanno aveva io tu lui lei noi voi loro si suo sua non più molto "
            "anche come quando dove questo questa questi queste tutto tutti"
        ),
        "pt": (
            "o a os as um uma uns umas e ou mas se que de do da dos das em no na nos nas por para com sem sobre entre "
            "é são era eram foi ser está estão há tem têm eu ele ela nós eles elas seu sua não mais muito também como "
            "quando onde este esta isso ao à pelo pela"
        ),
        "nl": (
            "de het een en of maar als dat die dit deze van in op aan met voor naar bij uit over onder door om te is "
            "zijn was waren wordt worden werd heeft hebben had ik je hij zij wij niet ook nog wel zeer meer geen er"
        ),
        "sv": (
            "en ett och eller men om att som den det de av i på till för från med utan vid under över är var har hade "
            "kan ska jag du han hon vi ni inte också mycket mer när där här sig sin sitt"
        ),
        "pl": (
            "i w na z do od po za przez przed o u się nie jest są był była było być ma że to ten ta te który która "
            "które jak ale lub dla jego jej ich tym już tylko oraz"
        ),
        "tr": "ve bir bu şu o da de için ile çok daha en gibi kadar ama ancak olan olarak değil ne var yok mi",
    }.items()
}

# Scripts that stand for one language here; the first that a letter is in counts.
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_CHARACTERS = 20_000
_DEFAULT = "en"
_SCORE_DIGITS = 6


class DetectedLanguage(NamedTuple):
    """A language and the confidence, from 0 to 1, that it is the text's."""

    code: str
    score: float


def detect_languages(text: str) -> list[DetectedLanguage]:
    """Return the languages a text may be in, the likeliest first; one at least, and the same for the same text.

    Parameters
    ----------
    text
        Text of any length; only its first 20,000 characters count.
    """
    text = text[:_CHARACTERS]
    letters = len(_LETTER.findall(text))
    if not letters:
        return [DetectedLanguage(_DEFAULT, 0.0)]
    for language, script in _SCRIPTS:
        share = len(script.findall(text)) / letters
        # Japanese is written with Chinese characters, too: some kana are enough.
        if share > (0.1 if language == "ja" else 0.5):
            return [DetectedLanguage(language, round(min(0.5 + share / 2, 0.999), _SCORE_DIGITS))]
    return _by_words(text)


def _by_words(text: str) -> list[DetectedLanguage]:
    words = Counter(word.lower() for word in _WORD.findall(text))
    hits = {
        language: sum(count for word, count in words.items() if word in stop_words)
        for language, stop_words in STOP_WORDS.items()
    }
    # Squares, so that the words that related languages share do not make a clear case look doubtful.
    total = sum(hit**2 for hit in hits.values())
    if not total:
        return [DetectedLanguage(_DEFAULT, 0.5)]
    likely = [DetectedLanguage(code, round(hit**2 / total, _SCORE_DIGITS)) for code, hit in hits.items()]
    ordered = sorted(likely, key=lambda language: (-language.score, language.code != _DEFAULT, language.code))
    return [language for place, language in enumerate(ordered) if not place or language.score >= 0.05]
