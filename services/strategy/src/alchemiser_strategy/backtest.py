"""What holding the strategies' weights would have earned: histories and prices in, an equity curve out. Pure.

Decided at a close, filled at the next session's open (as live trading on completed bars does) or at the same close
(optimistic: nobody knows a close before it is made). Every session the account goes back to its targets; costs are a
share of what is exchanged. What the weights leave is cash and earns nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from alchemiser_strategy.bars import Floats
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.errors import StrategyError

BASIS_POINT = 1e-4


class Fill(StrEnum):
    """When a decision's orders are filled."""

    NEXT_OPEN = "next-open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Opens and closes in USD, (days, symbols) float64 each, NaN where a symbol has no bar. Symbols do not repeat."""

    symbols: tuple[str, ...]
    opens: Floats
    closes: Floats

    def between(self, first: int, last: int) -> "Prices":
        """The days first..last (exclusive)."""
        return Prices(self.symbols, self.opens[first:last], self.closes[first:last])


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """The outcome by session; all arrays are float64 and have as many rows as there are days."""

    days: tuple[date, ...]
    symbols: tuple[str, ...]
    equity: Floats
    """(days,), 1 at the first close."""
    weights: Floats
    """(days, symbols) decided at each close, fractions of equity."""
    turnover: Floats
    """(days,) the larger of what was bought and what was sold in each session, fractions of equity."""


def combine(histories: Sequence[tuple[History, float]]) -> tuple[tuple[str, ...], Floats]:
    """The account's weights: every strategy's times its fraction of equity; an unknown day's share is cash.

    The histories are of the same days; fractions are of equity and add up to 1 at most. Returns the symbols, sorted,
    and the weights, (days, symbols).
    """
    symbols = tuple(sorted({symbol for history, _ in histories for symbol in history.symbols}))
    place = {symbol: column for column, symbol in enumerate(symbols)}
    days = len(histories[0][0].dates)
    weights = np.zeros((days, len(symbols)))
    for history, fraction in histories:
        columns = [place[symbol] for symbol in history.symbols]
        weights[:, columns] += fraction * history.weights
    return symbols, weights


def run_backtest(
    days: Sequence[date],
    symbols: tuple[str, ...],
    weights: Floats,
    prices: Prices,
    *,
    costs_bps: float = 0.0,
    fill: Fill = Fill.NEXT_OPEN,
) -> Backtest:
    """Simulate holding `weights`, (days, symbols) fractions of equity, from the first day to the last.

    `prices` are of the same days and may have other symbols as well; `costs_bps` are basis points (1/10,000) of what
    is bought and of what is sold. Raises StrategyError: fewer than two days, negative costs, or a symbol that is held
    on a day without a price.
    """
    if len(days) < 2:
        raise StrategyError(f"a backtest needs at least 2 sessions, there are {len(days)}")
    if not costs_bps >= 0:
        raise StrategyError(f"costs are {costs_bps} basis points; give 0 or more")
    columns = [prices.symbols.index(symbol) for symbol in symbols]
    opens, closes = prices.opens[:, columns], prices.closes[:, columns]
    cost = costs_bps * BASIS_POINT
    if fill is Fill.CLOSE:
        growth, changes = _at_close(days, symbols, weights, closes)
    else:
        growth, changes = _at_next_open(days, symbols, weights, opens, closes)
    bought, sold = changes.clip(min=0).sum(axis=1), (-changes).clip(min=0).sum(axis=1)
    growth = growth * (1 - cost * (bought + sold))
    return Backtest(tuple(days), symbols, np.cumprod(growth), weights, np.maximum(bought, sold))


# One session of each kind of fill; a fraction w of equity grows by the ratio of two prices, and what is left of all
# fractions is cash:
#
#     close        close t-1 ── weights[t-1] ──────────────────────> close t: trade to weights[t]
#     next open    close t-1 ── held ──> open t: trade to weights[t-1] ── weights[t-1] ──> close t
#
# Growth is 1 + sum of (w * ratio - w), not cash + sum of w * ratio: the cash need not be known, and small gains do not
# drown in rounding.
def _at_close(days: Sequence[date], symbols: tuple[str, ...], weights: Floats, closes: Floats) -> tuple[Floats, Floats]:
    """Growth, (days,), and weight changes traded, (days, symbols), when orders fill at the close decided on."""
    change = _ratio(closes[1:], closes[:-1], weights[:-1], days[1:], symbols)
    grown = weights[:-1] * change
    growth = 1 + (grown - weights[:-1]).sum(axis=1)
    before = grown / growth[:, None]
    return np.concatenate([[1.0], growth]), np.vstack([weights[:1], weights[1:] - before])


def _at_next_open(
    days: Sequence[date], symbols: tuple[str, ...], weights: Floats, opens: Floats, closes: Floats
) -> tuple[Floats, Floats]:
    """The same when orders fill at the next session's open: the night still belongs to the old holdings."""
    target = weights[:-1]
    by_day = _ratio(closes[1:], opens[1:], target, days[1:], symbols)
    day_growth = 1 + (target * by_day - target).sum(axis=1)
    at_close = target * by_day / day_growth[:, None]
    held = np.vstack([np.zeros_like(weights[:1]), at_close[:-1]])
    by_night = _ratio(opens[1:], closes[:-1], held, days[1:], symbols)
    night_growth = 1 + (held * by_night - held).sum(axis=1)
    at_open = held * by_night / night_growth[:, None]
    changes = np.vstack([np.zeros_like(weights[:1]), target - at_open])
    return np.concatenate([[1.0], night_growth * day_growth]), changes


def _ratio(later: Floats, earlier: Floats, held: Floats, days: Sequence[date], symbols: tuple[str, ...]) -> Floats:
    """Price ratios, (days, symbols), 1 where nothing is held. Raises StrategyError for a holding without a price."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(held > 0, later / earlier, 1.0)
    lacking = ~np.isfinite(ratio)
    if lacking.any():
        day, column = (int(index) for index in np.argwhere(lacking)[0])
        raise StrategyError(f"{symbols[column]} is held on {days[day]} but has no price then")
    return ratio
