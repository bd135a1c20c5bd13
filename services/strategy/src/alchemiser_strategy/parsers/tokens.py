"""Symphony text to tokens. Positions are not kept: they are found again on the way to an error."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}

# White space, commas and comments, then one token. Every quantifier is possessive, so no input is scanned twice; a
# string that never ends runs to the end of the text. The end of the text is an empty token.
_TOKEN = re.compile(
    r"""
    [\s,\ufeff]*+ (?: ; [^\n]*+ [\s,]*+ )*+
    (
        [()\[\]{}]
      | "[^"\\]*+ (?: \\. [^"\\]*+ )*+ (?: " | \\?\Z )
      | [^\s,;()\[\]{}"]++
      | \Z
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def tokens(text: str) -> list[str]:
    """All tokens, in order, as they are written; at least one empty token marks the end."""
    return _TOKEN.findall(text)


def is_string(token: str) -> bool:
    """Whether a token is a string, and a finished one."""
    return _STRING.fullmatch(token) is not None


def number(token: str) -> float | None:
    """The value of a number as the grammar writes it (``12``, ``-0.5``, ``1e3``, ``.5``, ``1.``), or None."""
    return float(token) if _NUMBER.fullmatch(token) else None


def unescape(token: str) -> str:
    """What a string token says. Raises KeyError with an escape that the grammar does not know."""
    inside = token[1:-1]
    if "\\" in inside:
        inside = _ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else _ESCAPED[m[1]], inside)
    return whole_characters(inside)


def whole_characters(text: str) -> str:
    """The text with halves of characters joined, and those without their other half replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def placed(text: str) -> Iterator[tuple[str, int]]:
    """All tokens with the places where they begin, from 0."""
    return ((found[1], found.start(1)) for found in _TOKEN.finditer(text))


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Of a place in the text; both from 1."""
    return 1 + text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset)


def places(text: str, wanted: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Line and column, from 1, of tokens given by number. The text is scanned once more, up to the last of them."""
    found = {}
    stream, passed = _TOKEN.finditer(text), 0
    line, counted = 1, 0
    for index in sorted(set(wanted)):
        start = next(islice(stream, index - passed, None)).start(1)
        line += text.count("\n", counted, start)
        passed, counted = index + 1, start
        found[index] = line, start - text.rfind("\n", 0, start)
    return found


def start_of_item(all_tokens: Sequence[str], opener: int, item: int) -> int:
    """The token that starts item number `item` of the form opened by token `opener` (-1: of the whole text)."""
    depth, seen = 0, -1
    for index in range(opener + 1, len(all_tokens)):
        token = all_tokens[index]
        if token in CLOSERS:
            depth -= 1
            continue
        seen += depth == 0
        if seen == item:
            return index
        depth += token in OPENERS
    return max(opener, 0)
