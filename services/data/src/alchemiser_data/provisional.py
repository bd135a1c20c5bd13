"""Today's bar so far, from the latest trades: marked, timed and checked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.messages.bars import DailyBars, Matrix
from alchemiser_common.messages.snapshot import MarketSession, MissingData, ProvisionalBar
from alchemiser_common.ports.broker import Trade


@dataclass(frozen=True, slots=True)
class TodayRow:
    """Latest prices in USD, (symbols,), NaN for those without a price to trust; when they were read; the faults."""

    prices: Matrix
    mark: ProvisionalBar
    faults: Sequence[MissingData]


def provisional_row(
    bars: DailyBars,
    trades: Sequence[Trade],
    *,
    session: MarketSession,
    now: datetime,
    max_age: timedelta,
    max_move: float,
) -> TodayRow:
    """Today's row, in the order of the bars' symbols.

    A trade is absent, of another day, too old, not positive, or further from the last close than `max_move` (a
    fraction): its symbol has no bar today. Raises MarketDataRejected if that is true of all.
    """
    by_symbol = {trade.symbol: trade for trade in trades}
    prices = np.full(len(bars.symbols), np.nan)
    faults: list[MissingData] = []
    for column, symbol in enumerate(bars.symbols):
        trade = by_symbol.get(symbol)
        fault = (
            MissingData(symbol=symbol, rule="present", detail="no latest trade for today's bar")
            if trade is None
            else _fault(trade, bars.last_close(symbol), session=session, now=now, max_age=max_age, max_move=max_move)
        )
        if fault is not None:
            faults.append(fault)
        elif trade is not None:
            prices[column] = float(trade.price)
    used = [by_symbol[symbol].at for symbol, price in zip(bars.symbols, prices, strict=True) if not np.isnan(price)]
    if not used:
        raise MarketDataRejected(f"no symbol has a trade for today's bar: {faults[0].symbol}: {faults[0].detail}")
    return TodayRow(prices, ProvisionalBar(day=session.day, read_at=now, oldest_trade=min(used)), faults)


def _fault(
    trade: Trade, last_close: float, *, session: MarketSession, now: datetime, max_age: timedelta, max_move: float
) -> MissingData | None:
    where = f"latest trade {trade.price} at {trade.at:%Y-%m-%d %H:%M:%S}Z"

    def fault(rule: str, detail: str = "") -> MissingData:
        return MissingData(symbol=trade.symbol, rule=rule, detail=f"{where} {detail}".rstrip())

    if not trade.price.is_finite() or trade.price <= 0:
        return fault("positive price")
    if trade.at < session.opens:
        return fault("of today", "is from before the session")
    if now - trade.at > max_age:
        return fault("fresh", f"is more than {max_age} old")
    move = float(trade.price) / last_close - 1
    if abs(move) > max_move:
        return fault("plausible move", f"is {move:+.1%} from the last close {last_close:g}")
    return None
