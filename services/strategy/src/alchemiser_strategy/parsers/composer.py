"""Composer's export to a strategy: the language of the text form, written as a tree of steps. Reads no file.

The steps are JSON objects or EDN maps with the same fields. Fields that only describe (ids, exchanges, prices,
colours) are passed over; what a step needs must be there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from alchemiser_common.json_value import Json
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import composer_fields as f
from alchemiser_strategy.parsers import notes
from alchemiser_strategy.parsers.document import MAX_WARNINGS, ParsedSymphony, finished, name_from
from alchemiser_strategy.parsers.envelopes import Letter, is_form, opened
from alchemiser_strategy.parsers.symphony import parse_symphony
from alchemiser_strategy.parsers.tokens import whole_characters

_YEARLY = {"annually": "yearly"}
_LEAVES = frozenset({"asset", "empty"})
"""Steps without children."""


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """An if-child, made into what it holds; the else has no condition."""

    condition: n.Condition | None
    portfolio: n.Portfolio


@dataclass(slots=True, eq=False)
class _Open:
    """A step whose children are being read. Invariant: `made` is what the first of `children` have become, in order."""

    fields: f.Fields
    parent: "_Open | None"
    position: int
    """Among the parent's children, from 0."""
    children: Sequence[Json]
    made: list[n.Portfolio | _Branch] = field(default_factory=list)

    @property
    def step(self) -> str:
        """The kind of step."""
        return str(self.fields.get("step"))

    @property
    def positions(self) -> list[int]:
        """Where it is: the positions among their parents' children of all that it is in, and its own."""
        positions = []
        at: _Open = self
        while at.parent is not None:
            positions.append(at.position)
            at = at.parent
        return positions[::-1]


def parse_composer(text: str, source: str = "symphony", *, builder: Builder | None = None) -> ParsedSymphony:
    """A strategy from the text of a Composer export: JSON or EDN, also in quotes, or in an envelope of an API.

    `source` names the text in messages and, if the export has no name of its own, the strategy. With a `builder`,
    nodes are shared with whatever else it has made. Raises StrategyError with source, line, column, the way to the
    step (``$.children[0]``), its kind and what was expected.
    """
    letter = opened(text, source)
    if isinstance(letter.tree, str) and is_form(letter.tree):
        return parse_symphony(letter.tree, f"{source} (in quotes)", builder=builder)
    return _Steps(letter, source, builder or Builder()).whole()


class _Steps:
    """Turns the steps of one export into nodes."""

    def __init__(self, letter: Letter, source: str, builder: Builder) -> None:
        self._letter, self._source, self._build = letter, source, builder
        self._conditions = f.Conditions(builder)
        self._notes: list[tuple[_Open, str]] = []
        self._makers = {
            "group": self._group,
            "if": self._if,
            "if-child": self._if_child,
            "filter": self._filter,
            "asset": self._asset,
            "empty": self._empty,
            "wt-cash-equal": lambda step: self._build.weight_equal(_portfolios(step), operator="wt-cash-equal"),
            "wt-cash-specified": self._specified,
            "wt-inverse-vol": self._inverse_volatility,
        }

    def whole(self) -> ParsedSymphony:
        """The strategy: from a root step with its options, or from a portfolio alone."""
        top = self._opened(self._letter.tree, None, 0)
        root = self._read(top)
        if isinstance(root, _Branch):
            self._fail(top, "found an if-child; expected root or a portfolio")
        try:
            name, frequency, threshold = _root_options(top.fields) if top.step == "root" else (None, None, None)
            name = name or name_from(self._source)
            where = self._where([step for step, _ in self._notes[:MAX_WARNINGS]])
            warnings = [f"{where[step]}: {note}" for step, note in self._notes[:MAX_WARNINGS]]
            return finished(self._build, self._source, name, root, frequency, threshold, warnings)
        except StrategyError as error:
            self._fail(top, str(error))

    # Without recursion: `step` is the innermost step that is open, its parents are the stack. Each turn opens the next
    # child, or, if all children are made, makes the step itself and goes back to its parent.
    #
    #     root ─ opens ─> if ─ opens ─> if-child ─ opens ─> asset
    #     root <─ makes ─ if <─ makes ─ if-child <─ makes ─ asset      as often as there are children
    def _read(self, top: _Open) -> n.Portfolio | _Branch:
        """What the top step becomes, children before parents."""
        step = top
        while True:
            if len(step.made) < len(step.children):
                position = len(step.made)
                step = self._opened(step.children[position], step, position)
                continue
            made = self._made(step)
            if step.parent is None:
                return made
            step = step.parent
            step.made.append(made)

    def _opened(self, value: Json, parent: _Open | None, position: int) -> _Open:
        """A step, checked as far as it can be before its children are read."""
        step = _Open(value if isinstance(value, dict) else {}, parent, position, ())
        if not isinstance(value, dict):
            self._fail(step, f"found {f.shown(value)}; expected an object with a step")
        if step.step not in self._makers and (step.step != "root" or parent is not None):
            known = ", ".join(self._makers)
            self._fail(step, f"unknown step {f.shown(value.get('step'))}; expected one of {known}, or root at the top")
        children = value.get("children")
        if step.step not in _LEAVES:
            if not isinstance(children, list) or not children:
                self._fail(step, f"children is {f.shown(children) if children else 'empty'}; expected a list of steps")
            step.children = children
        return step

    def _made(self, step: _Open) -> n.Portfolio | _Branch:
        """What a step becomes, now that its children are made; errors get the step's path."""
        try:
            maker = self._makers.get(step.step)
            return self._build.weight_equal(_portfolios(step), operator="root") if maker is None else maker(step)
        except StrategyError as error:
            self._fail(step, str(error))

    def _fail(self, step: _Open, message: str) -> NoReturn:
        raise StrategyError(f"{self._where([step])[step]}: {step.step}: {message}")

    def _where(self, steps: Sequence[_Open]) -> dict[_Open, str]:
        """Steps as messages place them: ``file.json:12:5: $.children[0]``."""
        positions = {step: step.positions for step in steps}
        paths = {
            step: (*self._letter.path, *(part for position in inside for part in ("children", position)))
            for step, inside in positions.items()
        }
        places = self._letter.layer.places(paths.values())
        return {
            step: f"{self._source}:{places[paths[step]]}: {self._letter.way}"
            + "".join(f".children[{position}]" for position in inside)
            for step, inside in positions.items()
        }

    # --- steps

    def _asset(self, step: _Open) -> n.Portfolio:
        f.require_equities(step.fields)
        name = step.fields.get("name")
        label = whole_characters(name) if isinstance(name, str) else None
        return self._build.asset(f.text(step.fields, "ticker", "a symbol"), label)

    def _empty(self, step: _Open) -> n.Portfolio:
        self._note(step, [notes.EMPTY])
        return self._build.cash()

    def _group(self, step: _Open) -> n.Portfolio:
        name = step.fields.get("name")
        return self._build.group(whole_characters(name) if isinstance(name, str) else "group", _portfolios(step))

    def _specified(self, step: _Open) -> n.Portfolio:
        children = _portfolios(step)
        weights = [_weight(child, at) for at, child in enumerate(step.children)]
        self._note(step, notes.on_weights(weights))
        return self._build.weight_specified(weights, children)

    def _inverse_volatility(self, step: _Open) -> n.Portfolio:
        days = step.fields.get("window-days")
        return self._build.weight_inverse_volatility(f.whole(days, "window-days"), _portfolios(step))

    def _filter(self, step: _Open) -> n.Portfolio:
        fields, children = step.fields, _portfolios(step)
        for switch in ("select?", "sort-by?"):
            if fields.get(switch) is False:
                raise StrategyError(f"{switch} is false; expected a filter that ranks and selects")
        made = self._build.filter_(
            f.metric(fields, "sort-by-fn"),
            f.windows(fields, "sort-by-fn-params", "sort-by-window-days"),
            f.text(fields, "select-fn", "top or bottom"),
            f.whole(fields.get("select-n"), "select-n"),
            children,
        )
        self._note(step, notes.on_filter(made, children))
        return made

    def _if(self, step: _Open) -> n.Portfolio:
        branches = [child for child in step.made if isinstance(child, _Branch)]
        if len(branches) < len(step.made):
            raise StrategyError("has a child that is no if-child; expected if-children only")
        asked = [(branch.condition, branch.portfolio) for branch in branches if branch.condition is not None]
        other = [branch.portfolio for branch in branches if branch.condition is None]
        if not asked or len(other) != 1:
            raise StrategyError(
                f"has {len(asked)} conditions, {len(other)} else branches; expected one else and at least a condition"
            )
        # Several conditions are tried in order, so from the last one up each becomes an if with the rest in its else.
        portfolio = other[0]
        for condition, then in reversed(asked):
            portfolio = self._build.if_(condition, then, portfolio)
        return portfolio

    def _if_child(self, step: _Open) -> _Branch:
        otherwise = step.fields.get("is-else-condition?", False)
        if not isinstance(otherwise, bool):
            raise StrategyError(f"is-else-condition? is {f.shown(otherwise)}; expected true or false")
        portfolio = self._build.weight_equal(_portfolios(step), operator="if-child")
        return _Branch(None if otherwise else self._conditions.of(step.fields), portfolio)

    def _note(self, step: _Open, said: list[str]) -> None:
        self._notes += [(step, note) for note in said]


def _portfolios(step: _Open) -> list[n.Portfolio]:
    made = [child for child in step.made if not isinstance(child, _Branch)]
    if len(made) < len(step.made):
        raise StrategyError("has an if-child; expected it inside an if only")
    return made


def _weight(child: Json, position: int) -> float:
    """A child's weight: ``{"num": 60, "den": 100}``."""
    weight = child.get("weight") if isinstance(child, dict) else None
    what = f"children[{position}].weight"
    if not isinstance(weight, dict):
        raise StrategyError(f"{what} is {f.shown(weight)}; expected {{num, den}}")
    part, of = f.number(weight.get("num"), f"{what}.num"), f.number(weight.get("den"), f"{what}.den")
    if not of > 0:
        raise StrategyError(f"{what}.den is {f.shown(of)}; expected more than 0")
    return part / of


def _root_options(fields: f.Fields) -> tuple[str | None, str | None, float | None]:
    """Name, rebalance frequency and threshold. A threshold comes with the frequency "none"."""
    f.require_equities(fields)
    name, frequency, corridor = (fields.get(key) for key in ("name", "rebalance", "rebalance-corridor-width"))
    threshold = f.number(corridor, "rebalance-corridor-width") if corridor is not None else 0.0
    if frequency is not None and not isinstance(frequency, str):
        raise StrategyError(f"rebalance is {f.shown(frequency)}; expected daily or the like")
    if frequency == "none" and not threshold:
        raise StrategyError("rebalance is none; expected a rebalance-corridor-width as well")
    period = None if frequency is None or frequency == "none" else _YEARLY.get(frequency, frequency)
    return whole_characters(name) if isinstance(name, str) and name else None, period, threshold or None
