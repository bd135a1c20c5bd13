"""Symphony text to a strategy, in one pass with a stack of its own. Reads no file.

A form that has been read before, with the same parts, is looked up instead of read again: real files repeat
themselves ten times over.
"""

from typing import NoReturn

from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import tokens as t
from alchemiser_strategy.parsers.document import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_WARNINGS,
    ParsedSymphony,
    finished,
    name_from,
    nesting,
    too_deep,
)
from alchemiser_strategy.parsers.forms import Forms, Items
from alchemiser_strategy.parsers.values import PORTFOLIOS, Complaint, Script, Value, described

_END = "end"
_KINDS = {**dict.fromkeys(t.OPENERS, ""), **t.CLOSERS, "": _END}
"""What a token does: opens a form (""), closes one (its opener) or ends the text; atoms are not listed."""


def parse_symphony(text: str, source: str = "symphony", *, builder: Builder | None = None) -> ParsedSymphony:
    """A strategy from symphony text.

    `source` names the text in messages and, if the text has no name of its own, the strategy. With a `builder`,
    nodes are shared with whatever else it has made. Raises StrategyError with source, line, column, operator and
    what was expected.
    """
    if len(text) > MAX_CHARACTERS:
        raise StrategyError(f"{source}: has {len(text)} characters; a symphony may have {MAX_CHARACTERS}")
    return _Reading(text, source, builder or Builder()).run()


class _Reading:
    """Reads one text once."""

    def __init__(self, text: str, source: str, builder: Builder) -> None:
        self._text, self._source, self._builder = text, source, builder
        self._forms = Forms(builder)
        self._tokens = t.tokens(text)
        self._open: list[tuple[list[Value], str, int]] = []
        """For each form not yet closed: what its parent has so far, its opener, the opener's token number."""
        self._known: dict[str, dict[Items, Value]] = {opener: {} for opener in t.OPENERS}
        """What each form that was read has become, by its items."""
        self._notes: list[tuple[int, str]] = []

    def run(self) -> ParsedSymphony:
        """The strategy: from ``(defsymphony …)`` with its options, or from a portfolio alone."""
        self._check_last_string()
        items = self._read()
        if not items:
            raise StrategyError(
                f"{self._source}:1:1: there is nothing to read; expected (defsymphony …) or a portfolio"
            )
        if len(items) > 1:
            extra = t.start_of_item(self._tokens, -1, 1)
            self._fail(extra, f"found {described(items[1])} after the end of the symphony; expected nothing more")
        whole = items[0]
        if not isinstance(whole, Script):
            if not isinstance(whole, PORTFOLIOS):
                self._fail(0, f"found {described(whole)}; expected (defsymphony …) or a portfolio")
            whole = Script(name_from(self._source), whole, None, None)
        notes = self._notes[:MAX_WARNINGS]
        where = t.places(self._text, [at for at, _ in notes])
        warnings = [f"{self._source}:{where[at][0]}:{where[at][1]}: {note}" for at, note in notes]
        try:
            return finished(
                self._builder, self._source, whole.name, whole.root, whole.frequency, whole.threshold, warnings
            )
        except StrategyError as error:
            self._fail(0, f"(defsymphony …): {error}")

    # A form is made when it closes, from items that are made already:
    #
    #     (filter (rsi {:window 10}) (select-top 1) [(asset "A") (asset "B")])
    #                            │ │             │           │           ││ │
    #                      Options Ranking  Selection     Asset    Asset Vector Filter
    #
    # `items` are those of the innermost open form, `opened` keeps the items of the forms around it. Items are plain
    # tokens or shared objects, so equal forms have equal items, and `known` finds what such a form has become without
    # reading it again. Errors are not remembered: the first one ends the reading.
    def _read(self) -> list[Value]:
        """The items of the whole text."""
        opened, known = self._open, self._known
        items: list[Value] = []
        for index, token in enumerate(self._tokens):
            kind = _KINDS.get(token)
            if kind is None:
                items.append(token)
            elif not kind:
                opened.append((items, token, index))
                items = []
                if len(opened) > MAX_DEPTH:
                    self._fail(index, too_deep(nesting(self._tokens)))
            elif kind is _END:
                break
            else:
                if not opened or opened[-1][1] != kind:
                    self._wrong_closer(index, token)
                key = tuple(items)
                value = known[kind].get(key) or self._made(kind, key)
                items = opened.pop()[0]
                items.append(value)
        if opened:
            self._unclosed()
        return items

    def _made(self, opener: str, items: Items) -> Value:
        """What a form that was not read before means; remarks on it get the place of its opener."""
        read = {"(": self._forms.list_, "[": self._forms.vector, "{": self._forms.options}[opener]
        try:
            value = self._known[opener][items] = read(items)
        except StrategyError as error:
            self._refuse(error, items)
        finally:
            self._notes += [(self._open[-1][2], note) for note in self._forms.notes]
            self._forms.notes.clear()
        return value

    # --- errors

    def _refuse(self, error: StrategyError, items: Items) -> NoReturn:
        """The form closed last is wrong: say where it is and which operator it belongs to."""
        parent, opener, index = self._open[-1]
        if isinstance(error, Complaint) and error.item is not None:
            index = t.start_of_item(self._tokens, index, error.item)
        inside = list(items) if opener == "(" else parent
        if inside and isinstance(inside[0], str):
            self._fail(index, f"({described(inside[0])} …): {error}")
        self._fail(index, str(error))

    def _fail(self, index: int, message: str) -> NoReturn:
        raise StrategyError(f"{self._source}:{self._at(index)}: {message}")

    def _at(self, index: int) -> str:
        line, column = t.places(self._text, [index])[index]
        return f"{line}:{column}"

    def _wrong_closer(self, index: int, token: str) -> NoReturn:
        if not self._open:
            self._fail(index, f"'{token}' closes nothing; expected the end of the text or another form")
        opener, start = self._open[-1][1:]
        wanted = t.OPENERS[opener]
        self._fail(
            index, f"found '{token}'; expected '{wanted}' to close {self._form(start)} opened at {self._at(start)}"
        )

    def _unclosed(self) -> NoReturn:
        opener, start = self._open[-1][1:]
        self._fail(
            start,
            f"{self._form(start)} opened here is never closed; expected '{t.OPENERS[opener]}' before the text ends",
        )

    def _form(self, start: int) -> str:
        opener, head = self._tokens[start], self._tokens[start + 1]
        named = opener == "(" and head not in _KINDS
        return f"({described(head)} …)" if named else f"'{opener}'"

    def _check_last_string(self) -> None:
        """Only the last token can be a string without an end: such a string takes in the rest of the text."""
        last = next((at for at in range(len(self._tokens) - 1, -1, -1) if self._tokens[at]), None)
        if last is not None and self._tokens[last][0] == '"' and not t.is_string(self._tokens[last]):
            self._fail(last, "the string opened here is never closed; expected '\"' before the text ends")
