"""Options of the batch jobs: the API checks requests with them, the batch program reads them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

_TRANSLATE = (
    "af sq am ar hy az bn bs bg ca zh zh-TW hr cs da fa-AF nl en et fa tl fi fr fr-CA ka de el gu ht ha he hi hu is id"
    " ga it ja kn kk ko lv lt mk ms ml mt mr mn no ps pl pt pt-PT pa ro ru sr si sk sl so es es-MX sw sv ta te th tr uk"
    " ur uz vi cy"
)
_COMPREHEND = "ar de en es fr hi it ja ko pt zh zh-TW"
# Source: https://docs.aws.amazon.com/translate/latest/dg/what-is-languages.html
TRANSLATE_LANGUAGES = frozenset(_TRANSLATE.split())
# Source: https://docs.aws.amazon.com/comprehend/latest/dg/supported-languages.html
COMPREHEND_LANGUAGES = frozenset(_COMPREHEND.split())
# The source language is found out for each document.
AUTOMATIC = "auto"

TranslateLanguage = Annotated[
    str, msgspec.Meta(examples=["en", "de", "zh-TW"], extra_json_schema={"enum": sorted(TRANSLATE_LANGUAGES)})
]
SourceLanguage = Annotated[
    str,
    msgspec.Meta(
        description="Code, or `auto`",
        examples=["auto", "en"],
        extra_json_schema={"enum": [AUTOMATIC, *sorted(TRANSLATE_LANGUAGES)]},
    ),
]
ComprehendLanguage = Annotated[
    str, msgspec.Meta(examples=["en", "de", "zh-TW"], extra_json_schema={"enum": sorted(COMPREHEND_LANGUAGES)})
]


class TranslateOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the documents of a `translate` job are translated.

    Attributes
    ----------
    target
        Language to translate into: a code of Amazon Translate.
    source
        Language of the documents; `auto` finds it out for each of them.
    engine
        `amazon`: Amazon Translate. `marian`: the job's own MarianMT model, which has one pair of languages.
    """

    target: TranslateLanguage
    source: SourceLanguage = AUTOMATIC
    engine: Literal["amazon", "marian"] = "amazon"

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        _check_language("target", self.target, TRANSLATE_LANGUAGES, "Amazon Translate")
        if self.source != AUTOMATIC:
            _check_language("source", self.source, TRANSLATE_LANGUAGES, "Amazon Translate")
        elif self.engine == "marian":
            raise ValueError("`source`: expected the language of the model, such as `en`; `marian` cannot detect it")
        if self.source == self.target:
            raise ValueError(f"`target`: expected another language than `source`, which is {self.source} too")


class AnalyseOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the documents of an `analyse` job are analysed.

    Attributes
    ----------
    language
        Language of all documents: a code of Amazon Comprehend. Absent: found out for each document.
    topics
        How many topics the corpus is divided into. Absent: chosen by the number of documents.
    summary_sentences
        How many sentences a document's summary has.
    """

    language: ComprehendLanguage | None = None
    topics: Annotated[int, msgspec.Meta(ge=1, le=20)] | None = None
    summary_sentences: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if self.language is not None:
            _check_language("language", self.language, COMPREHEND_LANGUAGES, "Amazon Comprehend")


JobOptions = TranslateOptions | AnalyseOptions
OPTIONS_OF_KIND: dict[str, type[TranslateOptions] | type[AnalyseOptions]] = {
    "translate": TranslateOptions,
    "analyse": AnalyseOptions,
}


def _check_language(field: str, code: str, known: frozenset[str], service: str) -> None:
    if code not in known:
        raise ValueError(f"`{field}`: expected a language code of {service}, one of {', '.join(sorted(known))}")
