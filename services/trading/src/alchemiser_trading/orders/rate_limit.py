"""The request budget that all legs share, and a broker that keeps count of it.

Market data have a limit of their own at the broker and do not count.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from alchemiser_common.errors import BrokerThrottled
from alchemiser_common.messages.snapshot import Account, MarketSession, Position
from alchemiser_common.ports.broker import (
    Asset,
    Broker,
    BrokerOrder,
    OrderRequest,
    Quote,
    RequestQuota,
    SymbolBars,
    Trade,
)
from alchemiser_common.ports.clock import Clock

_WINDOW = timedelta(seconds=60)
_TOLERANCE = timedelta(seconds=10)
"""How far the broker's clock may be off this one."""
_PAUSE = timedelta(seconds=5)
_FEW_ASSETS = 25
_KEPT = 4
"""Requests that may follow one that was allowed: successors of a replaced order, the account."""
_LOW_WATER = 0.75


class RequestBudget:
    """So many requests in any sixty seconds; once they are used up, nothing goes until a good part is free again.

    So the few that come free each second are not eaten up by looking at orders that nothing could be done about.
    `quota` gives what the broker itself says is left, which counts as well: other programs may use the account's
    requests. A reset that is farther away than a window can be is not believed.
    """

    def __init__(self, limit: int, clock: Clock, quota: Callable[[], RequestQuota | None]) -> None:
        self._limit = limit
        self._clock = clock
        self._quota = quota
        self._taken: deque[datetime] = deque()
        self._paused_until: datetime | None = None
        self._full = False

    def allows(self) -> bool:
        """Whether a request may be made now; if not, a later tick asks again."""
        now = self._clock.now()
        while self._taken and now - self._taken[0] >= _WINDOW:
            self._taken.popleft()
        used = len(self._taken)
        self._full = used >= self._limit - _KEPT or (self._full and used > self._limit * _LOW_WATER)
        quota = self._quota()
        if quota is not None and quota.remaining <= _KEPT and now < quota.resets_at < now + _WINDOW + _TOLERANCE:
            return False
        return not self._full and (self._paused_until is None or now >= self._paused_until)

    def take(self, requests: int = 1) -> None:
        """Count requests."""
        self._taken.extend([self._clock.now()] * requests)

    def penalise(self) -> None:
        """The broker said that there were too many: be quiet for a while."""
        self._paused_until = self._clock.now() + _PAUSE


class MeteredBroker:
    """A broker whose trading requests are counted."""

    def __init__(self, inner: Broker, budget: RequestBudget) -> None:
        self._inner = inner
        self._budget = budget

    def now(self) -> datetime:
        """As the broker's."""
        return self._counted().now()

    def account(self) -> Account:
        """As the broker's."""
        return self._counted().account()

    def positions(self) -> Sequence[Position]:
        """As the broker's."""
        return self._counted().positions()

    def session_on(self, day: date) -> MarketSession | None:
        """As the broker's."""
        return self._counted().session_on(day)

    def daily_bars(self, symbols: Sequence[str], first: date, last: date) -> Sequence[SymbolBars]:
        """As the broker's; market data."""
        return self._inner.daily_bars(symbols, first, last)

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        """As the broker's; market data."""
        return self._inner.latest_trades(symbols)

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        """As the broker's; market data."""
        return self._inner.latest_quotes(symbols)

    def assets(self, symbols: Sequence[str]) -> Sequence[Asset]:
        """As the broker's; a request a symbol while they are few."""
        return self._counted(min(len(symbols), _FEW_ASSETS)).assets(symbols)

    def open_orders(self) -> Sequence[BrokerOrder]:
        """As the broker's."""
        return self._counted().open_orders()

    def orders_since(self, moment: datetime) -> Sequence[BrokerOrder]:
        """As the broker's."""
        return self._counted().orders_since(moment)

    def quota(self) -> RequestQuota | None:
        """As the broker's; no request."""
        return self._inner.quota()

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """As the broker's."""
        return self._counted().order_by_client_id(client_order_id)

    def order(self, order_id: str) -> BrokerOrder | None:
        """As the broker's."""
        return self._counted().order(order_id)

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """As the broker's; a throttled one silences everyone for a while."""
        try:
            return self._counted().submit(request)
        except BrokerThrottled:
            self._budget.penalise()
            raise

    def cancel(self, order_id: str) -> None:
        """As the broker's."""
        self._counted().cancel(order_id)

    def _counted(self, requests: int = 1) -> Broker:
        self._budget.take(requests)
        return self._inner
