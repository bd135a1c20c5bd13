"""What the HTTP routes talk to: the exchange, its clock mode, request counts and the store.

In: requests' effects. Out: committed state. Must commit before an answer leaves; the gateway sees to when.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from alchemiser_simulator.config import ClockMode, SimulatorConfig
from alchemiser_simulator.exchange.exchange import Exchange, opening_books
from alchemiser_simulator.exchange.orders import Order
from alchemiser_simulator.exchange.refusals import invalid
from alchemiser_simulator.exchange.store import Store
from alchemiser_simulator.market.changes import ChangeError, MadeSplit, MarketChange, SkippedBars, changed
from alchemiser_simulator.market.market import Market
from alchemiser_simulator.market.sessions import new_york_day

_LOOK = timedelta(milliseconds=1)
"""What a look takes at a clock that passes for whoever waits."""


@dataclass(frozen=True, slots=True)
class _Late:
    due: datetime
    act: Callable[[], None]


class Venue:
    """One running simulator: what outlives a request."""

    def __init__(self, config: SimulatorConfig) -> None:
        """Go on from the state file, or begin as configured. Raises StateError, ConfigError."""
        self.config = config
        self._history = changed(config.prices, config.changes)
        self.market = Market(self._history, config.spread)
        self.counts: Counter[str] = Counter()
        self._store = Store(config.state, config.history.fingerprint) if config.state is not None else None
        books = self._store.load() if self._store else None
        if books is not None and books.head.market_changes:
            self.market.change(changed(self._history, books.head.market_changes))
        self.exchange = Exchange(config, self.market, books)
        self._price_polls: dict[UUID, int] = {}
        self._late: list[_Late] = []
        self._anchor = (time.monotonic(), self.exchange.now)
        self.commit()

    def tick(self) -> None:
        """Let a flowing clock catch up with the wall; it stops at the end of the data."""
        if self.config.clock is not ClockMode.FLOWING:
            return
        wall, start = self._anchor
        passed = timedelta(seconds=(time.monotonic() - wall) * self.config.speed)
        target = min(start + passed, self.market.calendar.ends)
        if target > self.exchange.now:
            self._move(target)

    def looked_at(self, until: datetime | None) -> None:
        """Somebody looks at the clock, maybe waiting for a moment; one that passes for whoever waits goes there."""
        if self.config.clock is ClockMode.WAITED:
            wanted = max(self.exchange.now + _LOOK, until or self.exchange.now)
            self._move(min(wanted, self.market.calendar.ends))

    def advance_to(self, target: datetime) -> None:
        """Move the clock by hand; a flowing clock goes on from there. Raises Refusal."""
        self.exchange.check_moment(target)
        self._move(target)
        self._anchor = (time.monotonic(), self.exchange.now)

    def schedule(self, due: datetime, act: Callable[[], None]) -> None:
        """Do something when the exchange's clock gets there. What the network holds is lost with the process."""
        self._late.append(_Late(due, act))

    def _move(self, target: datetime) -> None:
        """Move the clock, stopping for what is due on the way: earliest first, then in the order it was scheduled."""
        while late := min((one for one in self._late if one.due <= target), key=lambda one: one.due, default=None):
            self._late.remove(late)
            if late.due > self.exchange.now:
                self.exchange.advance_to(late.due)
            late.act()
        self.exchange.advance_to(target)

    def reset(self, start: datetime | None, cash: Decimal | None) -> None:
        """A fresh account: orders, ids, positions and counts are gone. `cash` in USD; what is None is as configured.
        Raises ConfigError, and then has changed nothing.
        """
        config = replace(
            self.config,
            start=start if start is not None else self.config.start,
            cash=cash if cash is not None else self.config.cash,
        )
        books = opening_books(config, self.market)
        if self._store:
            self._store.wipe()
        if self.market.history is not self._history:
            self.market.change(self._history)
        self.exchange = Exchange(self.config, self.market, books)
        books.head = books.head  # a fresh head counts as changed, so that it is stored
        self.counts.clear()
        self._price_polls.clear()
        self._late.clear()
        self._anchor = (time.monotonic(), self.exchange.now)

    def change_market(self, change: MarketChange) -> None:
        """Put an event into the price history; it stays until a reset. Raises Refusal, and then has changed nothing."""
        self._check_moment(change)
        head = self.exchange.books.head
        changes = (*head.market_changes, change)
        try:
            history = changed(self._history, changes)
        except ChangeError as error:
            raise invalid(str(error)) from error
        self.market.change(history)
        self.exchange.books.head = replace(head, market_changes=changes)

    def _check_moment(self, change: MarketChange) -> None:
        """Holdings and orders follow when the clock passes the event, so it has to lie ahead."""
        today = new_york_day(self.exchange.now)
        if not isinstance(change, SkippedBars | MadeSplit) and change.day <= today:
            raise invalid(f"day is {change.day}, and today is {today}: give a later one")

    def commit(self) -> None:
        """Write what changed since the last commit; without a store, nothing outlives the process."""
        changes = self.exchange.books.take_changes()
        if self._store:
            self._store.save(changes)

    def close(self) -> None:
        """Close the state file."""
        if self._store:
            self._store.close()

    def price_hidden(self, order: Order) -> bool:
        """Whether this reading of a filled order still lacks the average price; counts the reading."""
        polls = order.quirks.price_polls
        if not polls or not order.filled_qty:
            return False
        left = self._price_polls.get(order.id, polls)
        self._price_polls[order.id] = max(left - 1, 0)
        return left > 0
