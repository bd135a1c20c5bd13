"""Lists in sentences: the first few by name, the rest as a number."""

from collections.abc import Sequence


def and_more(items: Sequence[str], most: int) -> list[str]:
    """At most `most` of the items; what is left out is counted in one more, e.g. ``and 3 more``."""
    left_out = len(items) - most
    return [*items[:most], *([f"and {left_out} more"] if left_out > 0 else [])]


def named(items: Sequence[str], most: int) -> str:
    """The same as running text: ``a, b and 3 more``."""
    return " ".join([", ".join(items[:most]), *and_more(items, most)[most:]])
