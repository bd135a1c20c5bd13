"""What a strategy would have held after every close: trees for all days at once, other strategies day by day."""

import numpy as np

from alchemiser_common.messages.decision import SignalStatus
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.history import History, held_history
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.strategy import MarketView, Previous, Strategy, TreeStrategy, checked_result


def strategy_history(strategy: Strategy, bars: Bars) -> History:
    """Weights decided at each close, (days, symbols), the strategy's own rebalancing rule honoured.

    A day on which the strategy is unknown keeps what is held; days before its first decision are unknown. Raises
    StrategyFailed as `checked_result` does, for a strategy that is no tree.
    """
    return held_history(strategy.symphony, bars) if isinstance(strategy, TreeStrategy) else day_by_day(strategy, bars)


def day_by_day(strategy: Strategy, bars: Bars) -> History:
    """The same, by evaluating the strategy once for each day with the bars up to that day.

    As live: what it decided on an earlier day are its previous targets, drifted with prices since. A day on which it
    is unknown, or holds without naming weights, is no decision and leaves them as they are.
    """
    column = {symbol: place for place, symbol in enumerate(strategy.symbols)}
    weights = np.zeros((bars.days, len(column)))
    known = np.zeros(bars.days, dtype=np.bool_)
    decided: tuple[dict[str, float], int] | None = None
    for day in range(bars.days):
        seen = bars.until(day + 1)
        previous = None if decided is None else Previous.of(*decided, seen)
        held = {} if previous is None else previous.weights if previous.drifted is None else previous.drifted
        result = checked_result(strategy, MarketView(seen, LastDay(seen), held, previous))
        if result.status is SignalStatus.TARGET or (result.status is SignalStatus.HOLD and result.weights):
            held = dict(result.weights)
            decided = (held, day)
        if decided is not None:
            known[day] = True
            for symbol, weight in held.items():
                weights[day, column[symbol]] = weight
    return History(bars.dates, strategy.symbols, weights, known)
