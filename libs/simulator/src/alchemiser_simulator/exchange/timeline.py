"""Moves the exchange through time: matches orders along the path, expires them, rolls the day, applies splits.

In: a moment to reach. Out: changed books. One long advance and many short ones lead to the same books.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from alchemiser_simulator.config import SimulatorConfig
from alchemiser_simulator.exchange import matching
from alchemiser_simulator.exchange.activities import EntryStatus
from alchemiser_simulator.exchange.books import Books
from alchemiser_simulator.exchange.corporate import Move, moves
from alchemiser_simulator.exchange.matching import Match
from alchemiser_simulator.exchange.orders import ZERO, Order, Side, Status, TimeInForce
from alchemiser_simulator.exchange.transfers import Transfer
from alchemiser_simulator.exchange.valuation import spending_power, values
from alchemiser_simulator.market.actions import Action, CashDividend, SpinOff
from alchemiser_simulator.market.market import Market, second_of
from alchemiser_simulator.market.sessions import Session, new_york_day, new_york_midnight

_AFTERWARDS = {"cancel": Status.CANCELED, "reject": Status.REJECTED, "done_for_day": Status.DONE_FOR_DAY}


# One long advance must end where many short ones do, or a result would depend on how a test moved the clock:
#
#     now                stop                stop         target
#     --|------------------|-------------------|-------------|-->
#       (     matches      ] _at   (matches    ] _at  ( ...  ]
#
# - What changes orders and holdings apart from a match (an open, a close, a split, a cancellation that falls due) has
#   a moment that is known before the span begins; each is a stop, and happens there once.
# - Within a span only matches happen, at whole seconds of (now, stop]. Spans of any length tile: each second of a
#   session is looked at exactly once, by the advance that passes it; the second in which an order arrives, by `arrive`.
# - At a stop the matches of its second come first, then `_at`, in one fixed order.
# - A fill that a fault shows late may have its moment within the span that found it. It then shows at the span's end:
#   until there nobody looks at what positions show, and trading goes by what is booked.
@dataclass(frozen=True, slots=True)
class Timeline:
    """The rules of time over one set of books."""

    books: Books
    market: Market
    config: SimulatorConfig

    def advance_to(self, target: datetime) -> None:
        """Reach `target` (aware UTC, within the calendar), stopping at whatever happens on the way. Earlier or equal
        targets change nothing.
        """
        while self.books.head.now < target:
            start = self.books.head.now
            stop = self._next_stop(start, target)
            self._match_between(start, stop)
            self.books.head = replace(self.books.head, now=stop)
            self._at(stop)

    def _next_stop(self, now: datetime, target: datetime) -> datetime:
        """The earliest moment in (now, target] at which something may happen."""
        calendar = self.market.calendar
        number = calendar.started(now)
        # The session around now and the one after it are enough: no span passes their opens and closes.
        near = calendar.sessions[max(number, 0) : number + 2]
        stops = [moment for session in near for moment in (session.opens, session.closes)]
        days = self.market.history.turning_days
        stops += [new_york_midnight(day) for day in days[bisect_right(days, new_york_day(now)) :][:1]]
        stops += [entry.at for entry in self.books.due]
        stops += [order.cancel_due for order in self.books.open_orders if order.cancel_due is not None]
        stops += [fill.visible_at for fill in self.books.head.unreported]
        stops += [transfer.at for transfer in self.books.head.planned if transfer.at is not None]
        return min((moment for moment in stops if now < moment < target), default=target)

    def _at(self, now: datetime) -> None:
        """Everything that happens at a moment, apart from matching. The order is part of the rules: a split restates
        what is shown by then, and a cancellation due at the close is a cancellation, not an expiry.
        """
        self.books.report(now)
        self.books.follow(now)
        self._at_midnight(now)
        self._transfer(now)
        for order in self.books.open_orders:
            if order.cancel_due is not None and order.cancel_due <= now:
                self.finish(order, Status.CANCELED, now)
        completed = self.market.calendar.completed(now)
        if completed >= 0 and self.market.calendar.sessions[completed].closes == now:
            self._close_day(now)
        if (session := self.market.calendar.at(now)) is not None and session.opens == now:
            for order in self.books.open_orders:
                if order.status is Status.ACCEPTED:
                    self.books.put(replace(order, status=Status.NEW, updated_at=now))

    def _transfer(self, now: datetime) -> None:
        """Transfers that were to happen by now, in the order they were asked for."""
        planned = self.books.head.planned
        due = [transfer for transfer in planned if transfer.at is not None and transfer.at <= now]
        if due:
            self.books.head = replace(self.books.head, planned=tuple(one for one in planned if one not in due))
        for transfer in due:
            self._carry_out(transfer, now)

    # What was planned can meet another account than the one it was planned for: the symbol has been renamed, the shares
    # were sold, or an open sale has promised them. Nobody waits for an answer who could be told so.
    def _carry_out(self, transfer: Transfer, now: datetime) -> None:
        """Book a planned transfer under the symbol's name of the day; of shares that go, those that are there and free,
        and nothing if none are.
        """
        symbol, qty = self.market.history.name_on(transfer.symbol, new_york_day(now)), transfer.qty
        if qty < 0:
            qty = max(qty, min(-self.books.free_shares(symbol), ZERO))
        if qty or transfer.amount:
            self.books.transfer(transfer.model_copy(update={"symbol": symbol, "qty": qty}), now)

    def _at_midnight(self, now: datetime) -> None:
        """What takes effect with the day that begins now, if one does."""
        today = new_york_day(now)
        if new_york_midnight(today) != now:
            return
        for action in self.market.history.happenings.get(today, ()):
            self._happen(action, now)
        for ending in self.market.history.endings:
            if ending.day == today:
                self._cancel_all(ending.symbol, now)

    def _cancel_all(self, symbol: str, now: datetime) -> None:
        for order in self.books.open_for(symbol):
            self.finish(order, Status.CANCELED, now)

    # All entries of an action are made when it takes effect, from what is held then: those of the notice, and those
    # that take it back or mend it. What lies ahead waits in the books (`follow`) or behind its `shown_at`.
    def _happen(self, action: Action, now: datetime) -> None:
        """A corporate action takes effect. Open orders were priced in shares that are no more and are cancelled."""
        # Fills that a fault shows late show now: they are of old shares.
        self.books.show_all()
        if not isinstance(action, CashDividend | SpinOff):
            self._cancel_all(action.symbol, now)
        held = self.books.head.ledger.holdings.get(action.symbol)
        if held is None:
            return
        right = moves(action, held, lambda symbol: self.market.last_price(symbol, now))
        group = self.books.identity("group", self.books.number())
        at, told = (new_york_midnight(action.after(days)) for days in (action.lag_days, action.notice_days))
        first = [move.times(action.mistaken_factor) for move in right]
        if isinstance(action, SpinOff):
            spun = sum((move.cost for move in right if move.cost is not None), ZERO)
            self.books.recost(action.symbol, held.cost - spun)
        for move in first:
            self._enter(move, action, (at, told), "executed", group)
        if action.corrected_days is not None:
            then = new_york_midnight(action.after(action.corrected_days))
            wrong = [(one, other) for one, other in zip(first, right, strict=True) if one.comes]
            for one, other in wrong:
                self._enter(one.taken_back(ZERO), action, (then, then), "canceled", group)
                self._enter(other, action, (then, then), "correct", group)
        if action.canceled_days is not None:
            then = new_york_midnight(action.after(action.canceled_days))
            for move in reversed(first if action.corrected_days is None else right):
                self._enter(move.taken_back(held.cost), action, (then, then), "canceled", group)

    def _enter(
        self, move: Move, action: Action, moments: tuple[datetime, datetime], status: EntryStatus, group: UUID
    ) -> None:
        at, told = moments
        self.books.enter(
            move.code,
            at,
            action.day,
            shown_at=told,
            amount=move.amount,
            symbol=move.symbol,
            qty=move.qty,
            cost=move.cost,
            sub_code=move.sub_code,
            per_share=move.per_share,
            description=move.description or f"{action.kind} of {action.symbol}",
            status=status,
            group=group,
        )

    def _close_day(self, now: datetime) -> None:
        """End what does not outlive the day, and keep the day's closing equity."""
        for order in self.books.open_orders:
            if order.expires_at <= now:
                stuck = order.status is Status.PENDING_CANCEL
                if stuck and order.cancel_due is None:
                    continue  # a cancellation that is stuck for ever stays so
                self.finish(order, Status.CANCELED if stuck else Status.EXPIRED, now)
        head = self.books.head
        equity = head.ledger.cash + values(head.ledger, self.market, head.marks, now).net
        self.books.head = replace(head, last_equity=equity)

    def finish(self, order: Order, status: Status, now: datetime) -> Order:
        """End an order as canceled, expired, rejected or done for the day, and return it as it then is."""
        ended = replace(
            order,
            status=status,
            updated_at=now,
            cancel_due=None,
            canceled_at=now if status is Status.CANCELED else None,
            expired_at=now if status is Status.EXPIRED else None,
            failed_at=now if status is Status.REJECTED else None,
        )
        return self.books.put(ended)

    def arrive(self, order: Order) -> Order:
        """Match a new order at once if the market is open, end it if it may not rest, and return it as it then is."""
        now = self.books.head.now
        session = self.market.calendar.at(now)
        if order.quirks.reject:
            return self.finish(order, Status.REJECTED, now)
        if session is not None:
            second = second_of(session, now)
            order = self.books.put(replace(order, status=Status.NEW))
            match = self._find(order, session, (second, second), arriving=True)
            in_full = match is not None and match.qty == order.remaining(match.price)
            if match is not None and (in_full or order.ticket.time_in_force is not TimeInForce.FOK):
                order = self._apply(order, match, now)
        if order.is_open and order.ticket.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
            order = self.finish(order, Status.CANCELED, now)
        return order

    # The queue holds one match an order, its next. That is enough: an order's next match depends on the path and on its
    # own fills, never on another order's, since the displayed size is not used up. Taking the earliest first, and of
    # one second the oldest order's, books fills in the order a live clock would; the order matters to money alone,
    # for `_apply` asks at each fill whether the account can still pay. Each turn ends an order or moves it to a later
    # second (an interval is one second at least), so the loop ends.
    def _match_between(self, start: datetime, stop: datetime) -> None:
        """All matches in (start, stop], earliest first, then by age of the order."""
        number = self.market.calendar.started(stop)
        if number < 0 or not self.books.open_orders:
            return
        session = self.market.calendar.sessions[number]
        # Second 0 is the opening bell; the closing second is no longer part of the session.
        first = max(second_of(session, start) + 1, 0)
        last = min(second_of(session, stop), session.seconds - 1)
        if first > last:
            return
        queue: list[tuple[int, int, UUID]] = []
        found: dict[UUID, Match] = {}

        def look(order: Order, since: int) -> None:
            match = self._find(order, session, (since, last), arriving=False)
            if match is not None:
                found[order.id] = match
                heapq.heappush(queue, (match.second, order.sequence, order.id))

        for order in self.books.open_orders:
            look(order, max(first, self._next_second(order, session)))
        while queue:
            second, _, identity = heapq.heappop(queue)
            after = self._apply(self.books.orders[identity], found[identity], session.opens + timedelta(seconds=second))
            if after.is_open:
                look(after, second + after.quirks.interval)

    def _next_second(self, order: Order, session: Session) -> int:
        """The earliest second of another match: a partially filled order waits for its interval."""
        if not order.fills:
            return 0
        last_fill = next(fill for fill in reversed(self.books.fills) if fill.order_id == order.id)
        return second_of(session, last_fill.at) + order.quirks.interval

    def _find(self, order: Order, session: Session, span: tuple[int, int], *, arriving: bool) -> Match | None:
        symbol = order.ticket.symbol
        asset = self.books.head.assets.get(symbol)
        if asset is not None and (asset.halted or not asset.tradable):
            return None
        path, bar = self.market.path(symbol, session), self.market.bar(symbol, session)
        if path is None or bar is None:
            return None
        return matching.find(order, path, bar, span, arriving=arriving, depth_factor=self.config.depth_factor)

    def _apply(self, order: Order, match: Match, at: datetime) -> Order:
        """Book a match, unless the account can no longer pay for it."""
        if order.ticket.side is Side.BUY and not self._affordable(order, match, at):
            return self.finish(order, Status.REJECTED, at)
        order = self.books.fill(order, match.qty, match.price, at)
        if order.is_open and matching.exhausted(order) and order.quirks.afterwards in _AFTERWARDS:
            order = self.finish(order, _AFTERWARDS[order.quirks.afterwards], at)
        return order

    def _affordable(self, order: Order, match: Match, at: datetime) -> bool:
        """Whether a match of a buy is within its reservation or else within what the account has left: a gap at the
        open can make a queued market order dearer than what was reserved for it.
        """
        cost = match.price * match.qty
        if cost <= order.reserved:
            return True
        head = self.books.head
        held = values(head.ledger, self.market, head.marks, at)
        power = spending_power(head.ledger, held, self.config.multiplier) - head.withheld
        return cost <= power - (self.books.reserved - order.reserved)
