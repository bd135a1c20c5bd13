"""Lists in sentences: the first few by name, the rest as a number. And foreign text that a terminal may show."""

import unicodedata
from collections.abc import Sequence

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
"""Unicode's categories of what is not seen but acts: control, format (bidirectional overrides), surrogates, …"""


def and_more(items: Sequence[str], most: int) -> list[str]:
    """At most `most` of the items; what is left out is counted in one more, e.g. ``and 3 more``."""
    left_out = len(items) - most
    return [*items[:most], *([f"and {left_out} more"] if left_out > 0 else [])]


def named(items: Sequence[str], most: int) -> str:
    """The same as running text: ``a, b and 3 more``."""
    return " ".join([", ".join(items[:most]), *and_more(items, most)[most:]])


def printable(text: str, *, keep: str = "") -> str:
    """The text with what is not seen written as an escape, except the characters in `keep`.

    Stored and foreign text goes through it before a person sees it: raw, it could move the cursor, set a title, colour
    or hide what stands around it.
    """
    if text.isprintable():
        return text
    return "".join(
        repr(sign)[1:-1] if unicodedata.category(sign) in _UNSEEN and sign not in keep else sign for sign in text
    )
