"""What a strategy would have held after every close: trees for all days at once, other strategies day by day."""

from bisect import bisect_left
from datetime import date

import numpy as np

from alchemiser_common.messages.decision import SignalStatus
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.history import History, held_history
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.strategy import MarketView, Previous, Strategy, TreeStrategy, checked_result


def strategy_history(strategy: Strategy, bars: Bars, since: date | None = None) -> History:
    """Weights held after each close, (days, symbols), the strategy's own rebalancing rule honoured.

    It begins with the first targets, not before `since`. A day on which the strategy is unknown keeps what is held;
    days before its first decision are unknown. Raises StrategyFailed as `checked_result` does, for a strategy that is
    no tree.
    """
    if isinstance(strategy, TreeStrategy):
        return held_history(strategy.symphony, bars, since)
    return day_by_day(strategy, bars, since)


def day_by_day(strategy: Strategy, bars: Bars, since: date | None = None) -> History:
    """The same, by evaluating the strategy once for each day with the bars up to that day.

    As live: what it decided on an earlier day are its previous targets, drifted with prices since. A day on which it
    is unknown or holds is no decision and leaves them as they are.
    """
    symbols = tuple(sorted(strategy.universe))
    column = {symbol: place for place, symbol in enumerate(symbols)}
    weights = np.zeros((bars.days, len(column)))
    decided = np.full(bars.days, -1)
    targets: dict[str, float] | None = None
    row = -1
    for day in range(0 if since is None else bisect_left(bars.dates, since), bars.days):
        seen = bars.until(day + 1)
        previous = None if targets is None else Previous.of(targets, bars.dates[row], seen)
        held = {} if previous is None else previous.held
        result = checked_result(strategy, MarketView(seen, LastDay(seen), held, previous))
        if result.status is SignalStatus.TARGET:
            held = targets = dict(result.weights)
            row = day
        decided[day] = row
        for symbol, weight in held.items():
            weights[day, column[symbol]] = weight
    return History(bars.dates, symbols, weights, decided >= 0, decided)


def previous_of(strategy: Strategy, bars: Bars, since: date | None = None) -> Previous | None:
    """What the strategy would hold going into the last day, had it been traded from `since` on; None if nothing."""
    if bars.days < 2:
        return None
    past = strategy_history(strategy, bars.until(bars.days - 1), since)
    row = int(past.decided[-1])
    if row < 0:
        return None
    wanted = {symbol: float(weight) for symbol, weight in zip(past.symbols, past.weights[row], strict=True) if weight}
    return Previous.of(wanted, bars.dates[row], bars)
