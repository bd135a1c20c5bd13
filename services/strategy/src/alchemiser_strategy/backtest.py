"""What the strategies would have earned: their histories and prices in, an equity curve out. Pure.

Decided at a close, filled at the next session's open (as live trading on completed bars does), at the next session's
close, or at the same close (optimistic: nobody knows a close before it is made). As live: a strategy that gives targets
gets its fraction of equity in those weights, one that holds keeps its shares and trades nothing, and orders of several
are netted; costs are a share of what is exchanged. What the weights leave is cash and earns nothing.

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
    NEXT_CLOSE = "next-close"
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
    gains: Floats
    """(strategies, symbols): what each has earned in all, before costs, in fractions of the equity at the beginning."""
    paid: float
    """Costs of all trades, the same fractions: 1 + the sum of gains - paid is the equity at the end."""
    at_close: tuple[date, ...] = ()
    """Days whose orders were for the open and were filled at the close, because an open is not known."""


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
    actions = actions or CorporateActions()
    targets = np.stack([_in_columns(history, symbols) for history, _ in parts])
    account = ShareAccount(parts, targets, symbols, costs_bps * BASIS_POINT, actions)
    late, at_open = fill is not Fill.CLOSE, fill is Fill.NEXT_OPEN
    traded = account.traded(still_priced(table, symbols, days, actions), late=late, at_open=at_open)
    at_close = tuple(days[row] for row in traded.at_close)
    return Backtest(
        tuple(days), symbols, traded.equity, traded.weights, traded.turnover, traded.gains, traded.paid, at_close
    )


def _in_columns(history: History, symbols: tuple[str, ...]) -> Floats:
    """A strategy's weights, (days, symbols), in the columns of the account's symbols."""
    weights = np.zeros((len(history.dates), len(symbols)))
    weights[:, [symbols.index(symbol) for symbol in history.symbols]] = history.weights
    return weights
