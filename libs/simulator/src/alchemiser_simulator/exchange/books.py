"""The exchange's memory: orders, fills, and the head (clock, ledgers, flags). Knows how to change, not when or why.

Every change is noted, so that a store can write exactly what changed and nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypedDict, Unpack
from uuid import UUID, uuid5

from alchemiser_simulator.exchange.acceptance import AccountFlags, Asset
from alchemiser_simulator.exchange.activities import Entry, EntryStatus
from alchemiser_simulator.exchange.marks import Mark
from alchemiser_simulator.exchange.orders import ZERO, Fill, Ledger, Order, Status
from alchemiser_simulator.exchange.transfers import Transfer
from alchemiser_simulator.market.actions import MarketChange
from alchemiser_simulator.market.sessions import new_york_day


class Told(TypedDict, total=False):
    """What an entry may tell; the same fields as the Entry's."""

    shown_at: datetime
    amount: Decimal
    symbol: str
    qty: Decimal
    sub_code: str
    per_share: Decimal | None
    description: str
    status: EntryStatus
    group: UUID | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """All state but orders, fills and entries. `reported` is what positions show; it trails `ledger` by `unreported`
    fills. `opening` is what the account began with, and what the control API put in or took out as if it had.
    """

    now: datetime
    account: UUID
    ledger: Ledger
    reported: Ledger
    last_equity: Decimal
    next_number: int = 1
    unreported: tuple[Fill, ...] = ()
    assets: Mapping[str, Asset] = field(default_factory=dict)
    flags: AccountFlags = field(default_factory=AccountFlags)
    market_changes: tuple[MarketChange, ...] = ()
    planned: tuple[Transfer, ...] = ()
    due: tuple[int, ...] = ()  # numbers of entries that the account has still to follow
    marks: Mapping[str, Mark] = field(default_factory=dict)
    odd_orders: Mapping[str, str] = field(default_factory=dict)  # by id, as JSON: what no ticket can be
    withheld: Decimal = ZERO  # USD that may not be spent, unsettled or not cleared
    opening: Ledger = field(default_factory=lambda: Ledger(ZERO, {}))


@dataclass(frozen=True, slots=True)
class Changes:
    """What a request changed."""

    head: Head | None
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    entries: tuple[Entry, ...] = ()


class Books:
    """Orders by id in submission order, client order ids (kept for ever), fills, entries, and the head."""

    def __init__(
        self, head: Head, orders: Iterable[Order] = (), fills: Iterable[Fill] = (), entries: Iterable[Entry] = ()
    ) -> None:
        self._head = head
        self.orders: dict[UUID, Order] = {order.id: order for order in orders}
        self.by_client_id: dict[str, UUID] = {order.client_order_id: order.id for order in self.orders.values()}
        self.fills: list[Fill] = list(fills)
        self._open: dict[UUID, None] = {order.id: None for order in self.orders.values() if order.is_open}
        self.entries: list[Entry] = list(entries)
        self._saved_fills, self._saved_entries = len(self.fills), len(self.entries)
        self._changed: dict[UUID, None] = {}
        self._head_changed = False

    @property
    def head(self) -> Head:
        """The state but orders and fills; setting it, even to itself, notes it as changed."""
        return self._head

    @head.setter
    def head(self, head: Head) -> None:
        self._head = head
        self._head_changed = True

    @property
    def open_orders(self) -> list[Order]:
        """Open orders, oldest first."""
        return [self.orders[order] for order in self._open]

    def open_for(self, symbol: str) -> list[Order]:
        """Open orders of a symbol, oldest first."""
        return [order for order in self.open_orders if order.ticket.symbol == symbol]

    def free_shares(self, symbol: str) -> Decimal:
        """Shares held that no open sale has promised; below zero for a short holding."""
        held = self._head.ledger.holdings.get(symbol)
        return (held.qty if held else ZERO) - sum((order.held for order in self.open_for(symbol)), ZERO)

    @property
    def reserved(self) -> Decimal:
        """USD all open buys may still cost."""
        return sum((order.reserved for order in self.open_orders), ZERO)

    def number(self) -> int:
        """The next number of the account's own sequence."""
        number = self._head.next_number
        self.head = replace(self._head, next_number=number + 1)
        return number

    def identity(self, kind: str, number: int) -> UUID:
        """The id of the account's `number`-th thing of a kind: the same calls give the same ids."""
        return uuid5(self._head.account, f"{kind}/{number}")

    def put(self, order: Order) -> Order:
        """Keep a new or changed order and return it. A client order id stays with the first order that had it."""
        self.orders[order.id] = order
        self.by_client_id.setdefault(order.client_order_id, order.id)
        self._changed[order.id] = None
        if order.is_open:
            self._open[order.id] = None
        else:
            self._open.pop(order.id, None)
        return order

    def fill(self, order: Order, qty: Decimal, price: Decimal, at: datetime) -> Order:
        """Book an execution of `qty` shares at `price` USD and return the order after it."""
        filled, cost = order.filled_qty + qty, order.filled_cost + qty * price
        after = replace(order, filled_qty=filled, filled_cost=cost, fills=order.fills + 1, updated_at=at)
        leaves = after.remaining(price)
        if leaves > 0:
            pending = order.status is Status.PENDING_CANCEL
            after = replace(after, status=order.status if pending else Status.PARTIALLY_FILLED)
        else:
            after = replace(after, status=Status.FILLED, filled_at=at)
        number = self.number()
        fill = Fill(
            id=self.identity("fill", number),
            number=number,
            order_id=order.id,
            symbol=order.ticket.symbol,
            side=order.ticket.side,
            qty=qty,
            price=price,
            at=at,
            visible_at=at + timedelta(seconds=order.quirks.lag_seconds),
            cum_qty=filled,
            leaves_qty=leaves,
        )
        self.fills.append(fill)
        head = self._head
        self.head = replace(head, ledger=head.ledger.after(fill), unreported=(*head.unreported, fill))
        self.report(at)
        return self.put(after)

    def enter(self, code: str, at: datetime, day: date, **fields: Unpack[Told]) -> Entry:
        """Note what is no trade and return its entry; the account changes now, or once `at` has come."""
        number = self.number()
        told: Told = {"shown_at": at, **fields}
        entry = Entry(number=number, id=self.identity("entry", number), code=code, at=at, day=day, **told)
        self.entries.append(entry)
        if at <= self._head.now:
            self._apply(entry)
        else:
            self.head = replace(self._head, due=(*self._head.due, entry.number))
        return entry

    def _apply(self, entry: Entry) -> None:
        head = self._head
        moves = entry.amount, entry.symbol, entry.shares, entry.cost
        ledger = head.ledger.moved(*moves)
        reported = ledger if head.reported is head.ledger else head.reported.moved(*moves)
        self.head = replace(head, ledger=ledger, reported=reported)

    @property
    def due(self) -> list[Entry]:
        """Entries that the account has still to follow, in their order."""
        waiting = self._head.due
        return [entry for entry in self.entries if entry.number in waiting] if waiting else []

    def follow(self, now: datetime) -> None:
        """Let the account follow the entries whose moment has come."""
        ready = [entry for entry in self.due if entry.at <= now]
        if ready:
            numbers = {entry.number for entry in ready}
            self.head = replace(self._head, due=tuple(one for one in self._head.due if one not in numbers))
        for entry in ready:
            self._apply(entry)

    def recost(self, symbol: str, cost: Decimal) -> None:
        """Change what a holding cost, in USD in all: part of it goes with shares that were spun off."""
        head = self._head
        held = head.ledger.holdings.get(symbol)
        if held is not None:
            ledger = head.ledger.holding(symbol, replace(held, cost=cost))
            self.head = replace(head, ledger=ledger, reported=ledger if head.reported is head.ledger else head.reported)

    def show_all(self) -> None:
        """Let positions show every fill at once."""
        if self._head.unreported:
            self.head = replace(self._head, reported=self._head.ledger, unreported=())

    def transfer(self, transfer: Transfer, at: datetime) -> Entry:
        """Book a transfer."""
        return self.enter(
            transfer.code,
            at,
            new_york_day(at),
            cost=transfer.qty * transfer.price if transfer.price is not None and transfer.qty > 0 else None,
            amount=transfer.amount,
            symbol=transfer.symbol,
            qty=transfer.qty,
            description=transfer.description,
            shown_at=at + timedelta(seconds=transfer.told_after),
        )

    def report(self, now: datetime) -> None:
        """Let positions show the fills whose time has come, those of one symbol in their order."""
        reported, left = self._head.reported, list[Fill]()
        for fill in self._head.unreported:
            # Behind a late fill the symbol's later ones wait too: a sale must not show before the purchase it sells.
            late = fill.visible_at > now or any(other.symbol == fill.symbol for other in left)
            if late:
                left.append(fill)
            else:
                reported = reported.after(fill)
        if len(left) == len(self._head.unreported):
            return
        # Equal ledgers are one ledger: costs are then the same to the last digit, whatever order fills were shown in.
        self.head = replace(self._head, reported=reported if left else self._head.ledger, unreported=tuple(left))

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes = Changes(
            self._head if self._head_changed else None,
            tuple(self.orders[order] for order in self._changed),
            tuple(self.fills[self._saved_fills :]),
            tuple(self.entries[self._saved_entries :]),
        )
        self._changed, self._head_changed = {}, False
        self._saved_fills, self._saved_entries = len(self.fills), len(self.entries)
        return changes
