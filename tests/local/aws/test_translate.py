"""Translate's answers: text that is plainly not a translation, the service's limits and its errors."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.json_service import answer
from local.aws.language import translate
from local.aws.language.pseudo_translation import pseudo_translate
from local.aws.language.translate import FORMAL_LANGUAGES, LANGUAGE_NAMES, operations
from schema.languages import TRANSLATE
from schema.limits import TRANSLATE_TEXT_BYTES


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What callers were asked a permission for; it is given."""
    asked: list[str] = []
    monkeypatch.setattr(translate, "denial", lambda _key, action: asked.append(action))
    return asked


def ask(operation: str = "TranslateText", **request: Any) -> tuple[int, dict[str, Any]]:
    if operation == "TranslateText":
        request = {"Text": "Hello", "SourceLanguageCode": "en", "TargetLanguageCode": "de"} | request
    status, _, body = answer(operations("key"), operation, json.dumps(request).encode())
    return status, json.loads(body)


def refusal(**request: Any) -> tuple[str, str]:
    status, body = ask(**request)
    assert status == 400
    return body["__type"], body["message"]


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("Order 3 shoes", "[de] Ørdér 3 shóéš".replace("š", "s")),
        ("  two  \n\n lines\t", "  [de] twó  \n\n lîñés\t"),
        ("<b class='a'>bold</b> &amp; more", "[de] <b class='a'>bóld</b> &amp; móré"),
        ("Hi {name}, %s of %(total)d {{ x }} ${y}", "[de] Hî {name}, %s óf %(total)d {{ x }} ${y}"),
        ("see https://example.com/a or mail me@example.com", "[de] séé https://example.com/a ór måîl me@example.com"),
        ('<p><span translate="no">Acme Inc</span> again</p>', '[de] <p><span translate="no">Acme Inc</span> ågåîñ</p>'),
        ("日本語 123", "[de] 日本語 123"),
        ("   ", "   "),
        ("", ""),
        ("1 < 2 and 3 > 2", "[de] 1 < 2 åñd 3 > 2"),
    ],
)
def test_what_is_kept_and_what_is_not(text: str, translated: str) -> None:
    assert pseudo_translate(text, "de") == translated


@given(st.text(max_size=300))
def test_pseudo_translation_keeps_shape(text: str) -> None:
    translated = pseudo_translate(text, "fr")
    assert translated == pseudo_translate(text, "fr")
    assert re.findall(r"\d+", translated) == re.findall(r"\d+", text)
    if text.strip():
        lead, trail = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
        assert translated[:lead] == text[:lead]
        assert translated[len(translated) - trail :] == text[len(text) - trail :]
        assert len(translated) == len(text) + len("[fr] ")
        assert translated.count("\n") == text.count("\n")
    else:
        assert translated == text


def test_a_translation(allowed: list[str]) -> None:
    assert ask() == (200, {"TranslatedText": "[de] Hélló", "SourceLanguageCode": "en", "TargetLanguageCode": "de"})
    assert allowed == []


def test_the_source_language_is_detected_with_comprehends_permission(
    allowed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Der Hund und die Katze sind nicht im Haus."
    _, body = ask(Text=text, SourceLanguageCode="auto", TargetLanguageCode="en")
    assert (body["SourceLanguageCode"], body["TranslatedText"][:5]) == ("de", "[en] ")
    assert allowed == ["comprehend:DetectDominantLanguage"]
    _, same = ask(Text=text, SourceLanguageCode="auto", TargetLanguageCode="de")
    assert same["TranslatedText"] == text, "it is in the target language already"
    monkeypatch.setattr(translate, "denial", lambda _key, action: f"User: x is not authorized to perform: {action}")
    assert refusal(SourceLanguageCode="auto")[0] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("source", "target"), [("en", "xx"), ("xx", "en"), ("en", "en"), ("en", "auto"), ("de", "tlh")]
)
def test_pairs_that_do_not_exist(source: str, target: str) -> None:
    code, message = refusal(SourceLanguageCode=source, TargetLanguageCode=target)
    assert code == "UnsupportedLanguagePairException"
    assert f"{source} to {target}" in message


def test_the_limit_counts_bytes() -> None:
    assert ask(Text="é" * (TRANSLATE_TEXT_BYTES // 2))[0] == 200
    code, message = refusal(Text="é" * (TRANSLATE_TEXT_BYTES // 2 + 1))
    assert code == "TextSizeLimitExceededException"
    assert "10002 bytes" in message


def test_refused_requests() -> None:
    assert refusal(Text="")[0] == "ValidationException"
    assert refusal(Text=None)[0] == "ValidationException"
    assert refusal(Text=7)[0] == "SerializationException"
    assert refusal(TargetLanguageCode="d")[0] == "ValidationException"
    assert refusal(TerminologyNames=["mine"])[0] == "ResourceNotFoundException"
    assert refusal(Settings={"Formality": "RUDE"})[0] == "ValidationException"


def test_settings_that_were_applied_are_told() -> None:
    settings = {"Formality": "FORMAL", "Profanity": "MASK"}
    assert ask(Settings=settings)[1]["AppliedSettings"] == settings
    assert ask(Settings=settings, TargetLanguageCode="pl")[1]["AppliedSettings"] == {"Profanity": "MASK"}
    assert "AppliedSettings" not in ask(Settings={"Formality": "FORMAL"}, TargetLanguageCode="pl")[1]


def test_languages() -> None:
    assert sorted(LANGUAGE_NAMES) == sorted(TRANSLATE)
    assert LANGUAGE_NAMES.keys() >= FORMAL_LANGUAGES
    _, everything = ask("ListLanguages")
    assert "NextToken" not in everything
    found, token = [], None
    while True:
        _, page = ask("ListLanguages", MaxResults=30, **({"NextToken": token} if token else {}))
        found += page["Languages"]
        token = page.get("NextToken")
        if token is None:
            break
    assert found == everything["Languages"]
    assert {one["LanguageCode"] for one in found} == {"auto", *LANGUAGE_NAMES}
    assert ask("ListLanguages", DisplayLanguageCode="de")[1]["__type"] == "UnsupportedDisplayLanguageCodeException"
    assert ask("ListLanguages", NextToken="???")[0] == 400
