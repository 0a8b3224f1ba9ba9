"""Languages of the services, as their codes."""

from __future__ import annotations

_TRANSLATE = (
    "af am ar az bg bn bs ca cs cy da de el en es es-MX et fa fa-AF fi fr fr-CA ga gu ha he hi hr ht hu hy id is it ja"
    " ka kk kn ko lt lv mk ml mn mr ms mt nl no pa pl ps pt pt-PT ro ru si sk sl so sq sr sv sw ta te th tl tr uk ur uz"
    " vi zh zh-TW"
)
# https://docs.aws.amazon.com/translate/latest/dg/what-is-languages.html
TRANSLATE = tuple(_TRANSLATE.split())
# Languages of sentiment analysis, https://docs.aws.amazon.com/comprehend/latest/dg/supported-languages.html
COMPREHEND = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "pt", "zh", "zh-TW")
# In place of a code: the language is detected for each document.
AUTOMATIC = "auto"
