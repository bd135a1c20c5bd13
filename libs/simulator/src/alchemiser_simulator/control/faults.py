"""Misbehaviour on demand: what can go wrong at a broker, as rules that match requests a number of times.

In: rules (pydantic models, from the control API) and facts about a request. Out: the rules that apply to it. Must be
reproducible: a rule's probability draws from its own seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from alchemiser_simulator.control.lies import Answer, BadTrade, Drip, LateArrival, Operation, OtherOrder, Patch, Stale
from alchemiser_simulator.control.rules import Rule, When
from alchemiser_simulator.exchange.orders import CancelQuirks, Quirks

__all__ = [
    "Answer",
    "BadQuote",
    "BadTrade",
    "Delay",
    "Drip",
    "DropConnection",
    "Facts",
    "Fault",
    "FaultBook",
    "LaggingPositions",
    "LateArrival",
    "LatePrice",
    "Operation",
    "OtherOrder",
    "PartialFills",
    "Patch",
    "RateLimited",
    "Reject",
    "ServerError",
    "Stale",
    "StuckCancel",
    "Taken",
    "TimeoutAfterAccept",
    "Transport",
    "When",
]


class Delay(Rule):
    """The request waits before it is carried out; wall seconds, as its client feels them."""

    kind: Literal["delay"] = "delay"
    seconds: float = Field(gt=0, le=30)


class TimeoutAfterAccept(Rule):
    """The request is carried out, its answer never sent: silence for `hold_seconds`, then a dropped connection."""

    kind: Literal["timeout_after_accept"] = "timeout_after_accept"
    hold_seconds: float = Field(default=0.0, ge=0, le=60)


class DropConnection(Rule):
    """The connection breaks before the request is carried out."""

    kind: Literal["drop_connection"] = "drop_connection"


class RateLimited(Rule):
    """The request is refused with 429; its headers promise a new budget after `reset_seconds`."""

    kind: Literal["rate_limited"] = "rate_limited"
    reset_seconds: int = Field(default=1, ge=0, le=60)


class ServerError(Rule):
    """A gateway's HTML page instead of an answer; `accepted`: the request was carried out all the same."""

    kind: Literal["server_error"] = "server_error"
    status: int = Field(default=502, ge=500, le=599)
    accepted: bool = False


class StuckCancel(Rule):
    """A cancelled order stays pending_cancel for virtual `seconds` (None: for ever); part of it may fill first."""

    kind: Literal["stuck_cancel"] = "stuck_cancel"
    seconds: float | None = Field(default=None, ge=0)
    fill_fraction: Decimal = Field(default=Decimal(0), ge=0, le=1)


class PartialFills(Rule):
    """Each match fills a share of the order; after `max_fills` matches the rest meets its end."""

    kind: Literal["partial_fills"] = "partial_fills"
    fraction: Decimal = Field(gt=0, le=1)
    max_fills: int | None = Field(default=None, ge=0)
    interval_seconds: int = Field(default=1, ge=1)
    then: Literal["rest", "cancel", "reject", "done_for_day"] = "rest"


class LaggingPositions(Rule):
    """Positions, cash and buying power show a fill virtual `seconds` late."""

    kind: Literal["lagging_positions"] = "lagging_positions"
    seconds: float = Field(gt=0)


class LatePrice(Rule):
    """A filled order shows no average price the first `polls` times it is read."""

    kind: Literal["late_price"] = "late_price"
    polls: int = Field(ge=1)


class Reject(Rule):
    """An order is refused on arrival, or (`accepted`) taken and rejected afterwards."""

    kind: Literal["reject"] = "reject"
    accepted: bool = False
    status: int = Field(default=403, ge=400, le=499)
    code: int = 40310000
    message: str = "order rejected by a fault"


class BadQuote(Rule):
    """A symbol's latest quote is wrong or missing; orders still trade at the true one. `scaled`: both sides times
    `factor`.
    """

    kind: Literal["bad_quote"] = "bad_quote"
    flavour: Literal["zero", "zero_bid", "zero_ask", "crossed", "stale", "absurd", "scaled", "missing"]
    stale_seconds: float = Field(default=900.0, gt=0)
    factor: Decimal = Field(default=Decimal("0.01"), gt=0)


type Transport = Annotated[
    Delay
    | TimeoutAfterAccept
    | DropConnection
    | RateLimited
    | ServerError
    | Answer
    | LateArrival
    | Patch
    | Stale
    | Drip,
    Field(discriminator="kind"),
]
type OnOrder = Annotated[PartialFills | LaggingPositions | LatePrice | Reject | OtherOrder, Field(discriminator="kind")]
type Fault = Annotated[Transport | OnOrder | StuckCancel | BadQuote | BadTrade, Field(discriminator="kind")]

_TRANSPORT = (
    Delay,
    TimeoutAfterAccept,
    DropConnection,
    RateLimited,
    ServerError,
    Answer,
    LateArrival,
    Patch,
    Stale,
    Drip,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule can match on: a request, and the symbols and side it is about as far as that is known."""

    method: str
    path: str
    symbols: frozenset[str] = frozenset()
    side: str | None = None
    client_order_id: str | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A rule that applies to a request, under its number."""

    number: int
    fault: Transport


@dataclass(slots=True)
class _Entry:
    number: int
    fault: Fault
    chance: random.Random
    seen: int = 0
    used: int = 0


@dataclass(slots=True)
class FaultBook:
    """The rules in force. Asking what applies counts as applying it: ask once for each request, order or symbol."""

    _entries: dict[int, _Entry] = field(default_factory=dict)
    _next: int = 1

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, fault: Fault) -> int:
        """Put a rule in force; returns its number."""
        number, self._next = self._next, self._next + 1
        self._entries[number] = _Entry(number, fault, random.Random(fault.seed))  # noqa: S311 - reproducible on purpose
        return number

    def remove(self, number: int) -> bool:
        """Put a rule out of force; False if there is none of that number."""
        return self._entries.pop(number, None) is not None

    def clear(self) -> None:
        """Put all rules out of force. Numbers go on, none is given twice."""
        self._entries.clear()

    def listed(self) -> list[tuple[int, Fault, int]]:
        """Number, rule, and how often it was applied."""
        return [(entry.number, entry.fault, entry.used) for entry in self._entries.values()]

    def transport(self, facts: Facts) -> list[Taken]:
        """Rules that meddle with this request's connection or answer, in the order they were added."""
        return [
            Taken(entry.number, entry.fault)
            for entry in self._entries.values()
            if isinstance(entry.fault, _TRANSPORT) and _takes(entry, facts)
        ]

    def give_back(self, number: int) -> None:
        """A rule that was taken found nothing to apply to: it does not count."""
        if number in self._entries:
            self._entries[number].used -= 1

    def on_order(self, facts: Facts) -> tuple[Quirks, Reject | None]:
        """What befalls an order that this request creates, and the rule that refuses it outright, if one does. Of two
        rules of a kind the later one wins.
        """
        quirks, refused = Quirks(), None
        for fault in self._taken(facts, (PartialFills, LaggingPositions, LatePrice, Reject)):
            match fault:
                case PartialFills():
                    quirks = replace(
                        quirks,
                        fill_fraction=fault.fraction,
                        max_fills=fault.max_fills,
                        interval=fault.interval_seconds,
                        afterwards=fault.then,
                    )
                case LaggingPositions():
                    quirks = replace(quirks, lag_seconds=fault.seconds)
                case LatePrice():
                    quirks = replace(quirks, price_polls=fault.polls)
                case Reject(accepted=True):
                    quirks = replace(quirks, reject=True)
                case Reject():
                    refused = fault
                case _:
                    pass
        return quirks, refused

    def on_cancel(self, facts: Facts) -> CancelQuirks | None:
        """What befalls a cancellation: the first rule added decides. None: nothing."""
        for fault in self._taken(facts, (StuckCancel,)):
            if isinstance(fault, StuckCancel):
                stuck = fault.seconds != 0
                return CancelQuirks(stuck=stuck, seconds=fault.seconds, fill_fraction=fault.fill_fraction)
        return None

    def answers_with_another(self, facts: Facts) -> bool:
        """Whether an accepted order is answered with another one."""
        return bool(list(self._taken(facts, (OtherOrder,))))

    def on_trade(self, facts: Facts) -> BadTrade | None:
        """What befalls a symbol's last trade: the first rule added decides. None: nothing."""
        return next((fault for fault in self._taken(facts, (BadTrade,)) if isinstance(fault, BadTrade)), None)

    def on_quote(self, facts: Facts) -> BadQuote | None:
        """What befalls a symbol's quote: the first rule added decides. None: nothing."""
        return next((fault for fault in self._taken(facts, (BadQuote,)) if isinstance(fault, BadQuote)), None)

    def _taken(self, facts: Facts, kinds: tuple[type[Rule], ...]) -> Iterable[Fault]:
        """Matching rules of some kinds, each counted as applied."""
        return [
            entry.fault for entry in self._entries.values() if isinstance(entry.fault, kinds) and _takes(entry, facts)
        ]


def _fits(when: When, facts: Facts) -> bool:
    return (
        when.method in {None, facts.method}
        and (when.path is None or re.search(when.path, facts.path) is not None)
        and (when.symbol is None or when.symbol in facts.symbols)
        and when.side in {None, facts.side}
        and (when.query is None or re.search(when.query, facts.query) is not None)
        and (
            when.client_order_id is None
            or (
                facts.client_order_id is not None and re.search(when.client_order_id, facts.client_order_id) is not None
            )
        )
    )


# A rule repeats exactly, because nothing but requests that fit it moves it on:
#
#     fits? --> seen + 1 --> past `skip`? --> every n-th? --> draw < probability? --> used + 1, applied
#
# A request that does not fit neither counts nor draws, so other traffic does not shift a rule's luck; only what was
# applied uses up `count`, and a rule that is used up counts and draws no more.
def _takes(entry: _Entry, facts: Facts) -> bool:
    fault = entry.fault
    if (fault.count is not None and entry.used >= fault.count) or not _fits(fault.match, facts):
        return False
    entry.seen += 1
    if (
        entry.seen <= fault.skip
        or (entry.seen - fault.skip) % fault.every
        or entry.chance.random() >= fault.probability
    ):
        return False
    entry.used += 1
    return True
