"""Rules for names: of companies, projects and files.

Each rule is a regular expression and a function. The OpenAPI document has the expression, so it uses only syntax that
all dialects share. Dialects differ in what counts as a space, so spaces are written out.
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = r"\x20\x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
COMPANY_NAME_CHARACTERS = 200
COMPANY_NAME_EXPECTED = f"1 to {COMPANY_NAME_CHARACTERS} characters, without control characters"
FILE_NAME_CHARACTERS = 200
# Bytes of UTF-8 in a file's name: the limit of Linux, where jobs run, and of most readers' file systems.
FILE_NAME_BYTES = 255
# Media types of the documents that can be uploaded, by the ending of their names.
CONTENT_TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".html": "text/html",
}
# Endings of formats in which each character takes a byte at least.
UNCOMPRESSED = frozenset((".txt", ".md", ".html"))
FILE_NAME_EXPECTED = (
    f"a file name ending in {', '.join(list(CONTENT_TYPES)[:-1])} or {list(CONTENT_TYPES)[-1]}, "
    f"4 to {FILE_NAME_CHARACTERS} characters, without slashes"
)


def one_line(excluded: str) -> str:
    """Build the pattern of a text that has one line and is not only spaces.

    Parameters
    ----------
    excluded
        Characters that the text must not have, as a character class spells them.
    """
    return f"^[^{excluded}]*[^{_SPACES}{excluded}][^{excluded}]*$"


def _in_any_case(ending: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in ending)


# Characters that Amazon SQS, which carries the names, refuses in a message:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
COMPANY_NAME_PATTERN = one_line(r"\x00-\x1F\x7F\uFFFE\uFFFF")
# Names of companies stored before that rule: any characters, but not only white space.
STORED_COMPANY_NAME_PATTERN = rf"[^\x09-\x0D\x1C-\x1F{_SPACES}]"
_UNSENDABLE = re.compile("[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
PROJECT_NAME_PATTERN = one_line(r"\x00-\x1F\x7F")
FILE_NAME_PATTERN = (
    rf"^[^/\\\x00-\x1F\x7F]+\.({'|'.join(_in_any_case(ending.removeprefix('.')) for ending in CONTENT_TYPES)})$"
)


def is_company_name(text: str) -> bool:
    """Tell whether a text can be a company's name as it is stored; see `normalise_company_name`."""
    return 1 <= len(text) <= COMPANY_NAME_CHARACTERS and not _UNSENDABLE.search(text) and bool(text.strip())


def normalise_company_name(text: str) -> str:
    """Bring a company's name into the form in which it is stored: composed Unicode (NFC), no spaces around it.

    Raises
    ------
    ValueError
        It is not a valid name; the message says what was expected.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not is_company_name(name):
        raise ValueError(f"expected {COMPANY_NAME_EXPECTED}")
    return name


def is_company_key(text: str) -> bool:
    """Tell whether a company can be stored under a name, whether or not today's rule accepts its characters."""
    is_unicode = not any("\ud800" <= character <= "\udfff" for character in text)
    return 1 <= len(text) <= COMPANY_NAME_CHARACTERS and is_unicode and bool(text.strip())


def stored_company_name(text: str) -> str:
    """Bring the name of a company that is stored already into the form in which it is stored.

    A name with characters that today's rule refuses stays as it is, so that older companies can be renamed and removed.

    Raises
    ------
    ValueError
        No company can be stored under it; the message says what was expected.
    """
    try:
        return normalise_company_name(text)
    except ValueError:
        if is_company_key(text):
            return text
        raise
