"""What the strategies would have earned: their histories and prices in, an equity curve out. Pure.

Decided at a close, filled at the next session's open (as live trading on completed bars does) or at the same close
(optimistic: nobody knows a close before it is made). As live: a strategy that gives targets gets its fraction of equity
in those weights, one that holds keeps its shares and trades nothing, and orders of several are netted; costs are a
share of what is exchanged. What the weights leave is cash and earns nothing.

On adjusted prices dividends are reinvested, and a symbol that is renamed, bought up or delisted has no price any more.
On prices as they traded, with the market's corporate actions, the account follows them as a live one does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from alchemiser_strategy.bars import Floats
from alchemiser_strategy.corporate_actions import CorporateActions
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.share_account import ShareAccount, Table, still_priced

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
    fills: Floats | None = None
    """What a day's orders were filled at, where that is known: quantities follow from the opens, or from the closes
    that are decided on, and cash from these. NaN, or None: no other price."""

    def between(self, first: int, last: int) -> "Prices":
        """The days first..last (exclusive)."""
        fills = None if self.fills is None else self.fills[first:last]
        return Prices(self.symbols, self.opens[first:last], self.closes[first:last], fills)


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
    parts: Sequence[Part],
    prices: Prices,
    *,
    costs_bps: float = 0.0,
    fill: Fill = Fill.NEXT_OPEN,
    actions: CorporateActions | None = None,
) -> Backtest:
    """Simulate an account that the strategies share, from the first day of their histories to the last.

    The histories are of the same days and begin to be traded on the first; their fractions of equity add up to 1 at
    most. `prices` are of the same days and may have other symbols as well; `costs_bps` are basis points (1/10,000) of
    what is bought and of what is sold. With `actions` the prices are as they traded, and of all symbols that shares
    may become: `CorporateActions.reachable`. Raises StrategyError: fewer than two days, negative costs, or a symbol
    that is held on a day without a price.
    """
    days = parts[0][0].dates
    if len(days) < 2:
        raise StrategyError(f"a backtest needs at least 2 sessions, there are {len(days)}")
    if not costs_bps >= 0:
        raise StrategyError(f"costs are {costs_bps} basis points; give 0 or more")
    known = {symbol for history, _ in parts for symbol in history.symbols}
    symbols = tuple(sorted(known)) if actions is None else actions.reachable(known)
    if lacking := [symbol for symbol in symbols if symbol not in prices.symbols]:
        raise StrategyError(f"there are no prices of {', '.join(lacking)}")
    columns = [prices.symbols.index(symbol) for symbol in symbols]
    fills = None if prices.fills is None else prices.fills[:, columns]
    table = Table(prices.opens[:, columns], prices.closes[:, columns], fills)
    cost = costs_bps * BASIS_POINT
    every_day = all((~history.known | (history.decided == np.arange(len(days)))).all() for history, _ in parts)
    if every_day and actions is None and fills is None:
        return _by_weights(parts, symbols, table, cost, fill)
    # Where some strategy holds, or shares become others, weights do not tell what is traded.
    actions = actions or CorporateActions()
    targets = np.stack([_combined([(history, 1.0)], symbols) for history, _ in parts])
    account = ShareAccount(parts, targets, symbols, cost, actions)
    traded = account.traded(still_priced(table, symbols, days, actions), late=fill is Fill.NEXT_OPEN)
    return Backtest(tuple(days), symbols, traded.equity, traded.weights, traded.turnover)


def _by_weights(parts: Sequence[Part], symbols: tuple[str, ...], table: Table, cost: float, fill: Fill) -> Backtest:
    """Of strategies that give targets on every day: all days at once."""
    days, weights = parts[0][0].dates, _combined(parts, symbols)
    at = _at_close if fill is Fill.CLOSE else _at_next_open
    growth, changes = at(days, symbols, weights, table.opens, table.closes)
    bought, sold = changes.clip(min=0).sum(axis=1), (-changes).clip(min=0).sum(axis=1)
    growth = growth * (1 - cost * (bought + sold))
    return Backtest(tuple(days), symbols, np.cumprod(growth), weights, np.maximum(bought, sold))


def _combined(parts: Sequence[Part], symbols: tuple[str, ...]) -> Floats:
    """The account's weights, (days, symbols): every strategy's times its fraction; an unknown day's share is cash."""
    weights = np.zeros((len(parts[0][0].dates), len(symbols)))
    for history, fraction in parts:
        weights[:, [symbols.index(symbol) for symbol in history.symbols]] += fraction * history.weights
    return weights


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
