r"""Rules for names: of companies, their pages, projects and files.

All names are text of one line in composed Unicode (NFC), without characters that cannot be seen: they would look like
other names, or change how the text around them is shown. Names that were stored before these rules stay readable, and
can be removed.

Each rule is a regular expression and a function. The function is the rule: it also finds what is wrong with single
characters outside Unicode's basic plane. The expression is for the OpenAPI document, so it uses only syntax that all
dialects share, except for `\A` and `\Z`, which the document spells `^` and `$`: in Python, `$` also matches before a
line break at the end. Dialects differ in what counts as a space, so spaces are written out.
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = r"\x20\x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
# Controls (C0, DEL and C1), line and paragraph separators, and what is no character.
_CONTROLS = r"\x00-\x1F\x7F-\x9F\u2028\u2029\uFFF0-\uFFFB\uFFFE\uFFFF"
# Characters of no width, and those that change the direction of text: `Default_Ignorable_Code_Point` of Unicode.
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_INVISIBLE = (
    r"\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164"
    r"\uFE00-\uFE0F\uFEFF\uFFA0"
)
_EXCLUDED = _CONTROLS + _INVISIBLE
# The same outside the basic plane, and halves of pairs, which no text in UTF-8 has.
_EXCLUDED_BEYOND = re.compile("[\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
_WITHOUT = "without control characters and invisible characters"

COMPANY_NAME_CHARACTERS = 200
COMPANY_NAME_EXPECTED = f"1 to {COMPANY_NAME_CHARACTERS} characters, {_WITHOUT}, other than `.` and `..`"
PROJECT_NAME_CHARACTERS = 200
PROJECT_NAME_EXPECTED = f"1 to {PROJECT_NAME_CHARACTERS} characters, not only spaces, {_WITHOUT}"
# Bytes of UTF-8 in a file's name: the limit of Linux, where jobs run, and of most readers' file systems.
FILE_NAME_BYTES = 255
# Bytes of UTF-8 in a document's name. Names of results are longer: they have a language or another ending added.
DOCUMENT_NAME_BYTES = 200
# Media types of the documents that can be uploaded, by the ending of their names.
CONTENT_TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".html": "text/html",
}
_ENDINGS = f"{', '.join(list(CONTENT_TYPES)[:-1])} or {list(CONTENT_TYPES)[-1]}"
FILE_NAME_EXPECTED = (
    f"a file name of at most {DOCUMENT_NAME_BYTES} bytes of UTF-8 that ends in {_ENDINGS}, begins neither with a dot "
    f"nor with a space, {_WITHOUT}, slashes and ${{filename}}, and is not reserved by Windows, such as CON.txt"
)
# Amazon S3 puts the name of the uploaded file in place of this text in a form's key.
_PLACEHOLDER = "${filename}"
# Names of devices, which Windows opens in place of a file, whatever ending they have.
# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_DEVICES = frozenset(
    (
        *("con", "prn", "aux", "nul", "conin$", "conout$"),
        *(f"{device}{number}" for device in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"),
    )
)


def one_line(excluded: str) -> str:
    """Build the pattern of a text that has one line and is not only spaces.

    Parameters
    ----------
    excluded
        Characters that the text must not have, as a character class spells them.
    """
    return rf"\A[^{excluded}]*[^{_SPACES}{excluded}][^{excluded}]*\Z"


def _in_any_case(ending: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in ending)


# Amazon SQS, which carries the names, refuses some of the excluded characters in a message:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
COMPANY_NAME_PATTERN = one_line(_EXCLUDED)
# Names of companies stored before that rule: any characters, but not only white space.
STORED_COMPANY_NAME_PATTERN = rf"[^\x09-\x0D\x1C-\x1F{_SPACES}]"
PROJECT_NAME_PATTERN = one_line(_EXCLUDED)
FILE_NAME_PATTERN = (
    rf"\A[^./\\{_SPACES}{_EXCLUDED}][^/\\{_EXCLUDED}]*"
    rf"\.({'|'.join(_in_any_case(ending.removeprefix('.')) for ending in CONTENT_TYPES)})\Z"
)
_COMPANY_NAME = re.compile(COMPANY_NAME_PATTERN)
_PROJECT_NAME = re.compile(PROJECT_NAME_PATTERN)
_FILE_NAME = re.compile(FILE_NAME_PATTERN)


def is_company_name(text: str) -> bool:
    """Tell whether a text can be a company's name or page as it is stored; see `normalise_company_name`."""
    return (
        1 <= len(text) <= COMPANY_NAME_CHARACTERS
        and _is_visible(text, _COMPANY_NAME)
        # In an address, these segments lead elsewhere.
        and not {".", ".."} & set(text.split("/"))
    )


def normalise_company_name(text: str) -> str:
    """Bring the name or page of a company into the form in which it is stored: NFC, no spaces around it.

    Raises
    ------
    ValueError
        It is not a valid name; the message says what was expected.
    """
    name = _composed(text)
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


def normalise_project_name(text: str) -> str:
    """Bring a project's name into the form in which it is stored: NFC, no spaces around it.

    Raises
    ------
    ValueError
        It is not a valid name; the message says what was expected.
    """
    name = _composed(text)
    if not (1 <= len(name) <= PROJECT_NAME_CHARACTERS and _is_visible(name, _PROJECT_NAME)):
        raise ValueError(f"expected {PROJECT_NAME_EXPECTED}")
    return name


def normalise_file_name(text: str) -> str:
    """Bring the name of a document's file into the form in which it is stored: NFC.

    Raises
    ------
    ValueError
        It is not a valid name; the message says what was expected.
    """
    name = unicodedata.normalize("NFC", text)
    is_valid = (
        _is_visible(name, _FILE_NAME)
        and len(name.encode()) <= DOCUMENT_NAME_BYTES
        and _PLACEHOLDER not in name
        # Windows looks at what is before the first dot, and leaves spaces at its end out.
        and name.partition(".")[0].rstrip(" ").casefold() not in _DEVICES
    )
    if not is_valid:
        raise ValueError(f"expected {FILE_NAME_EXPECTED}")
    return name


def content_type_of(name: str) -> str:
    """Find the media type of a document by its valid name."""
    return next(kind for ending, kind in CONTENT_TYPES.items() if name.lower().endswith(ending))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _is_visible(text: str, pattern: re.Pattern[str]) -> bool:
    return pattern.match(text) is not None and _EXCLUDED_BEYOND.search(text) is None
