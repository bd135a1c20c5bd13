"""Ranking and weighing on every day at once. Rows are candidates in tie order, columns are days; NaN is unknown."""

import numpy as np

from alchemiser_strategy.bars import Bools, Floats
from alchemiser_strategy.engine.nodes import Select


def best_each_day(values: Floats, select: Select, k: int) -> Bools:
    """Which candidates are among the `k` best known ones, ties to the earlier row.

    `values` and the result are (candidates, days); a day with fewer than `k` known ones takes all of them.
    """
    known = ~np.isnan(values)
    count, days = values.shape
    if k >= count:
        return known
    score = np.where(known, values if select is Select.TOP else -values, -np.inf)
    if k == 1:
        chosen = np.zeros(values.shape, dtype=np.bool_)
        chosen[score.argmax(axis=0), np.arange(days)] = True
        return chosen & known
    # `bar` is the k-th best score of a day. Whoever is above it is in; those level with it fill the rest in row order.
    bar = np.partition(score, count - k, axis=0)[count - k]
    above = score > bar
    level = (score == bar) & known
    room = k - above.sum(axis=0)
    if (level.sum(axis=0) > room).any():
        level &= level.cumsum(axis=0) <= room
    best: Bools = above | level
    return best


def inverse_each_day(risks: Floats) -> Floats:
    """Shares proportional to 1 / risk, (children, days), each day's sum 1; a risk of zero outweighs every other.

    The smallest risk over each risk, so that nothing is divided by zero. Rows are added one by one, as one day's
    `inverse_shares` adds its parts: the same bits.
    """
    least = risks.min(axis=0)
    raw = np.ones_like(risks)
    np.divide(least, risks, out=raw, where=risks != least)
    total = np.zeros(risks.shape[1])
    for row in raw:
        total += row
    return raw / total
