"""The account's entries as events: what each kind of entry means, and which of them belong together. Pure.

Alpaca reports one split as two entries (the old shares go, the new ones come), a merger as up to three, minutes apart.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, auto

from alchemiser_common.ports.broker import AccountEntry
from alchemiser_trading.books.corporate_actions import Exchange, Unexplained
from alchemiser_trading.plan.transfers import CASH, SECURITIES

type SharesOf = Callable[[str], Decimal]
"""Shares of a symbol in all books."""

CANCELED = "canceled"
_SPLITS = frozenset({"SPLIT", "SSP"})
_MAY_END = frozenset({"REORG", "CIL"})
"""Of these, shares may go for nothing: removed as worthless, or a fraction that was paid before."""
_ISSUERS = _SPLITS | {"NC", "SC", "MA", "REORG", "SPIN", "SSO", "VOF", "CIL"}
_TRANSFERS = CASH.keys() | SECURITIES.keys()
_OUTSIDE = frozenset({"FILL", "SWP", "FXTRD", "EXTRD", "MEM"})
"""FILL: of an option."""
_WORD = re.compile(r"[A-Z0-9][A-Z0-9./-]*")


class Kind(Enum):
    """What an entry means for the books."""

    ISSUER = auto()
    """Its issuer changed shares: an exchange."""
    INCOME = auto()
    """Cash for a holding or from the account: dividends, taxes, interest, fees."""
    TRANSFER = auto()
    """Cash or shares from outside or to there."""
    OUTSIDE = auto()
    """Cash of what this system does not manage: options, sweeps."""


def kind_of(entry: AccountEntry) -> Kind:
    """By the entry's code; cash of an unknown code is income of the account."""
    if entry.code.startswith("DIV"):
        return Kind.ISSUER if entry.amount == 0 and entry.quantity != 0 else Kind.INCOME
    if entry.code in _ISSUERS:
        return Kind.ISSUER
    if entry.code in _TRANSFERS:
        return Kind.TRANSFER
    return Kind.OUTSIDE if entry.code in _OUTSIDE or entry.code.startswith("OP") else Kind.INCOME


@dataclass(frozen=True, slots=True)
class Event:
    """Entries of one day that are one event; all of one kind."""

    day: date
    entries: tuple[AccountEntry, ...]

    @property
    def kind(self) -> Kind:
        """What it means for the books."""
        return kind_of(self.entries[0])

    @property
    def cash(self) -> Decimal:
        """USD that came (+) or went (-)."""
        return sum((entry.amount for entry in self.entries), Decimal(0))

    @property
    def symbols(self) -> frozenset[str]:
        """Of all entries that name one."""
        return frozenset(entry.symbol for entry in self.entries if entry.symbol)

    def shares(self, sign: int) -> dict[str, Decimal]:
        """Shares that came (sign 1) or went (-1), by symbol, without sign."""
        found: dict[str, Decimal] = {}
        for entry in self.entries:
            if entry.quantity * sign > 0:
                found[entry.symbol] = found.get(entry.symbol, Decimal(0)) + abs(entry.quantity)
        return found

    def text(self) -> str:
        """For a person, in a line."""
        parts = []
        for entry in self.entries:
            shares = f" {entry.quantity:+} shares" if entry.quantity and kind_of(entry) is not Kind.INCOME else ""
            cash = f" {entry.amount:+} USD" if entry.amount else ""
            parts.append(f"{entry.code}{f' {entry.symbol}' if entry.symbol else ''}{shares}{cash}")
        return f"{', '.join(parts)} of {self.day}"


def events_of(entries: Sequence[AccountEntry]) -> list[Event]:
    """Entries, none of them taken back, as events in the order of their days.

    What an issuer did is one event as far as its entries name the same symbols, in their field or description. They
    are of one day, but for a merger's: its cash may come later.
    """
    alone = [Event(entry.day, (entry,)) for entry in entries if kind_of(entry) is not Kind.ISSUER]
    by_day: dict[date | None, list[AccountEntry]] = {}
    for entry in entries:
        if kind_of(entry) is Kind.ISSUER:
            by_day.setdefault(None if entry.code == "MA" else entry.day, []).append(entry)
    together = [
        Event(min(entry.day for entry in group), group) for found in by_day.values() for group in _groups(found)
    ]
    return sorted([*together, *alone], key=lambda event: (event.day, _turn(event)))


def _turn(event: Event) -> int:
    """Shares first: cash is about those that are there then."""
    if event.kind is not Kind.ISSUER:
        return 2
    return 0 if event.shares(1) or event.shares(-1) else 1


def _groups(entries: Sequence[AccountEntry]) -> list[tuple[AccountEntry, ...]]:
    """Entries joined where they share a symbol; and old shares with new ones if only one of each is left alone."""
    groups: list[tuple[set[str], list[AccountEntry]]] = []
    symbols = {entry.symbol for entry in entries}
    for entry in entries:
        named = {entry.symbol, *(symbols & _words(entry.description))}
        joined = [entry]
        rest = []
        for known, members in groups:
            if known & named:
                named, joined = named | known, [*members, *joined]
            else:
                rest.append((known, members))
        groups = [*rest, (named, joined)]
    found = [Event(members[0].day, tuple(members)) for _, members in groups]
    gone = [event for event in found if event.shares(-1) and not event.shares(1)]
    come = [event for event in found if event.shares(1) and not event.shares(-1)]
    if len(gone) == len(come) == 1 and gone[0].entries[0].code == come[0].entries[0].code:
        others = [event.entries for event in found if event not in (*gone, *come)]
        return [*others, (*gone[0].entries, *come[0].entries)]
    return [event.entries for event in found]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text)) - {"ADD", "REMOVE", "QTY"}


def exchange_of(event: Event, held: SharesOf) -> Exchange:
    """What an issuer's event did to which shares, given the shares in all books. Raises Unexplained."""
    gone, come = event.shares(-1), event.shares(1)
    if len(gone) > 1:
        raise Unexplained(f"shares of {', '.join(sorted(gone))} went together", *event.symbols)
    if gone:
        ((symbol, quantity),) = gone.items()
        return _of_old_shares(event, symbol, quantity, come, held)
    old = _source(event, come, held)
    parts = {symbol: quantity + (held(symbol) if symbol == old else 0) for symbol, quantity in come.items()}
    return Exchange(old, None, {old: held(old), **parts}, event.cash, event.day)


def _of_old_shares(event: Event, symbol: str, gone: Decimal, come: Mapping[str, Decimal], held: SharesOf) -> Exchange:
    """Of an event that names the old shares."""
    codes = {entry.code for entry in event.entries}
    left = held(symbol) - gone
    if not come and codes & _SPLITS and left > 0:
        # One entry for the difference of a reverse split.
        return Exchange(symbol, None, {symbol: left}, event.cash, event.day)
    if come or event.cash != 0 or codes & _MAY_END:
        return Exchange(symbol, gone, dict(come), event.cash, event.day)
    raise Unexplained(f"{gone} {symbol} went, and what came for them is not there", symbol)


def _source(event: Event, come: Mapping[str, Decimal], held: SharesOf) -> str:
    """Of which shares an event is that names only what came."""
    described = set().union(*(_words(entry.description) for entry in event.entries))
    parents = sorted(symbol for symbol in described - come.keys() if held(symbol) > 0)
    if len(parents) == 1 and come:
        return parents[0]
    own = sorted(symbol for symbol in event.symbols if held(symbol) > 0)
    if len(own) == 1 and not parents:
        return own[0]
    named = ", ".join(sorted(event.symbols)) or "no symbol"
    raise Unexplained(f"nothing that is held tells where {named} came from", *event.symbols)
