"""Amazon Translate for ministack: TranslateText and ListLanguages; ministack itself has the batch operations.

The translations are none (see `local.aws.language.pseudo_translation`); limits, languages, settings and
errors are Translate's. There are no custom terminologies. Languages are named in English only.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
from typing import Any

from local.aws.json_service import Handler, Operation, Request, ServiceError, answer, operation_of, register
from local.aws.language.languages import detect_languages
from local.aws.language.pseudo_translation import pseudo_translate
from local.aws.request_validation import validate
from local.aws.roles import denial
from schema.languages import AUTOMATIC
from schema.limits import TRANSLATE_TEXT_BYTES

SERVICE = "translate"
TARGET_PREFIX = "AWSShineFrontendService_20170701"

# Names in English of all languages of Amazon Translate: Developer Guide, Supported languages.
LANGUAGE_NAMES = {
    "af": "Afrikaans", "sq": "Albanian", "am": "Amharic", "ar": "Arabic", "hy": "Armenian", "az": "Azerbaijani",
    "bn": "Bengali", "bs": "Bosnian", "bg": "Bulgarian", "ca": "Catalan", "zh": "Chinese (Simplified)",
    "zh-TW": "Chinese (Traditional)", "hr": "Croatian", "cs": "Czech", "da": "Danish", "fa-AF": "Dari", "nl": "Dutch",
    "en": "English", "et": "Estonian", "fa": "Farsi (Persian)", "tl": "Filipino, Tagalog", "fi": "Finnish",
    "fr": "French", "fr-CA": "French (Canada)", "ka": "Georgian", "de": "German", "el": "Greek", "gu": "Gujarati",
    "ht": "Haitian Creole", "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "is": "Icelandic",
    "id": "Indonesian", "ga": "Irish", "it": "Italian", "ja": "Japanese", "kn": "Kannada", "kk": "Kazakh",
    "ko": "Korean", "lv": "Latvian", "lt": "Lithuanian", "mk": "Macedonian", "ms": "Malay", "ml": "Malayalam",
    "mt": "Maltese", "mr": "Marathi", "mn": "Mongolian", "no": "Norwegian", "ps": "Pashto", "pl": "Polish",
    "pt": "Portuguese (Brazil)", "pt-PT": "Portuguese (Portugal)", "pa": "Punjabi", "ro": "Romanian", "ru": "Russian",
    "sr": "Serbian", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "so": "Somali", "es": "Spanish",
    "es-MX": "Spanish (Mexico)", "sw": "Swahili", "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "cy": "Welsh",
}  # fmt: skip
# Languages for which the setting Formality has an effect: Developer Guide, Setting formality.
FORMAL_LANGUAGES = frozenset({"nl", "fr", "fr-CA", "de", "hi", "it", "ja", "ko", "pt-PT", "es", "es-MX"})

_DEFAULT_PAGE = 500
_SETTINGS = {"Formality": {"FORMAL", "INFORMAL"}, "Profanity": {"MASK"}, "Brevity": {"ON"}}


def install() -> None:
    """Put the operations in front of what ministack has of Translate."""
    from ministack import app

    register(SERVICE, TARGET_PREFIX, _handler_before(app.SERVICE_HANDLERS[SERVICE]))


def _handler_before(other: Handler) -> Handler:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        from ministack.core.router import extract_access_key_id

        operation, mine = operation_of(headers), operations(extract_access_key_id(headers, query))
        if operation not in mine:
            return await other(method, path, headers, body, query)
        return await asyncio.to_thread(answer, mine, operation, body)

    return handle


def operations(access_key: str) -> dict[str, Operation]:
    """Return what is answered here, for a caller with an access key."""
    return {"TranslateText": functools.partial(_translate_text, access_key), "ListLanguages": _list_languages}


def _translate_text(access_key: str, request: Request) -> Request:
    text = request.get("Text")
    size = len(text.encode()) if isinstance(text, str) else 0
    if size > TRANSLATE_TEXT_BYTES:  # before the model's limit, which counts characters
        raise ServiceError(
            "TextSizeLimitExceededException",
            "Input text size exceeds limit. Max length of request text allowed is "
            f"{TRANSLATE_TEXT_BYTES} bytes while in this request the text size is {size} bytes",
        )
    validate(SERVICE, "TranslateText", request)
    for name in request.get("TerminologyNames", []):
        raise ServiceError("ResourceNotFoundException", f"Terminology {name} does not exist.")
    settings = _applied_settings(request)
    source, target = _languages(access_key, request)
    translated = request["Text"] if source == target else pseudo_translate(request["Text"], target)
    answered = {"TranslatedText": translated, "SourceLanguageCode": source, "TargetLanguageCode": target}
    return answered | ({"AppliedSettings": settings} if settings else {})


def _languages(access_key: str, request: Request) -> tuple[str, str]:
    """Return source and target; they are the same only where the source was detected to be the target."""
    source, target = request["SourceLanguageCode"], request["TargetLanguageCode"]
    if target not in LANGUAGE_NAMES or source not in (AUTOMATIC, *LANGUAGE_NAMES) or source == target:
        raise ServiceError(
            "UnsupportedLanguagePairException",
            f"Unsupported language pair: {source} to {target}.",
            SourceLanguageCode=source,
            TargetLanguageCode=target,
        )
    if source != AUTOMATIC:
        return source, target
    refused = denial(access_key, "comprehend:DetectDominantLanguage")
    if refused:
        raise ServiceError("AccessDeniedException", refused)
    return detect_languages(request["Text"])[0].code, target


def _applied_settings(request: Request) -> Request:
    settings = request.get("Settings", {})
    for name, value in settings.items():
        if value not in _SETTINGS.get(name, ()):
            raise ServiceError("InvalidRequestException", f"{value} is not a value of setting {name}.")
    formal = request["TargetLanguageCode"] in FORMAL_LANGUAGES
    return {name: value for name, value in settings.items() if name != "Formality" or formal}


def _list_languages(request: Request) -> Request:
    validate(SERVICE, "ListLanguages", request)
    display = request.get("DisplayLanguageCode", "en")
    if display != "en":
        raise ServiceError(
            "UnsupportedDisplayLanguageCodeException",
            f"Languages are not named in {display} here.",
            DisplayLanguageCode=display,
        )
    languages = [{"LanguageName": "Auto", "LanguageCode": AUTOMATIC}]
    languages += [{"LanguageName": name, "LanguageCode": code} for code, name in LANGUAGE_NAMES.items()]
    start = _page_start(request.get("NextToken"))
    end = start + request.get("MaxResults", _DEFAULT_PAGE)
    answered: Request = {"Languages": languages[start:end], "DisplayLanguageCode": display}
    if end < len(languages):
        answered["NextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answered


def _page_start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error) as error:
        raise ServiceError("InvalidParameterValueException", "The token for the next page is not valid.") from error
