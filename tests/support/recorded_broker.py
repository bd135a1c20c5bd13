"""A broker that says what a captured case has recorded; it knows nothing else, and takes no order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from alchemiser_cli.cases.case import Case
from alchemiser_cli.cases.recorded_market import planned_from
from alchemiser_common.messages.snapshot import Account, BarPolicy, MarketSession, MarketSnapshot, Position
from alchemiser_common.ports.broker import (
    Activities,
    Asset,
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


@dataclass(frozen=True)
class RecordedBroker:
    """The case's answers as they were when one stage asked, at that moment."""

    case: Case
    moment: datetime
    account_then: Account | None
    positions_then: Sequence[Position]
    prices: Mapping[str, Decimal]
    """USD by symbol, of two sources that agree."""

    def clock(self) -> ClockReading:
        return ClockReading(self.moment, timedelta(0))

    def now(self) -> datetime:
        return self.moment

    def account(self) -> Account:
        assert self.account_then is not None, "the case has no account"
        return self.account_then

    def holdings(self) -> Holdings:
        return Holdings(tuple(self.positions_then))

    def activities(self, first: date, last: date) -> Activities:
        return Activities(())

    def session_on(self, day: date) -> MarketSession | None:
        snapshot = self.case.snapshot
        return snapshot.session if snapshot is not None and snapshot.session.day == day else None

    def sessions(self, first: date, last: date) -> Sequence[date]:
        return [day for day in self._snapshot.bars.dates if first <= day <= last]

    def daily_bars(
        self, symbols: Sequence[str], first: date, last: date, *, adjusted: bool = True
    ) -> Sequence[SymbolBars]:
        if not adjusted:
            return ()
        bars = [self._bars(symbol) for symbol in symbols if symbol in self._snapshot.bars.symbols]
        spans = [[(day, close) for day, close in one if first <= day <= last] for one in bars]
        known = [symbol for symbol in symbols if symbol in self._snapshot.bars.symbols]
        return [
            SymbolBars(symbol, [day for day, _ in span], [close for _, close in span])
            for symbol, span in zip(known, spans, strict=True)
        ]

    def announced_splits(self, symbol: str, first: date, last: date) -> Sequence[Split]:
        return ()

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        mark = None if self.case.snapshot is None else self.case.snapshot.provisional
        at = self.moment if mark is None else mark.oldest_trade
        return [Trade(symbol=name, price=self.prices[name], at=at) for name in symbols if name in self.prices]

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        known = [(name, self.prices[name]) for name in symbols if name in self.prices]
        return [Quote(symbol=name, bid=price, ask=price, at=self.moment) for name, price in known]

    def assets(self, symbols: Sequence[str]) -> Sequence[Asset]:
        return [asset for symbol in symbols if (asset := self._asset(symbol)) is not None]

    def open_orders(self) -> OrderList:
        return OrderList(())

    def orders_since(self, moment: datetime) -> OrderList:
        return OrderList(())

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        return None

    def order(self, order_id: str) -> BrokerOrder | None:
        return None

    def quota(self) -> RequestQuota | None:
        return None

    def requests(self) -> int:
        return 0

    @property
    def paper(self) -> bool:
        return True

    def submit(self, request: OrderRequest) -> BrokerOrder:
        raise AssertionError(f"a case that is replayed sends no order: {request}")

    def cancel(self, order_id: str) -> None:
        raise AssertionError(f"a case that is replayed cancels no order: {order_id}")

    @property
    def _snapshot(self) -> MarketSnapshot:
        assert self.case.snapshot is not None, "the case has no snapshot"
        return self.case.snapshot

    def _bars(self, symbol: str) -> list[tuple[date, float]]:
        """As the broker sent them: without what was carried over a gap, and without today's."""
        snapshot = self._snapshot
        column = snapshot.bars.closes[:, snapshot.bars.symbols.index(symbol)]
        days = {day for item in snapshot.carried if item.symbol == symbol for day in item.days}
        if snapshot.bar_policy is BarPolicy.PROVISIONAL:
            days.add(snapshot.session.day)
        pairs = zip(snapshot.bars.dates, column.tolist(), strict=True)
        return [(day, close) for day, close in pairs if day not in days and not np.isnan(close)]

    def _asset(self, symbol: str) -> Asset | None:
        """As the plan shows it; without a plan like any other."""
        if self.case.plan is None:
            return Asset(symbol=symbol, tradable=True, fractionable=True)
        known = planned_from(self.case, self.case.plan)
        if symbol in known.unknown:
            return None
        whole = symbol in known.whole_shares
        return Asset(symbol=symbol, tradable=symbol not in known.untradable, fractionable=not whole)
