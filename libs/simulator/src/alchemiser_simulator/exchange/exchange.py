"""The exchange: one account, its orders and a clock of its own. Pure state machine, no I/O.

In: tickets, cancellations, and moments to advance to. Out: orders, fills, a ledger; Refusals. Must never read a real
clock or draw a random number: the same calls give the same state, to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from uuid import UUID, uuid5

from alchemiser_simulator.config import SimulatorConfig
from alchemiser_simulator.exchange import acceptance
from alchemiser_simulator.exchange.acceptance import AccountFlags, Asset, Situation
from alchemiser_simulator.exchange.books import Books, Head
from alchemiser_simulator.exchange.marks import Mark
from alchemiser_simulator.exchange.orders import (
    SHARE_STEP,
    ZERO,
    CancelQuirks,
    Holding,
    Ledger,
    Order,
    OrderTicket,
    OrderType,
    Quirks,
    Side,
    Status,
    TimeInForce,
)
from alchemiser_simulator.exchange.refusals import (
    Refusal,
    duplicate_client_order_id,
    insufficient_quantity,
    invalid,
    not_found,
    unprocessable,
)
from alchemiser_simulator.exchange.timeline import Timeline
from alchemiser_simulator.exchange.transfers import Transfer
from alchemiser_simulator.exchange.valuation import buying_power, values
from alchemiser_simulator.market.market import Market
from alchemiser_simulator.market.sessions import new_york_day

_ASSETS = UUID("c2f9a3a4-0f0e-5c36-8a94-7a0c5f5b6d21")
_NO_QUIRKS = Quirks()
_GTC_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What a PATCH asks to change; None keeps the order's value."""

    qty: Decimal | None = None
    limit_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = None


def opening_books(config: SimulatorConfig, market: Market) -> Books:
    """The books of an account with the configured cash, no orders and no holdings. Raises ConfigError if the history
    has no such start.
    """
    ledger = Ledger(config.cash, {})
    now = config.first_moment(market.calendar)
    head = Head(
        now=now, account=config.account, ledger=ledger, reported=ledger, last_equity=config.cash, opening=ledger
    )
    return Books(head)


class Exchange:
    """Operations on the books, each of which either happens whole or raises a Refusal and changes nothing."""

    def __init__(self, config: SimulatorConfig, market: Market, books: Books | None = None) -> None:
        self.config = config
        self.market = market
        self.books = books or opening_books(config, market)
        self._timeline = Timeline(self.books, market, config)

    @property
    def now(self) -> datetime:
        """The exchange's own time, aware UTC."""
        return self.books.head.now

    def advance_to(self, target: datetime) -> None:
        """Move the clock. Raises Refusal if that is backwards or past the last day with prices."""
        self.check_moment(target)
        self._timeline.advance_to(target.astimezone(UTC))

    def check_moment(self, target: datetime) -> None:
        """Whether the clock can be moved there: not backwards, not past the last day with prices. Raises Refusal."""
        target = target.astimezone(UTC)
        if target < self.now:
            raise invalid(f"now is {self.now}, {target} is earlier; the clock moves backwards only by a reset")
        if target > self.market.calendar.ends:
            last = self.market.calendar.sessions[-1].day
            raise invalid(
                f"{target} is past the last day with prices, {last}; reset to an earlier start or extend the data"
            )

    # Assets

    def asset(self, symbol: str) -> Asset:
        """The asset called `symbol`. Raises Refusal."""
        if not self.market.known(symbol, self.now):
            raise not_found(f"asset not found for {symbol}")
        default = symbol not in self.config.not_fractionable
        found = self.books.head.assets.get(symbol)
        asset = found or Asset(symbol=symbol, id=self.asset_id(symbol), fractionable=default)
        ended = self.market.history.ended(symbol, new_york_day(self.now))
        return replace(asset, active=False, tradable=False) if ended else asset

    def set_asset(self, asset: Asset) -> None:
        """Put an asset in place of its namesake, for orders to come; open ones stay."""
        self.books.head = replace(self.books.head, assets={**self.books.head.assets, asset.symbol: asset})

    def set_flags(self, flags: AccountFlags) -> None:
        """Block the account for orders to come, or unblock it; open ones stay."""
        self.books.head = replace(self.books.head, flags=flags)

    def set_cash(self, cash: Decimal) -> None:
        """Set the cash, in USD, as if the account had had it from the beginning: no activity tells of it."""
        self._set_ledger(Ledger(cash, self.books.head.ledger.holdings))

    def set_holding(self, symbol: str, qty: Decimal, average: Decimal | None, mark: Mark | None = None) -> None:
        """Set a holding as if the account had had it from the beginning: `qty` shares, below zero for a short one, that
        cost `average` USD each, the last price if that is None. `mark`: how it is valued, by the market if that is
        None. Zero shares take it out. Raises Refusal if there is no such asset; what is no stock needs none.
        """
        price = average
        if mark is None or mark.asset_class == "us_equity":
            self.asset(symbol)
            price = average if average is not None else self.market.last_price(symbol, self.now)
        elif average is None:
            price = mark.price
        head = self.books.head
        marks = {name: other for name, other in head.marks.items() if name != symbol}
        self.books.head = replace(head, marks=marks if mark is None else {**marks, symbol: mark})
        units = Decimal(1) if mark is None else mark.multiplier
        self._set_ledger(head.ledger.holding(symbol, Holding(qty, qty * (price or ZERO) * units)))

    def asset_id(self, symbol: str) -> UUID:
        """The id of what is held under that symbol, listed or not."""
        return uuid5(_ASSETS, symbol)

    def withhold(self, amount: Decimal) -> None:
        """Keep so many USD of the account's money from being spent, zero: none."""
        self.books.head = replace(self.books.head, withheld=amount)

    def put_odd_order(self, identity: str, body: str) -> None:
        """Put an order among the account's that no client of this exchange could send, as JSON; it never fills."""
        self.books.head = replace(self.books.head, odd_orders={**self.books.head.odd_orders, identity: body})

    def transfer(self, transfer: Transfer) -> None:
        """Let money or shares come or go, now or when the clock gets there. Raises Refusal for a symbol that nobody
        knows, a moment that has passed, and shares that are to go now and are not there, or promised by an open sale.
        """
        head = self.books.head
        if transfer.symbol and transfer.symbol not in head.marks:
            self.asset(transfer.symbol)
        if transfer.at is not None and transfer.at > self.now:
            self.check_moment(transfer.at)
            self.books.head = replace(head, planned=(*head.planned, transfer))
            return
        if transfer.at is not None and transfer.at < self.now:
            raise invalid(f"at is {transfer.at}, and it is {self.now}: give a later moment, or none")
        if transfer.qty < 0:
            self._check_leaving(transfer.symbol, -transfer.qty)
        self.books.transfer(transfer, self.now)

    def _check_leaving(self, symbol: str, qty: Decimal) -> None:
        """Whether so many shares can go. What an open sale has promised stays, or the sale would sell short."""
        free = self.books.free_shares(symbol)
        if qty > free:
            sales = [order for order in self.books.open_for(symbol) if order.held]
            promised = sum((order.held for order in sales), ZERO)
            raise insufficient_quantity(symbol, qty, free + promised, promised, [order.id for order in sales])

    def _set_ledger(self, ledger: Ledger) -> None:
        """As reported and as booked: fills that were still to show, show. The difference goes into the opening."""
        head = self.books.head
        opening = head.opening.moved(ledger.cash - head.ledger.cash)
        for symbol in {*ledger.holdings, *head.ledger.holdings}:
            before, after = (one.holdings.get(symbol, Holding(ZERO, ZERO)) for one in (head.ledger, ledger))
            if after != before:
                opening = opening.moved(ZERO, symbol, after.qty - before.qty, after.cost - before.cost)
        self.books.head = replace(head, ledger=ledger, reported=ledger, unreported=(), opening=opening)

    # Orders

    def submit(self, ticket: OrderTicket, quirks: Quirks = _NO_QUIRKS, *, closing: bool = False) -> Order:
        """Accept an order and return it as accepted; what it traded at once shows when it is read again. `closing`: the
        fraction rules do not apply. Raises Refusal.
        """
        if ticket.client_order_id is not None and ticket.client_order_id in self.books.by_client_id:
            raise duplicate_client_order_id()
        if not self.market.known(ticket.symbol, self.now):
            raise unprocessable(f'asset "{ticket.symbol}" not found')
        reserve_price = acceptance.check(ticket, self._situation(ticket, closing=closing))
        order = self._accept(ticket, reserve_price, quirks)
        self._timeline.arrive(order)
        return order

    def _situation(self, ticket: OrderTicket, *, closing: bool) -> Situation:
        symbol, head = ticket.symbol, self.books.head
        buying = ticket.side is Side.BUY
        return Situation(
            asset=self.asset(symbol),
            flags=head.flags,
            ledger=head.ledger,
            buying_power=buying_power(self.books, self.market, self.config.multiplier) if buying else ZERO,
            symbol_orders=self.books.open_for(symbol),
            quote=self.market.quote(symbol, head.now) if ticket.limit_price is None else None,
            collar=self.config.market_collar,
            closing=closing,
        )

    def _accept(
        self, ticket: OrderTicket, reserve_price: Decimal, quirks: Quirks, replaces: UUID | None = None
    ) -> Order:
        now, number = self.now, self.books.number()
        session = self.market.calendar.at(now)
        given, lasting = ticket.client_order_id, ticket.time_in_force is TimeInForce.GTC
        order = Order(
            id=self.books.identity("order", number),
            sequence=number,
            client_order_id=given if given is not None else str(self.books.identity("client", number)),
            ticket=ticket,
            status=Status.ACCEPTED if session is None else Status.PENDING_NEW,
            created_at=now,
            updated_at=now,
            expires_at=now + _GTC_LIFE if lasting else self.market.calendar.next_close(now),
            reserve_price=reserve_price,
            replaces=replaces,
            quirks=quirks,
        )
        return self.books.put(order)

    def order(self, identity: UUID) -> Order:
        """The order with that id. Raises Refusal."""
        order = self.books.orders.get(identity)
        if order is None:
            raise not_found(f"order not found for {identity}")
        return order

    def order_by_client_id(self, client_order_id: str) -> Order:
        """The order with that client order id. Raises Refusal."""
        identity = self.books.by_client_id.get(client_order_id)
        if identity is None:
            raise not_found(f"order not found for {client_order_id}")
        return self.books.orders[identity]

    def cancel(self, identity: UUID, quirks: CancelQuirks | None = None) -> Order:
        """Cancel an open order and return it: canceled, or what `quirks` make of it (pending, or filled meanwhile).
        Raises Refusal if it has ended or is being cancelled.
        """
        order = self.order(identity)
        if not order.is_open or order.status is Status.PENDING_CANCEL:
            raise unprocessable(f'order is already in "{order.status.value}" state')
        if quirks is not None and quirks.fill_fraction > 0:
            order = self._fill_while_cancelling(order, quirks.fill_fraction)
            if not order.is_open:
                return order
        if quirks is not None and quirks.stuck:
            due = None if quirks.seconds is None else self.now + timedelta(seconds=quirks.seconds)
            changed = replace(order, status=Status.PENDING_CANCEL, cancel_due=due, updated_at=self.now)
            return self.books.put(changed)
        return self._timeline.finish(order, Status.CANCELED, self.now)

    def _fill_while_cancelling(self, order: Order, fraction: Decimal) -> Order:
        """The order after a last fill of `fraction` of what is left; whole shares if whole shares are left."""
        limit = order.ticket.limit_price or self.market.last_price(order.ticket.symbol, self.now) or ZERO
        left = order.remaining(limit)
        part = left if fraction >= 1 else (left * fraction).quantize(SHARE_STEP, ROUND_DOWN)
        if left == left.to_integral_value():
            part = part.quantize(Decimal(1), ROUND_DOWN)
        return self.books.fill(order, part, limit, self.now) if part > 0 else order

    def replace(self, identity: UUID, wanted: Replacement, quirks: Quirks = _NO_QUIRKS) -> Order:
        """Replace an open order by a new one. Without `qty` the new order asks for the original quantity again, fills
        of the old one notwithstanding: that is what the real broker has done. Raises Refusal.
        """
        old = self.order(identity)
        if not old.is_open or old.status is Status.PENDING_CANCEL:
            raise unprocessable(f'order is already in "{old.status.value}" state')
        if old.ticket.notional is not None:
            raise unprocessable("notional orders cannot be replaced")
        if wanted.client_order_id is not None and wanted.client_order_id in self.books.by_client_id:
            raise duplicate_client_order_id()
        ticket = replace(
            old.ticket,
            qty=wanted.qty if wanted.qty is not None else old.ticket.qty,
            limit_price=wanted.limit_price if wanted.limit_price is not None else old.ticket.limit_price,
            time_in_force=wanted.time_in_force or old.ticket.time_in_force,
            client_order_id=wanted.client_order_id,
        )
        if replace(ticket, client_order_id=old.ticket.client_order_id) == old.ticket:
            raise invalid("order parameters are not changed")
        # The old order ends in the same step: what it held back is free for the new one, and they cannot wash-trade.
        situation = self._situation(ticket, closing=False)
        others = [order for order in situation.symbol_orders if order.id != old.id]
        power = situation.buying_power + old.reserved
        reserve_price = acceptance.check(ticket, replace(situation, symbol_orders=others, buying_power=power))
        new = self._accept(ticket, reserve_price, quirks, replaces=old.id)
        gone = replace(old, status=Status.REPLACED, replaced_at=self.now, replaced_by=new.id, updated_at=self.now)
        self.books.put(gone)
        self._timeline.arrive(new)
        return new

    # Positions

    def close(
        self,
        symbol: str,
        *,
        qty: Decimal | None = None,
        percentage: Decimal | None = None,
        quirks: Quirks = _NO_QUIRKS,
    ) -> Order:
        """Sell all, `qty` shares or `percentage` percent (0 to 100) of a position at market, or buy back what is held
        short; the order as accepted. Raises Refusal.
        """
        self.asset(symbol)
        holding = self.books.head.ledger.holdings.get(symbol)
        if holding is None:
            raise not_found("position does not exist")
        held = abs(holding.qty)
        wanted = held
        if qty is not None:
            wanted = qty
        elif percentage is not None:
            if not 0 < percentage <= 100:
                raise invalid(f"percentage must be between 0 and 100, got {percentage}")
            wanted = (held * percentage / 100).quantize(SHARE_STEP, ROUND_DOWN)
        if wanted > held:
            raise insufficient_quantity(symbol, wanted, held, ZERO, [])
        side = Side.SELL if holding.qty > 0 else Side.BUY
        ticket = OrderTicket(symbol=symbol, side=side, type=OrderType.MARKET, time_in_force=TimeInForce.DAY, qty=wanted)
        return self.submit(ticket, quirks, closing=True)

    def cancel_all(self) -> Sequence[tuple[UUID, Refusal | None]]:
        """Cancel every open order; each with what refused it, if anything did."""
        results: list[tuple[UUID, Refusal | None]] = []
        for order in self.books.open_orders:
            try:
                self.cancel(order.id)
                results.append((order.id, None))
            except Refusal as refusal:
                results.append((order.id, refusal))
        return results

    # Values

    @property
    def buying_power(self) -> Decimal:
        """USD that new buys may cost now."""
        return buying_power(self.books, self.market, self.config.multiplier)

    @property
    def equity(self) -> Decimal:
        """Cash plus holdings at last prices, in USD, as booked (not as reported)."""
        head = self.books.head
        return head.ledger.cash + values(head.ledger, self.market, head.marks, self.now).net
