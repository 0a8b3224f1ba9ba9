"""Regular expressions that both this code and readers of the API's description go by.

Dialects differ in what counts as a space, so that spaces are written out.
"""

from __future__ import annotations

_SPACES = r"\x20\x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"


def one_line(excluded: str) -> str:
    """Make the pattern of a text of one line that is not only spaces.

    Parameters
    ----------
    excluded
        Characters that may not be in it, as a class of characters spells them.
    """
    return f"^[^{excluded}]*[^{_SPACES}{excluded}][^{excluded}]*$"
