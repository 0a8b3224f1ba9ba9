"""Text that looks translated and plainly is not: letters get accents, all else stays, the language is named in front.

Order <b>3</b> shoes, {name}!   ->   [de] Ørdér <b>3</b> shóés, {name}!
"""

from __future__ import annotations

import re

_ACCENTED = str.maketrans("aeiouyncAEIOUYNC", "åéîóüýñçÅÉÎØÜÝÑÇ")
# What a translation leaves as it is: elements marked so, tags, entities, placeholders of the usual kinds, addresses.
_KEPT = re.compile(
    r"""<(\w+)\b[^>]*\btranslate=["']no["'][^>]*>.*?</\1>"""
    r"|</?[A-Za-z!][^<>]*>"
    r"|&(?:\#\w+|\w+);"
    r"|\{\{[^{}]*\}\}|\$?\{[^{}]*\}"
    r"|%\(\w+\)[sdif]|%[sdif]"
    r"|https?://[^\s<>]+|[\w.+-]+@[\w-]+\.[\w.-]+",
    re.DOTALL,
)


def pseudo_translate(text: str, language: str) -> str:
    """Return a text with accents and the language's code; the same for the same text.

    White space around the text, line breaks, digits, markup and placeholders stay as they are.

    Parameters
    ----------
    text
        Any text; a text without anything but white space stays as it is.
    language
        Code of the target language, such as ``de``.
    """
    core = text.strip()
    if not core:
        return text
    lead, trail = text[: text.index(core[0])], text[len(text.rstrip()) :]
    pieces, end = [], 0
    for kept in _KEPT.finditer(core):
        pieces += [core[end : kept.start()].translate(_ACCENTED), kept.group()]
        end = kept.end()
    pieces.append(core[end:].translate(_ACCENTED))
    return f"{lead}[{language}] {''.join(pieces)}{trail}"
