"""An account that strategies share, kept by shares: what a backtest trades with where weights alone do not tell. Pure.

Trades nothing between decisions; follows corporate actions before the open of their day.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from alchemiser_strategy.bars import Bools, Floats
from alchemiser_strategy.corporate_actions import CorporateActions, ShareAction
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.errors import StrategyError


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Prices of an account's symbols: opens and closes in USD, and what orders of the day were filled at, where that
    is known (NaN: at the open, or the close). (days, symbols) each.
    """

    opens: Floats
    closes: Floats
    fills: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """By session: equity (1 to begin with), weights and turnover in fractions of it; arrays as in `Backtest`."""

    equity: Floats
    weights: Floats
    turnover: Floats


def still_priced(table: Table, symbols: Sequence[str], days: Sequence[date], actions: CorporateActions) -> Table:
    """The prices with the last close of each symbol that has ended, for as long as the days go on."""
    opens, closes = table.opens.copy(), table.closes.copy()
    for column, symbol in enumerate(symbols):
        row = bisect_left(days, actions.ends[symbol]) if symbol in actions.ends else len(days)
        known = np.flatnonzero(np.isfinite(closes[:row, column]))
        if row < len(days) and len(known):
            opens[row:, column] = closes[row:, column] = closes[known[-1], column]
    return Table(opens, closes, table.fills)


# One row of shares a strategy. On a day on which A gives targets and B holds, with 100 USD of which B has 60, and
# fractions of a half each:
#
#     B keeps its shares       60                    no order, whatever its fraction has become
#     A wants half of 100      50, of which 40 are left: its targets are scaled by 40 / 50
#
# Trades are the differences of the sums over strategies: what A gives and B takes is netted.
class ShareAccount:
    """Shares by strategy and symbol, and cash, from a first day on with 1 USD."""

    def __init__(
        self,
        histories: Sequence[tuple[History, float]],
        targets: Floats,
        symbols: Sequence[str],
        cost: float,
        actions: CorporateActions,
    ) -> None:
        """`targets` are (strategies, days, symbols), fractions of each strategy's capital; `cost` is a fraction of what
        is exchanged.
        """
        self._days, self._symbols, self._cost = histories[0][0].dates, tuple(symbols), cost
        self._fractions = np.array([fraction for _, fraction in histories])
        self._targets = targets
        self._gives = np.stack([history.decided == np.arange(len(history.dates)) for history, _ in histories])
        self._shares = np.zeros((len(histories), len(symbols)))
        self._cash = 1.0
        self._actions = _by_row(actions.actions, self._days)
        self._ends = np.array(
            [bisect_left(self._days, actions.ends[one]) if one in actions.ends else len(self._days) for one in symbols]
        )

    def traded(self, table: Table, *, late: bool) -> Traded:
        """Every decision carried out, `late`: at the next open, otherwise at the close decided on.

        Between two days on which something happens nothing is traded, and those days are valued in one step.
        """
        count, closes, at = len(self._days), table.closes, table.opens if late else table.closes
        equity, turnover, weights = np.ones(count), np.zeros(count), np.zeros((count, len(self._symbols)))
        decisions = {row + late: row for row in np.flatnonzero(self._gives.any(axis=0)).tolist()}
        first = 0
        for row in sorted(decisions.keys() | self._actions.keys()):
            equity[first:row], weights[first:row] = self._worth(first, row, closes)
            decision = decisions.get(row)
            if late and decision is not None:
                weights[decision] = self._wanted(decision, closes, decision).sum(axis=0) / equity[decision]
            for action in self._actions.get(row, ()):
                self._act(action)
            if decision is not None and row < count:
                turnover[row] = self._trade(decision, at, row, table.fills)
            first = row
        equity[first:], weights[first:] = self._worth(first, count, closes)
        return Traded(equity, weights, turnover)

    def _act(self, action: ShareAction) -> None:
        column = self._symbols.index(action.symbol) if action.symbol in self._symbols else None
        if column is None:
            return
        old = self._shares[:, column].copy()
        self._shares[:, column] = 0.0
        for symbol, each in action.shares.items():
            self._shares[:, self._symbols.index(symbol)] += old * each
        self._cash += float(old.sum()) * action.cash

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
        ended = self._ended(day)
        if ended.any():
            wanted[:, ended] = values[:, ended]
            if values[:, ended].any():
                wanted = self._affordable(wanted, values, equity)
        return wanted

    # What cannot be sold any more pays for nothing. As live: the others are wanted in full, and what cash there is
    # beyond that which the fractions leave, with the sales, goes to all buys alike.
    def _affordable(self, wanted: Floats, values: Floats, equity: float) -> Floats:
        """With buys cut to the cash that there is."""
        change = (wanted - values).sum(axis=0)
        buys, sells = change.clip(min=0), (-change).clip(min=0).sum()
        cash = self._cash - (1.0 - self._fractions.sum()) * equity + sells
        if buys.sum() <= cash:
            return wanted
        cut = buys * (1.0 - max(0.0, cash) / buys.sum())
        more = (wanted - values).clip(min=0)
        whole = more.sum(axis=0)
        result: Floats = wanted - more * np.divide(cut, whole, out=np.zeros_like(cut), where=whole > 0)
        return result

    def _trade(self, decision: int, prices: Floats, day: int, fills: Floats | None) -> float:
        """Carry out a day's decisions at another day's prices; the turnover as a fraction of equity.

        The costs are borne by those who trade, and by the cash.
        """
        values, wanted = self._values(self._shares, prices[day][None], day), self._wanted(decision, prices, day)
        gives, equity = self._gives[:, decision], self._cash + values.sum()
        change, before = (wanted - values).sum(axis=0), self._shares.sum(axis=0)
        traded = np.ix_(gives, ~self._ended(day))
        free = equity - (wanted.sum() - wanted[traded].sum())
        paid = self._cost * np.abs(change).sum()
        wanted[traded] *= 1 - paid / free if free > 0 else 0.0
        self._require_prices(wanted.sum(axis=0)[None], prices[day][None], day)
        at = np.broadcast_to(prices[day], wanted.shape)[traded]
        self._shares[traded] = np.where(wanted[traded] > 0, wanted[traded] / at, 0.0)
        self._cash = free - paid - wanted[traded].sum()
        if fills is not None:
            more = self._shares.sum(axis=0) - before
            self._cash -= np.where(np.isfinite(fills[day]) & (more != 0), more * (fills[day] - prices[day]), 0.0).sum()
        return float(max(change.clip(min=0).sum(), (-change).clip(min=0).sum()) / equity)

    def _ended(self, day: int) -> Bools:
        """Which symbols do not trade any more on that day, (symbols,)."""
        result: Bools = self._ends <= day
        return result

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


def _by_row(actions: Sequence[ShareAction], days: Sequence[date]) -> dict[int, list[ShareAction]]:
    """The actions of the days by row; one of a day without session is due on the next one."""
    found: dict[int, list[ShareAction]] = {}
    for action in actions:
        row = bisect_left(days, action.day)
        if 0 < row < len(days):
            found.setdefault(row, []).append(action)
    return found
