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
    gains: Floats
    """(strategies, symbols): what each has earned in all, before costs, in fractions of the equity at the beginning."""
    paid: float
    """Costs of all trades, the same fractions. Gains less these are what the equity has grown by."""
    at_close: tuple[int, ...] = ()
    """The days on which orders for the open were filled at the close, for want of an open."""


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
        self._decides = np.stack([one.decided == np.arange(len(one.dates)) for one, _ in histories], axis=1)
        # One that has not decided yet has no shares that others' decisions must leave alone.
        self._gives = self._decides | np.stack([one.decided < 0 for one, _ in histories], axis=1)
        asks = self._fractions[:, None, None] * targets * self._decides.T[:, :, None]
        self._asks = np.ascontiguousarray(asks.transpose(1, 0, 2))
        self._asked, self._all_give = self._asks.sum(axis=(1, 2)).tolist(), self._gives.all(axis=1).tolist()
        self._shares = np.zeros((len(histories), len(symbols)))
        self._cash, self._paid = 1.0, 0.0
        self._put_in = np.zeros_like(self._shares)
        self._actions = _by_row(actions.actions, self._days)
        self._ends = np.array(
            [bisect_left(self._days, actions.ends[one]) if one in actions.ends else len(self._days) for one in symbols]
        )
        self._first_end = int(self._ends.min(initial=len(self._days)))

    # Between two days on which something happens nothing is traded: what is held then is noted, and all days are valued
    # in one step at the end. A day's trade is a dozen steps on (strategies, symbols): a daily strategy has thousands.
    def traded(self, table: Table, *, late: bool, at_open: bool) -> Traded:
        """Every decision carried out: `late` in the next session, otherwise in its own; at its open or its close.

        Where an open is lacking of a symbol that is held or wanted, all of the day's orders are filled at its close.
        """
        count, closes = len(self._days), _Priced(table.closes)
        at = _Priced(table.opens) if at_open else closes
        turnover, weights = np.zeros(count), np.zeros((count, len(self._symbols)))
        decisions = {row + late: row for row in np.flatnonzero(self._decides.any(axis=1)).tolist()}
        held, cash, since, at_close = [self._shares.sum(axis=0)], [self._cash], [0], []
        decided: list[int] = []
        for row in sorted(decisions.keys() | self._actions.keys()):
            decision = decisions.get(row)
            if late and decision is not None:
                if self._all_give[decision] and decision < self._first_end:
                    weights[decision] = self._asks[decision].sum(axis=0) / max(1.0, self._asked[decision])
                else:
                    values = self._values(closes, decision)
                    equity = self._cash + float(values.sum())
                    if equity > 0:
                        weights[decision] = self._wanted(decision, values, equity, decision).sum(axis=0) / equity
                decided.append(decision)
            for action in self._actions.get(row, ()):
                self._act(action)
            if decision is not None and row < count:
                prices = at
                if at is not closes and self._lacks(at, decision, row):
                    prices = closes
                    at_close.append(row)
                turnover[row] = self._trade(decision, prices, row, table.fills)
            held.append(self._shares.sum(axis=0))
            cash.append(self._cash)
            since.append(row)
        lasts = np.diff([*since, count]).clip(min=0)
        shares = np.repeat(np.array(held), lasts, axis=0)
        self._require_prices(shares, closes.known, 0)
        values = shares * closes.price
        equities = np.repeat(np.array(cash), lasts) + values.sum(axis=1)
        others = np.ones(count, dtype=np.bool_)
        others[decided] = False
        with np.errstate(invalid="ignore", divide="ignore"):
            weights[others] = values[others] / equities[others, None]
        gains = self._shares * closes.price[-1] - self._put_in
        return Traded(equities, weights, turnover, gains, self._paid, tuple(at_close))

    def _act(self, action: ShareAction) -> None:
        column = self._symbols.index(action.symbol) if action.symbol in self._symbols else None
        if column is None:
            return
        old = self._shares[:, column].copy()
        self._shares[:, column] = 0.0
        for symbol, each in action.shares.items():
            self._shares[:, self._symbols.index(symbol)] += old * each
        self._put_in[:, column] -= old * action.cash
        self._cash += float(old.sum()) * action.cash

    def _wanted(self, decision: int, values: Floats, equity: float, day: int) -> Floats:
        """USD that each strategy wants of each symbol by a day's decision, where on `day` it has `values` of them."""
        asks, left = self._asks[decision] * equity, equity
        if not self._all_give[decision]:
            kept = np.where(self._gives[decision][:, None], 0.0, values)
            left -= float(kept.sum())
        asked = self._asked[decision] * equity
        if asked > left:
            asks *= max(0.0, left) / asked
        wanted: Floats = asks if self._all_give[decision] else asks + kept
        if day >= self._first_end:
            ended = self._ends <= day
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

    def _trade(self, decision: int, prices: "_Priced", day: int, fills: Floats | None) -> float:
        """Carry out a day's decisions at another day's prices; the turnover as a fraction of equity.

        The costs are borne by those who trade, and by the cash.
        """
        values = self._values(prices, day)
        equity = self._cash + float(values.sum())
        wanted = self._wanted(decision, values, equity, day)
        change = (wanted - values).sum(axis=0)
        exchanged, net = float(np.abs(change).sum()), float(change.sum())
        before = None if fills is None else self._shares.sum(axis=0)
        paid, free, trades = self._cost * exchanged, equity, None
        if not (self._all_give[decision] and day < self._first_end):
            trades = self._gives[decision][:, None] & (self._ends > day)
            free -= float(np.where(trades, 0.0, wanted).sum())
        scale = max(0.0, 1 - paid / free) if free > 0 else 0.0
        bought = wanted * scale if trades is None else np.where(trades, wanted * scale, 0.0)
        self._require_price(bought, prices, day)
        shares = bought * prices.inverse[day]
        self._shares = shares if trades is None else np.where(trades, shares, self._shares)
        self._cash = free - paid - float(bought.sum())
        self._paid += paid
        self._put_in += bought - values if trades is None else np.where(trades, bought - values, 0.0)
        if fills is not None and before is not None:
            more = self._shares.sum(axis=0) - before
            worse = np.where(np.isfinite(fills[day]) & (more != 0), more * (fills[day] - prices.price[day]), 0.0)
            self._cash -= float(worse.sum())
            self._paid += float(worse.sum())
        return (exchanged + abs(net)) / 2 / equity if equity > 0 else 0.0

    def _lacks(self, prices: "_Priced", decision: int, day: int) -> bool:
        """Whether a price is lacking of a symbol that is held or wanted and trades."""
        lacking = prices.lacking[day]
        if not len(lacking):
            return False
        lacking = lacking[self._ends[lacking] > day]
        return bool(self._shares[:, lacking].any() or self._asks[decision][:, lacking].any())

    def _values(self, prices: "_Priced", day: int) -> Floats:
        """USD of what is held, (strategies, symbols)."""
        self._require_price(self._shares, prices, day)
        values: Floats = self._shares * prices.price[day]
        return values

    def _require_price(self, held: Floats, prices: "_Priced", day: int) -> None:
        """As `_require_prices`, of one day; `held` is (strategies, symbols)."""
        if len(prices.lacking[day]) and held[:, prices.lacking[day]].any():
            self._require_prices(held.sum(axis=0)[None], prices.known[day][None], day)

    def _require_prices(self, held: Floats, known: Bools, first: int) -> None:
        """Raises StrategyError for a holding without a price, (days, symbols) from day `first` on."""
        lacking = (held > 0) & ~known
        if lacking.any():
            day, column = (int(index) for index in np.argwhere(lacking)[0])
            raise StrategyError(f"{self._symbols[column]} is held on {self._days[first + day]} but has no price then")


class _Priced:
    """Prices in USD, (days, symbols), and their inverses, 0 where there is none, and each day's columns without."""

    def __init__(self, prices: Floats) -> None:
        self.known: Bools = np.isfinite(prices) & (prices > 0)
        self.price: Floats = np.where(self.known, prices, 0.0)
        self.inverse: Floats = np.divide(1.0, prices, out=np.zeros(prices.shape), where=self.known)
        self.lacking = [np.flatnonzero(row) for row in ~self.known]


def _by_row(actions: Sequence[ShareAction], days: Sequence[date]) -> dict[int, list[ShareAction]]:
    """The actions of the days by row; one of a day without session is due on the next one."""
    found: dict[int, list[ShareAction]] = {}
    for action in actions:
        row = bisect_left(days, action.day)
        if 0 < row < len(days):
            found.setdefault(row, []).append(action)
    return found
