"""A broker whose reads never end a run: whatever it answers to a question, the question can be asked again.

A 4xx on a read says nothing about orders: Alpaca answers 401, 403 and 404 to valid keys now and then. What is refused
for good stays refused, and the run ends by its patience, not by one answer.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.messages.snapshot import Account, MarketSession
from alchemiser_common.ports.broker import (
    Activities,
    Asset,
    Broker,
    BrokerOrder,
    ClockReading,
    Holdings,
    OrderList,
    OrderRequest,
    Quote,
    RequestQuota,
    Split,
    SymbolBars,
    Trade,
)


def asked[R](question: Callable[[], R]) -> R:
    """The answer, a refused read as BrokerUnavailable."""
    try:
        return question()
    except BrokerRefused as error:
        raise BrokerUnavailable(str(error)) from error


class SteadyBroker:
    """The broker with every refused read as BrokerUnavailable; orders and cancels as they are."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def now(self) -> datetime:
        """As the broker's."""
        return asked(self._broker.now)

    def clock(self) -> ClockReading:
        """As the broker's."""
        return asked(self._broker.clock)

    def account(self) -> Account:
        """As the broker's."""
        return asked(self._broker.account)

    def holdings(self) -> Holdings:
        """As the broker's."""
        return asked(self._broker.holdings)

    def activities(self, first: date, last: date) -> Activities:
        """As the broker's."""
        return asked(lambda: self._broker.activities(first, last))

    def session_on(self, day: date) -> MarketSession | None:
        """As the broker's."""
        return asked(lambda: self._broker.session_on(day))

    def sessions(self, first: date, last: date) -> Sequence[date]:
        """As the broker's."""
        return asked(lambda: self._broker.sessions(first, last))

    def daily_bars(
        self, symbols: Sequence[str], first: date, last: date, *, adjusted: bool = True
    ) -> Sequence[SymbolBars]:
        """As the broker's."""
        return asked(lambda: self._broker.daily_bars(symbols, first, last, adjusted=adjusted))

    def announced_splits(self, symbol: str, first: date, last: date) -> Sequence[Split]:
        """As the broker's."""
        return asked(lambda: self._broker.announced_splits(symbol, first, last))

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        """As the broker's."""
        return asked(lambda: self._broker.latest_trades(symbols))

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        """As the broker's."""
        return asked(lambda: self._broker.latest_quotes(symbols))

    def assets(self, symbols: Sequence[str]) -> Sequence[Asset]:
        """As the broker's."""
        return asked(lambda: self._broker.assets(symbols))

    def open_orders(self) -> OrderList:
        """As the broker's."""
        return asked(self._broker.open_orders)

    def orders_since(self, moment: datetime) -> OrderList:
        """As the broker's."""
        return asked(lambda: self._broker.orders_since(moment))

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """As the broker's."""
        return asked(lambda: self._broker.order_by_client_id(client_order_id))

    def order(self, order_id: str) -> BrokerOrder | None:
        """As the broker's."""
        return asked(lambda: self._broker.order(order_id))

    def quota(self) -> RequestQuota | None:
        """As the broker's."""
        return self._broker.quota()

    def requests(self) -> int:
        """As the broker's."""
        return self._broker.requests()

    @property
    def paper(self) -> bool:
        """As the broker's."""
        return self._broker.paper

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """As the broker's: a refused order is refused."""
        return self._broker.submit(request)

    def cancel(self, order_id: str) -> None:
        """As the broker's."""
        self._broker.cancel(order_id)
