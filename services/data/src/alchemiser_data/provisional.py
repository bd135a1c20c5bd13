"""Today's bar so far, from the latest trades: marked, timed and checked. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.messages.bars import DailyBars, Matrix
from alchemiser_common.messages.snapshot import MarketSession, ProvisionalBar
from alchemiser_common.ports.broker import Trade


def provisional_row(
    bars: DailyBars,
    trades: Sequence[Trade],
    *,
    session: MarketSession,
    now: datetime,
    max_age: timedelta,
    max_move: float,
) -> tuple[Matrix, ProvisionalBar]:
    """Latest prices in USD, (symbols,), in the order of `bars`, and the mark that says when they were read.

    Raises MarketDataRejected for the first symbol whose trade is absent, of another day, too old, not positive, or
    further from the last close than `max_move` (a fraction).
    """
    by_symbol = {trade.symbol: trade for trade in trades}
    for symbol in bars.symbols:
        trade = by_symbol.get(symbol)
        if trade is None:
            raise MarketDataRejected(f"{symbol}: no latest trade for today's bar (rule: present)")
        _check(trade, bars.last_close(symbol), session=session, now=now, max_age=max_age, max_move=max_move)
    row = np.array([float(by_symbol[symbol].price) for symbol in bars.symbols])
    oldest = min(by_symbol[symbol].at for symbol in bars.symbols)
    return row, ProvisionalBar(day=session.day, read_at=now, oldest_trade=oldest)


def _check(
    trade: Trade, last_close: float, *, session: MarketSession, now: datetime, max_age: timedelta, max_move: float
) -> None:
    where = f"{trade.symbol}: latest trade {trade.price} at {trade.at:%Y-%m-%d %H:%M:%S}Z"
    if not trade.price.is_finite() or trade.price <= 0:
        raise MarketDataRejected(f"{where} (rule: positive price)")
    if trade.at < session.opens:
        raise MarketDataRejected(f"{where} is from before the session (rule: of today)")
    if now - trade.at > max_age:
        raise MarketDataRejected(f"{where} is more than {max_age} old (rule: fresh)")
    move = float(trade.price) / last_close - 1
    if abs(move) > max_move:
        raise MarketDataRejected(f"{where} is {move:+.1%} from the last close {last_close:g} (rule: plausible move)")
