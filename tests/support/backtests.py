"""Made-up markets and strategies for backtests."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from alchemiser_strategy.backtest import Part, Prices
from alchemiser_strategy.bars import Floats
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.engine.nodes import Frequency, Rebalance
from alchemiser_strategy.engine.rebalance import held

SYMBOLS = ("A", "B", "C")


def market(seed: int, days: int) -> tuple[tuple[date, ...], Prices, Floats]:
    """Days, prices and weights that leave some cash and sometimes everything."""
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (days, 3)), axis=0))
    opens = np.vstack([closes[:1], closes[:-1]]) * np.exp(rng.normal(0, 0.01, (days, 3)))
    weights = rng.dirichlet([0.5, 0.5, 0.5, 0.5], days)[:, :3]
    weights[rng.random(days) < 0.1] = 0.0
    dates = tuple(date(2020, 1, 1) + timedelta(days=offset) for offset in range(days))
    return dates, Prices(SYMBOLS, opens, closes), weights


def daily(dates: Sequence[date], weights: Floats) -> list[Part]:
    """A strategy that gives targets every day, with all of the equity."""
    known = np.ones(len(dates), dtype=np.bool_)
    return [(History(dates, SYMBOLS, weights, known, np.arange(len(dates))), 1.0)]


def rules_on(seed: int, days: int) -> tuple[list[Part], Prices]:
    """Three strategies with half, a third and a sixth: yearly-like, by threshold and daily, on one market."""
    rng = np.random.default_rng(seed)
    dates, prices, _ = market(seed, days)
    parts: list[Part] = []
    for fraction, rule in (
        (1 / 2, Rebalance(Frequency.MONTHLY)),
        (1 / 3, Rebalance(threshold=0.1)),
        (1 / 6, Rebalance()),
    ):
        targets = rng.dirichlet([1.0, 1.0, 1.0], days)
        targets[:] = targets[0] if rule.threshold is not None else targets
        weights, decided = held(targets, np.ones(days, dtype=np.bool_), prices.closes, dates, rule)
        parts.append((History(dates, SYMBOLS, weights, decided >= 0, decided), fraction))
    return parts, prices
