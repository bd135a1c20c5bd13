"""Where in a file something stands, when the text that says it may be written in quotes inside another text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from alchemiser_strategy.parsers import tokens as t

type Part = str | int
type Path = tuple[Part, ...]
"""The way to a value from the whole: keys of maps, and positions in lists from 0."""

_QUOTED = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
"""What stands in quotes for one character: an escape, or the two halves of one."""


class TextFault(Exception):
    """Raised when a text cannot be read; `offset` is the place in that text, None if it is the text as a whole."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A text: a whole file, or a string in `outer`."""

    text: str
    outer: "Layer | None" = None
    path: Path = ()
    """The way to the string in the outer text."""

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Of a place in this text, in the file; both from 1."""
        layer = self
        while layer.outer is not None:
            opening = offsets_of(layer.outer.text, [layer.path])[layer.path] + 1
            offset = opening + offset + _longer(layer.outer.text, opening, offset)
            layer = layer.outer
        return t.line_and_column(layer.text, offset)

    def places(self, paths: Iterable[Path]) -> dict[Path, str]:
        """Line and column in the file of values of this text: ``12:5``."""
        found = offsets_of(self.text, paths)
        return {path: ":".join(map(str, self.line_and_column(offset))) for path, offset in found.items()}


def _longer(text: str, opening: int, offset: int) -> int:
    """How many more characters than in the string itself stand in the text before the string's place `offset`."""
    more = 0
    for escape in _QUOTED.finditer(text, opening):
        if escape.start() - opening - more >= offset:
            break
        more += len(escape[0]) - 1
    return more


@dataclass(slots=True, eq=False)
class _Wanted:
    """A step of the ways that are looked for."""

    path: Path | None = None
    below: dict[Part, "_Wanted"] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Open:
    """A bracket that is open: what is wanted of it, and how far it has been read."""

    wanted: _Wanted | None
    is_map: bool
    key: str | None = None
    count: int = 0

    def part(self) -> Part:
        """What the value that begins now is called in here."""
        if self.is_map:
            key, self.key = self.key, None
            return key or ""
        self.count += 1
        return self.count - 1


# One pass, whatever is looked for: every open bracket knows its part of the ways, or None if none leads through it.
# JSON and EDN differ by what is passed over: the colon between key and value, a tag before a value.
def offsets_of(text: str, paths: Iterable[Path]) -> dict[Path, int]:
    """Where values of a text in JSON or EDN begin. The text has been read before; a way must lead to a value."""
    root = _Wanted()
    for path in paths:
        at = root
        for part in path:
            at = at.below.setdefault(part, _Wanted())
        at.path = path
    found: dict[Path, int] = {}
    opened: list[_Open] = []
    for word, start in _values(text):
        if word in t.CLOSERS:
            opened.pop()
            continue
        inside = opened[-1] if opened else None
        if inside is not None and inside.is_map and inside.key is None:
            inside.key = _key(word)
            continue
        wanted: _Wanted | None = root
        if inside is not None:
            part = inside.part()
            wanted = inside.wanted.below.get(part) if inside.wanted is not None else None
        if wanted is not None and wanted.path is not None:
            found.setdefault(wanted.path, start)
        if word in t.OPENERS:
            opened.append(_Open(wanted, is_map=word == "{"))
    return found


def _values(text: str) -> Iterator[tuple[str, int]]:
    return ((word, start) for word, start in t.placed(text) if word and word != ":" and word[0] != "#")


def _key(word: str) -> str:
    return t.unescape(word) if word[0] == '"' else word.removeprefix(":")
