"""Detection of languages, and key phrases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.language.key_phrases import key_phrases
from local.aws.language.languages import detect_languages
from schema.languages import COMPREHEND

TEXTS = {
    "en": "The company was founded in 1998 and it is one of the largest in the world.",
    "de": "Das Unternehmen wurde 1998 gegründet und ist eines der größten der Welt.",
    "fr": "L'entreprise a été fondée en 1998 et elle est une des plus grandes du monde.",
    "es": "La empresa fue fundada en 1998 y es una de las más grandes del mundo.",
    "it": "L'azienda è stata fondata nel 1998 ed è una delle più grandi del mondo.",
    "pt": "A empresa foi fundada em 1998 e é uma das maiores do mundo, mas não a maior.",
    "nl": "Het bedrijf werd in 1998 opgericht en is een van de grootste van de wereld.",
    "ja": "この会社は1998年に設立されました。",
    "zh": "该公司成立于1998年。是世界上最大的公司之一。",
    "ko": "이 회사는 1998년에 설립되었습니다.",
    "ar": "تأسست الشركة في عام 1998 وهي واحدة من أكبر الشركات في العالم.",
    "hi": "कंपनी की स्थापना 1998 में हुई थी।",
    "ru": "Компания была основана в 1998 году.",
}


@pytest.mark.parametrize(("language", "text"), TEXTS.items())
def test_languages_of_texts(language: str, text: str) -> None:
    best, *others = detect_languages(text)
    assert best.code == language
    assert best.score > 0.5
    assert all(other.score <= best.score for other in others)


def test_two_languages_in_one_text() -> None:
    found = detect_languages(f"{TEXTS['en']} {TEXTS['fr']}")
    assert {language.code for language in found} >= {"en", "fr"}


@given(st.text(max_size=200))
def test_every_text_has_a_language(text: str) -> None:
    found = detect_languages(text)
    assert found
    assert all(0 <= language.score <= 1 for language in found)
    assert [language.score for language in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize(
    ("language", "text", "phrases"),
    [
        (
            "en",
            "The quick brown fox was seen in New York City, and a well-known bank paid 1,000 dollars.",
            ["The quick brown fox", "seen", "New York City", "a well-known bank paid 1,000 dollars"],
        ),
        ("en", "It is not there.", []),
        ("en", "", []),
        ("en", "2024", []),
        ("de", "Der Vorstand lobte das neue Werk in Dresden.", ["Der Vorstand lobte", "das neue Werk", "Dresden"]),
        ("zh", "苹果公司发布新产品。很好", ["苹果公司发布新产品", "很好"]),
    ],
)
def test_phrases_of_texts(language: str, text: str, phrases: list[str]) -> None:
    assert [phrase.text for phrase in key_phrases(text, language)] == phrases


@given(st.text(max_size=200), st.sampled_from(COMPREHEND))
def test_phrases_are_where_they_say(text: str, language: str) -> None:
    end = 0
    for phrase in key_phrases(text, language):
        assert end <= phrase.begin < phrase.end
        assert text[phrase.begin : phrase.end] == phrase.text
        assert 0 < phrase.score < 1
        end = phrase.end
