"""What the strategies would have earned: their histories and prices in, an equity curve out. Pure.

Decided at a close, filled at the next session's open (as live trading on completed bars does) or at the same close
(optimistic: nobody knows a close before it is made). As live: a strategy that gives targets gets its fraction of equity
in those weights, one that holds keeps its shares and trades nothing, and orders of several are netted; costs are a
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
type Part = tuple[History, float]
"""A strategy's history and its fraction of equity."""


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


def run_backtest(
    parts: Sequence[Part], prices: Prices, *, costs_bps: float = 0.0, fill: Fill = Fill.NEXT_OPEN
) -> Backtest:
    """Simulate an account that the strategies share, from the first day of their histories to the last.

    The histories are of the same days and begin to be traded on the first; their fractions of equity add up to 1 at
    most. `prices` are of the same days and may have other symbols as well; `costs_bps` are basis points (1/10,000) of
    what is bought and of what is sold. Raises StrategyError: fewer than two days, negative costs, or a symbol that is
    held on a day without a price.
    """
    days = parts[0][0].dates
    if len(days) < 2:
        raise StrategyError(f"a backtest needs at least 2 sessions, there are {len(days)}")
    if not costs_bps >= 0:
        raise StrategyError(f"costs are {costs_bps} basis points; give 0 or more")
    symbols = tuple(sorted({symbol for history, _ in parts for symbol in history.symbols}))
    columns = [prices.symbols.index(symbol) for symbol in symbols]
    opens, closes = prices.opens[:, columns], prices.closes[:, columns]
    cost = costs_bps * BASIS_POINT
    if all((~history.known | (history.decided == np.arange(len(days)))).all() for history, _ in parts):
        weights = _combined(parts, symbols)
        at = _at_close if fill is Fill.CLOSE else _at_next_open
        growth, changes = at(days, symbols, weights, opens, closes)
        bought, sold = changes.clip(min=0).sum(axis=1), (-changes).clip(min=0).sum(axis=1)
        growth = growth * (1 - cost * (bought + sold))
        return Backtest(tuple(days), symbols, np.cumprod(growth), weights, np.maximum(bought, sold))
    return _Account(parts, symbols, cost).traded(opens, closes, fill)


def _combined(parts: Sequence[Part], symbols: tuple[str, ...]) -> Floats:
    """The account's weights, (days, symbols): every strategy's times its fraction; an unknown day's share is cash."""
    weights = np.zeros((len(parts[0][0].dates), len(symbols)))
    for history, fraction in parts:
        weights[:, [symbols.index(symbol) for symbol in history.symbols]] += fraction * history.weights
    return weights


# Where some strategy holds, the account is kept by shares, one row a strategy. On a day on which A gives targets and B
# holds, with 100 USD of which B has 60, and fractions of a half each:
#
#     B keeps its shares       60                    no order, whatever its fraction has become
#     A wants half of 100      50, of which 40 are left: its targets are scaled by 40 / 50
#
# Trades are the differences of the sums over strategies: what A gives and B takes is netted.
class _Account:
    """Shares by strategy and symbol, and cash, from a first day on with 1 USD."""

    def __init__(self, parts: Sequence[Part], symbols: tuple[str, ...], cost: float) -> None:
        self._days, self._symbols, self._cost = parts[0][0].dates, symbols, cost
        self._fractions = np.array([fraction for _, fraction in parts])
        self._targets = np.stack([_combined([(history, 1.0)], symbols) for history, _ in parts])
        self._gives = np.stack([history.decided == np.arange(len(history.dates)) for history, _ in parts])
        self._shares = np.zeros((len(parts), len(symbols)))
        self._cash = 1.0

    def traded(self, opens: Floats, closes: Floats, fill: Fill) -> Backtest:
        """Every decision carried out; between two of them nothing is traded, and those days are valued in one step."""
        count, late = len(self._days), int(fill is Fill.NEXT_OPEN)
        at = opens if late else closes
        equity, turnover, weights = np.ones(count), np.zeros(count), np.zeros((count, len(self._symbols)))
        first = 0
        for decision in np.flatnonzero(self._gives.any(axis=0)).tolist():
            fills = decision + late
            equity[first:fills], weights[first:fills] = self._worth(first, fills, closes)
            if late:
                weights[decision] = self._wanted(decision, closes, decision).sum(axis=0) / equity[decision]
            if fills < count:
                turnover[fills] = self._trade(decision, at, fills)
            first = fills
        equity[first:], weights[first:] = self._worth(first, count, closes)
        return Backtest(tuple(self._days), self._symbols, equity, weights, turnover)

    def _worth(self, first: int, last: int, closes: Floats) -> tuple[Floats, Floats]:
        """Equity in USD, (days,), and weights, (days, symbols), of what is held on the days first..last (exclusive)."""
        values = self._values(self._shares.sum(axis=0)[None], closes[first:last], first)
        equity = self._cash + values.sum(axis=1)
        return equity, values / equity[:, None]

    def _wanted(self, decision: int, prices: Floats, day: int) -> Floats:
        """USD that each strategy wants of each symbol by a day's decision, at another day's prices."""
        values = self._values(self._shares, prices[day][None], day)
        gives, equity = self._gives[:, decision], self._cash + values.sum()
        wanted = np.where(gives[:, None], self._fractions[:, None] * self._targets[:, decision] * equity, values)
        asked, left = wanted[gives].sum(), equity - wanted[~gives].sum()
        if asked > left:
            wanted[gives] *= max(0.0, left) / asked
        return wanted

    def _trade(self, decision: int, prices: Floats, day: int) -> float:
        """Carry out a day's decisions at another day's prices; the turnover as a fraction of equity.

        The costs are borne by those who trade, and by the cash.
        """
        values, wanted = self._values(self._shares, prices[day][None], day), self._wanted(decision, prices, day)
        gives, equity = self._gives[:, decision], self._cash + values.sum()
        change = (wanted - values).sum(axis=0)
        free, paid = equity - wanted[~gives].sum(), self._cost * np.abs(change).sum()
        wanted[gives] *= 1 - paid / free if free > 0 else 0.0
        self._require_prices(wanted.sum(axis=0)[None], prices[day][None], day)
        self._shares[gives] = np.where(wanted[gives] > 0, wanted[gives] / prices[day], 0.0)
        self._cash = free - paid - wanted[gives].sum()
        return float(max(change.clip(min=0).sum(), (-change).clip(min=0).sum()) / equity)

    def _values(self, shares: Floats, prices: Floats, first: int) -> Floats:
        """USD of shares at prices; one of them may have a single row for all of the other's."""
        self._require_prices(shares.sum(axis=0)[None], prices, first)
        values: Floats = np.where(shares > 0, shares * prices, 0.0)
        return values

    def _require_prices(self, held: Floats, prices: Floats, first: int) -> None:
        """Raises StrategyError for a holding without a price, (days, symbols) from day `first` on."""
        lacking = (held > 0) & ~np.isfinite(prices)
        if lacking.any():
            day, column = (int(index) for index in np.argwhere(lacking)[0])
            raise StrategyError(f"{self._symbols[column]} is held on {self._days[first + day]} but has no price then")


# One session of each kind of fill; a fraction w of equity grows by the ratio of two prices, and what is left of all
# fractions is cash:
#
#     close        close t-1 ── weights[t-1] ──────────────────────> close t: trade to weights[t]
#     next open    close t-1 ── held ──> open t: trade to weights[t-1] ── weights[t-1] ──> close t
#
# Growth is 1 + sum of (w * ratio - w), not cash + sum of w * ratio: the cash need not be known, and small gains do not
# drown in rounding.
def _at_close(
    days: Sequence[date], symbols: tuple[str, ...], weights: Floats, _opens: Floats, closes: Floats
) -> tuple[Floats, Floats]:
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
