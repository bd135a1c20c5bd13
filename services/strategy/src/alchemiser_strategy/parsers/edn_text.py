"""EDN text to the plain values that JSON has: maps of keywords, vectors, strings, numbers. Reads what Composer writes.

A keyword is its name, a set or list is a list, a bare word stands for itself, a tag is passed over.
"""

from typing import NoReturn

from alchemiser_common.json_value import Json
from alchemiser_strategy.parsers import tokens as t
from alchemiser_strategy.parsers.document import MAX_DEPTH, nesting, too_deep
from alchemiser_strategy.parsers.layers import TextFault

_WORDS: dict[str, Json] = {"nil": None, "true": True, "false": False}


def decoded_edn(text: str) -> Json:
    """The value that EDN text states.

    Raises TextFault with the place: brackets or strings that do not close, nested too deep, a map that is none.
    """
    return _Reading(text).value()


class _Reading:
    """Reads one text once, with a stack of its own."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = t.tokens(text)
        self._open: list[tuple[list[tuple[Json, int]], str, int]] = []
        """For each bracket not yet closed: what its parent has so far, the bracket, and its token's number."""

    def value(self) -> Json:
        """The one value of the text. Items stand with the number of the token that they begin with."""
        depth = nesting(self._tokens)
        if depth > MAX_DEPTH:
            raise TextFault(too_deep(depth))
        items: list[tuple[Json, int]] = []
        for index, token in enumerate(self._tokens):
            if token in t.OPENERS:
                self._open.append((items, token, index))
                items = []
            elif token in t.CLOSERS:
                opener, start = self._opener(index, token)
                made = self._map(items) if opener == "{" and not self._is_set(start) else [item for item, _ in items]
                items = self._open.pop()[0]
                items.append((made, start))
            elif token and token[0] != "#":
                items.append((self._atom(index, token), index))
            elif token.startswith("#_"):
                self._fail(index, f"found {token[:40]}; expected no form that is left out")
        if self._open:
            self._fail(self._open[-1][2], f"'{self._open[-1][1]}' opened here is never closed")
        if len(items) != 1:
            self._fail(items[1][1] if items else 0, f"found {len(items)} values; expected one map")
        return items[0][0]

    def _opener(self, index: int, token: str) -> tuple[str, int]:
        if not self._open:
            self._fail(index, f"'{token}' closes nothing")
        _, opener, start = self._open[-1]
        if t.OPENERS[opener] != token:
            line, column = t.line_and_column(self._text, self._offset(start))
            wanted = t.OPENERS[opener]
            self._fail(index, f"found '{token}'; expected '{wanted}' to close the '{opener}' of line {line}:{column}")
        return opener, start

    def _is_set(self, start: int) -> bool:
        return start > 0 and self._tokens[start - 1] == "#"

    def _map(self, items: list[tuple[Json, int]]) -> dict[str, Json]:
        made: dict[str, Json] = {}
        for key, start in items[::2]:
            token = self._tokens[start]
            if not isinstance(key, str) or token[0] not in ':"':
                self._fail(start, f"a map has the key {token[:40]}; expected a keyword such as :step")
            if key in made:
                self._fail(start, f"the key :{key} is given twice")
            made[key] = None
        if len(items) % 2:
            self._fail(items[-1][1], "a map has a key without a value")
        return dict(zip(made, [value for value, _ in items[1::2]], strict=True))

    def _atom(self, index: int, token: str) -> Json:
        if token[0] == '"':
            if not t.is_string(token):
                self._fail(index, "the string opened here is never closed")
            try:
                return t.unescape(token)
            except KeyError as unknown:
                self._fail(
                    index, f'string has the escape \\{unknown.args[0]}; expected \\\\ \\" \\n \\t \\r or \\uXXXX'
                )
        if token[0] == ":":
            if len(token) == 1:
                self._fail(index, "found ':'; expected a keyword such as :step")
            return token[1:]
        if token in _WORDS:
            return _WORDS[token]
        number = t.number(token.rstrip("NM"))
        if number is None:
            return token
        return int(number) if number.is_integer() and abs(number) < 1e15 else number

    def _offset(self, index: int) -> int:
        return next(start for at, (_, start) in enumerate(t.placed(self._text)) if at == index)

    def _fail(self, index: int, message: str) -> NoReturn:
        raise TextFault(message, self._offset(index))
