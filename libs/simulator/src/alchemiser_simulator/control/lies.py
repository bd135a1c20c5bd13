"""Untrue answers: rules that put another answer in the place of the true one, or change what it says.

They change what a client is told, never what the exchange has done. What is told while a rule applies a `count` of
times and then no more is a contradiction that lasts so many reads.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from alchemiser_simulator.control.rules import Model, Rule


class Answer(Rule):
    """Any answer in the routes' stead: `text` as it stands, or else `body` as JSON. `accepted`: the request was carried
    out all the same.
    """

    kind: Literal["answer"] = "answer"
    status: int = Field(default=200, ge=200, le=599)
    body: JsonValue = None
    text: str | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = Field(default_factory=dict)
    accepted: bool = False


class Operation(Model):
    """One change of a JSON answer. `path` names a place: keys and list numbers with dots between them, `*` for each
    element; a tuple where a key has a dot of its own; empty for the whole. A place that is not there, or holds what the
    operation cannot change, is left alone.

    `set`: put `value` there; of an object, a field that it lacks too. `remove`: take it out. `append`: put `value` at
    the end of the list there. `multiply`: the number there times `value`, written as the number was. `copy`: put the
    field `source` of the same object there, times `value` if that is given. `shift`: move the time there by `value`
    seconds. `where`: only in an object with these fields (the one at the place, or else the one that holds it).
    """

    path: str | tuple[str, ...]
    do: Literal["set", "remove", "append", "multiply", "copy", "shift"] = "set"
    value: JsonValue = None
    source: str | None = None
    where: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's keys."""
        if isinstance(self.path, tuple):
            return self.path
        return tuple(self.path.split(".")) if self.path else ()

    @property
    def number(self) -> Decimal:
        """`value` as a number, 1 if there is none."""
        return Decimal(1) if self.value is None else Decimal(str(self.value))

    @model_validator(mode="after")
    def _fits(self) -> Operation:
        if (self.do == "copy") != (self.source is not None):
            raise ValueError("source is for copy, and copy needs it")
        if self.do == "remove" and not self.parts:
            raise ValueError(
                "path is empty; remove needs one, for the whole answer cannot be taken out: set it to null"
            )
        if self.do in {"multiply", "copy", "shift"} and not self._has_number:
            raise ValueError(f"value is {self.value!r}; {self.do} needs a number")
        return self

    @property
    def _has_number(self) -> bool:
        try:
            return self.number.is_finite()
        except ArithmeticError:
            return False


class Patch(Rule):
    """The true answer with some of its fields changed, and with another status if one is given. An answer in which no
    operation finds its place counts as left alone.
    """

    kind: Literal["patch"] = "patch"
    operations: tuple[Operation, ...] = Field(min_length=1)
    status: int | None = Field(default=None, ge=200, le=599)

    @field_validator("operations")
    @classmethod
    def _sized(cls, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
        if len(operations) > 1000:
            raise ValueError(f"{len(operations)} operations; give at most 1000")
        return operations


class Stale(Rule):
    """The answer to the same request as it was some reads, or seconds of the exchange's clock, ago: of the answers that
    were due since the rule is in force the latest that is old enough, or else the first.
    """

    kind: Literal["stale"] = "stale"
    reads: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> Stale:
        if (self.reads is None) == (self.seconds is None):
            raise ValueError("give either reads or seconds")
        return self


class LateArrival(Rule):
    """The network holds the request for `seconds` of the exchange's clock and then delivers it; its client waits
    `hold_seconds` of the wall's clock in vain, and the connection breaks.
    """

    kind: Literal["late_arrival"] = "late_arrival"
    seconds: float = Field(gt=0, le=86_400)
    hold_seconds: float = Field(default=0.0, ge=0, le=60)


class Drip(Rule):
    """The true answer, `piece` bytes each `interval` seconds of the wall's clock; `padding` blanks come after it, which
    JSON allows: enough of them are an answer without an end. The connection breaks after `cut_after` bytes.
    """

    kind: Literal["drip"] = "drip"
    interval: float = Field(default=0.1, ge=0, le=30)
    piece: int = Field(default=1, ge=1)
    padding: int = Field(default=0, ge=0, le=10**10)
    cut_after: int | None = Field(default=None, ge=0)


class OtherOrder(Rule):
    """An accepted order is answered with the latest other order of its symbol and side, or one that does not exist."""

    kind: Literal["other_order"] = "other_order"


class BadTrade(Rule):
    """A symbol's last trade is wrong, old or missing; orders still trade at the true quote. `scaled`: the price times
    `factor`.
    """

    kind: Literal["bad_trade"] = "bad_trade"
    flavour: Literal["zero", "scaled", "stale", "missing"]
    factor: Decimal = Field(default=Decimal("0.01"), gt=0)
    stale_seconds: float = Field(default=2_592_000.0, gt=0)
