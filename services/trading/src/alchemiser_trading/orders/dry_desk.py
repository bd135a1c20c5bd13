"""A desk for orders that nobody sends: kept here, in memory, and filled by quotes that are read.

    quotes, trades     the market's, through a reader that knows nothing else
    orders             here; made of requests, gone with the process
    account, holdings  the plan's, moved by the fills

It is made of a `QuoteReader`, so that there is no way from here to an account, whatever object stands behind it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.ports.broker import (
    BrokerOrder,
    ClockReading,
    Holdings,
    OrderList,
    OrderRequest,
    OrderStatus,
    Quote,
    QuoteReader,
    RequestQuota,
    Trade,
)
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import ExecutionSettings
from alchemiser_trading.orders.pricing import BidAsk, Prices, market_of
from alchemiser_trading.orders.steady_broker import asked


@dataclass(frozen=True, slots=True)
class _DryOrder:
    """An order, and the moment of the newest quote when it came: only later ones may fill it where it rests."""

    order: BrokerOrder
    quoted_at: datetime

    @property
    def cash(self) -> Decimal:
        """USD that its fills brought (+) or took (-)."""
        worth = self.order.filled_quantity * (self.order.average_price or 0)
        return worth if self.order.side is Side.SELL else -worth


class DryDesk:
    """Fills orders as a market maker's quote would, never better than what was read. An `OrderDesk`.

    `now` is the broker's time. A quote that the order machine would not trade on fills nothing. How many shares are
    behind a quote is not read: an order fills whole, which flatters a large one.
    """

    def __init__(self, quotes: QuoteReader, plan: Plan, now: Callable[[], datetime], rules: ExecutionSettings) -> None:
        self._quotes = quotes
        self._plan = plan
        self._now = now
        self._rules = rules
        self._planned = {leg.symbol: leg.price for leg in plan.legs}
        self._orders: dict[str, _DryOrder] = {}
        self._seen: dict[str, Prices] = {}
        self._reads = 0

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        """As the market's. Raises BrokerUnavailable."""
        self._reads += 1
        quotes = asked(lambda: self._quotes.latest_quotes(symbols))
        found = {quote.symbol: quote for quote in quotes}
        self._seen |= {symbol: replace(self._prices(symbol), quote=found.get(symbol)) for symbol in symbols}
        return quotes

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        """As the market's. Raises BrokerUnavailable."""
        self._reads += 1
        trades = asked(lambda: self._quotes.latest_trades(symbols))
        found = {trade.symbol: trade for trade in trades}
        self._seen |= {symbol: replace(self._prices(symbol), trade=found.get(symbol)) for symbol in symbols}
        return trades

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Take the order in; filled at once at the far side of the newest quote if its limit reaches it."""
        known = self._orders.get(request.client_order_id)
        if known is not None:
            return known.order
        order = BrokerOrder(
            order_id=f"dry-{len(self._orders) + 1}",
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            status=OrderStatus.OPEN,
            quantity=request.quantity,
            filled_quantity=Decimal(0),
            order_type=request.order_type,
            submitted_at=self._now(),
        )
        quote, market = self._prices(order.symbol).quote, self._market(order.symbol)
        if market is not None and _reaches(order, market):
            order = _filled(order, _far_side(order, market))
        self._orders[request.client_order_id] = _DryOrder(order, self._now() if quote is None else quote.at)
        return order

    def cancel(self, order_id: str) -> None:
        """At once, if it is open."""
        for known in self._open():
            if known.order.order_id == order_id:
                self._keep(known, known.order.model_copy(update={"status": OrderStatus.CANCELLED}))

    def orders_since(self, moment: datetime) -> OrderList:  # noqa: ARG002  (all are of this walk)
        """Every order, those that rest held against quotes of now. Raises BrokerUnavailable."""
        resting = list(self._open())
        if resting:
            self.latest_quotes(sorted({known.order.symbol for known in resting}))
        for known in resting:
            self._match(known)
        return OrderList(tuple(known.order for known in self._orders.values()))

    def open_orders(self) -> OrderList:
        """Those that may still fill; reads nothing."""
        return OrderList(tuple(known.order for known in self._open()))

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order; None if it never came."""
        known = self._orders.get(client_order_id)
        return None if known is None else known.order

    def order(self, order_id: str) -> BrokerOrder | None:
        """By the desk's own id."""
        return next((known.order for known in self._orders.values() if known.order.order_id == order_id), None)

    def holdings(self) -> Holdings:
        """The plan's positions and what was filled since."""
        held = {position.symbol: position for position in self._plan.positions}
        for symbol, shares in self._moved().items():
            price, before = self._planned[symbol], held.get(symbol)
            quantity = shares + (before.quantity if before is not None else 0)
            held[symbol] = Position(
                symbol=symbol,
                quantity=quantity,
                available=quantity,
                market_value=quantity * price,
                price=price,
                average_entry_price=price,
            )
        return Holdings(tuple(position for position in held.values() if position.quantity != 0))

    def account(self) -> Account:
        """The plan's, its cash moved by the fills; open buys are taken off the buying power, as a broker does."""
        cash = sum((known.cash for known in self._orders.values()), Decimal(0))
        promised = sum((self._cost(known.order) for known in self._open()), Decimal(0))
        before = self._plan.account
        return before.model_copy(
            update={"cash": before.cash + cash, "buying_power": before.buying_power + cash - promised}
        )

    def clock(self) -> ClockReading:
        """The broker's time as it was reckoned when the walk began; asks nobody."""
        return ClockReading(self._now(), timedelta(0))

    def quota(self) -> RequestQuota | None:
        """None: nothing here uses the account's requests."""
        return None

    def requests(self) -> int:
        """How many reads of market data there were."""
        return self._reads

    def _open(self) -> Iterator[_DryOrder]:
        return (known for known in list(self._orders.values()) if not known.order.status.terminal)

    def _keep(self, known: _DryOrder, order: BrokerOrder) -> None:
        self._orders[order.client_order_id] = replace(known, order=order)

    # A resting order is first in line at its own price, at best: it fills once somebody else's quote comes through it,
    # and at its limit, though the quote may be better. What it rested against already is no news.
    def _match(self, known: _DryOrder) -> None:
        quote, market = self._prices(known.order.symbol).quote, self._market(known.order.symbol)
        if quote is None or market is None or quote.at <= known.quoted_at or not _reaches(known.order, market):
            return
        limit = known.order.order_type.limit_price
        self._keep(known, _filled(known.order, _far_side(known.order, market) if limit is None else limit))

    def _prices(self, symbol: str) -> Prices:
        return self._seen.get(symbol, Prices())

    def _market(self, symbol: str) -> BidAsk | None:
        """The newest quote, if the order machine would trade on it."""
        market = market_of(self._prices(symbol), self._planned[symbol], self._now(), self._rules)
        return market if isinstance(market, BidAsk) else None

    def _moved(self) -> Mapping[str, Decimal]:
        moved: dict[str, Decimal] = {}
        for known in self._orders.values():
            shares = known.order.filled_quantity * (1 if known.order.side is Side.BUY else -1)
            moved[known.order.symbol] = moved.get(known.order.symbol, Decimal(0)) + shares
        return moved

    def _cost(self, order: BrokerOrder) -> Decimal:
        if order.side is Side.SELL:
            return Decimal(0)
        return (order.quantity or 0) * (order.order_type.limit_price or self._planned[order.symbol])


def _far_side(order: BrokerOrder, market: BidAsk) -> Decimal:
    return market.ask if order.side is Side.BUY else market.bid


def _reaches(order: BrokerOrder, market: BidAsk) -> bool:
    """Whether the order takes what the market offers; one without a limit does."""
    limit = order.order_type.limit_price
    if limit is None:
        return True
    return limit >= market.ask if order.side is Side.BUY else limit <= market.bid


def _filled(order: BrokerOrder, price: Decimal) -> BrokerOrder:
    return order.model_copy(
        update={"status": OrderStatus.FILLED, "filled_quantity": order.quantity, "average_price": price}
    )
