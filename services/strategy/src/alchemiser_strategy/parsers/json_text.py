"""JSON text to plain values, however deep. Errors name line and column."""

import json
import re
from typing import NoReturn

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers.document import MAX_CHARACTERS, MAX_DEPTH

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

_TOKEN = re.compile(r'[ \t\n\r]*+([{}\[\]:,]|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^ \t\n\r{}\[\]:,"]++|"|\Z)', re.DOTALL)


def decoded(text: str, source: str) -> Json:
    """The value that JSON text states. Raises StrategyError if it is too long, no JSON, or has numbers beyond reason.

    The standard reader is fast, but gives up some thousands of levels deep; then a slower one with its own stack
    reads the text.
    """
    if len(text) > MAX_CHARACTERS:
        raise StrategyError(f"{source}: has {len(text)} characters; a symphony may have {MAX_CHARACTERS}")
    try:
        return _standard(text.removeprefix("\ufeff"))
    except RecursionError:
        return _Deep(text, source).value()
    except json.JSONDecodeError as error:
        raise StrategyError(f"{source}:{error.lineno}:{error.colno}: this is no JSON: {error.msg}") from None
    except ValueError as error:
        raise StrategyError(f"{source}: this JSON cannot be used: {error}") from None


def _standard(text: str) -> Json:
    value: Json = json.loads(text, parse_constant=_no_number)
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


class _Deep:
    """Reads JSON with a stack of its own: about ten times slower than the standard reader, at any depth."""

    def __init__(self, text: str, source: str) -> None:
        self._text, self._source = text.removeprefix("\ufeff"), source
        self._open: list[list[Json] | dict[str, Json]] = [[]]
        """Containers not yet closed, in each other; the first one is for the whole value."""
        self._keys: list[str] = []
        """For each open object the key whose value is being read."""

    def value(self) -> Json:
        wanted = "value"
        match: re.Match[str] | None = None
        for match in _TOKEN.finditer(self._text):
            try:
                wanted = self._next(match[1], wanted)
            except (ValueError, IndexError):
                self._fail(match, f"found {match[1][:40] or 'the end'}; expected {wanted}")
            if len(self._open) > MAX_DEPTH:
                self._fail(match, f"values are nested more than {MAX_DEPTH} deep")
            if wanted == "nothing":
                break
        whole = self._open[0]
        return whole[0] if isinstance(whole, list) else None

    def _next(self, word: str, wanted: str) -> str:
        """Take one token; returns what is wanted next. Raises ValueError or IndexError if it does not fit."""
        inside = self._open[-1]
        if word and word in "]}" and wanted in {"comma or end", "value or end", "key or end"}:
            return self._closed(word, inside)
        match wanted:
            case "value" | "value or end":
                return self._value(word)
            case "comma or end" if word == ",":
                return "key" if isinstance(inside, dict) else "value"
            case "key" | "key or end" if word[0] == '"':
                self._keys.append(str(json.loads(word)))
                return "colon"
            case "colon" if word == ":":
                return "value"
            case "end" if not word:
                return "nothing"
        raise ValueError(word)

    def _value(self, word: str) -> str:
        if word in {"[", "{"}:
            self._open.append([] if word == "[" else {})
            return "value or end" if word == "[" else "key or end"
        return self._put(_standard(word))

    def _closed(self, word: str, inside: list[Json] | dict[str, Json]) -> str:
        if word != ("}" if isinstance(inside, dict) else "]") or len(self._open) == 1:
            raise ValueError(word)
        return self._put(self._open.pop())

    def _put(self, value: Json) -> str:
        outer = self._open[-1]
        if isinstance(outer, dict):
            outer[self._keys.pop()] = value
        else:
            outer.append(value)
        return "comma or end" if len(self._open) > 1 else "end"

    def _fail(self, match: re.Match[str], message: str) -> NoReturn:
        start = match.start(1)
        line, column = self._text.count("\n", 0, start) + 1, start - self._text.rfind("\n", 0, start)
        raise StrategyError(f"{self._source}:{line}:{column}: this is no JSON: {message}")
