"""From target weights to held weights: back to target when the rebalancing rule says so, drifting in between."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np

from alchemiser_strategy.bars import Bools, Floats
from alchemiser_strategy.engine.nodes import Rebalance
from alchemiser_strategy.engine.rebalance import period

_STRETCH = 32
"""Days of drift that are looked at together; doubled while nothing happens."""


def held(targets: Floats, known: Bools, closes: Floats, dates: Sequence[date], rule: Rebalance) -> tuple[Floats, Bools]:
    """Weights held after each close and whether there are any. All matrices are (days, symbols), closes without gaps.

    The rule is the one that `TreeStrategy` follows live: a later calendar period, or by threshold another set of
    symbols or a weight that strayed. A day without a target changes nothing.
    """
    has = np.zeros_like(known)
    start = int(known.argmax()) if known.any() else len(known)
    has[start:] = True
    if rule.always:
        return _each_day(targets, known, closes, start), has
    weights = np.zeros_like(targets)
    periods = [period(day, rule.frequency) for day in dates]
    later = np.array([0, *np.cumsum([new != old for old, new in pairwise(periods)])])
    while start < len(known):
        weights[start] = targets[start]
        stretch, first = _STRETCH, start + 1
        while first < len(known):
            last = min(first + stretch, len(known))
            drift = _drift(targets[start], closes[start], closes[first:last])
            goes = known[first:last] & _leaves(rule, targets[first:last], drift, later[first:last] > later[start])
            stop = int(goes.argmax()) if goes.any() else last - first
            weights[first : first + stop] = drift[:stop]
            first += stop
            if first < last:
                break
            stretch *= 2
        start = first
    return weights, has


def _each_day(targets: Floats, known: Bools, closes: Floats, start: int) -> Floats:
    """Targets where there are any, and drift from the last one in between."""
    weights = np.where(known[:, None], targets, 0.0)
    edges = np.flatnonzero(np.diff(known[start:].astype(np.int8), append=1)) + start
    for last, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        weights[last + 1 : end + 1] = _drift(targets[last], closes[last], closes[last + 1 : end + 1])
    return weights


def _drift(weights: Floats, then: Floats, closes: Floats) -> Floats:
    """(days, symbols) weights when only prices move."""
    held = weights > 0
    values = np.zeros_like(closes)
    values[:, held] = weights[held] * (closes[:, held] / then[held])
    cash = max(0.0, 1.0 - float(weights.sum()))
    return values / (values.sum(axis=1) + cash)[:, None]


def _leaves(rule: Rebalance, targets: Floats, drift: Floats, later: Bools) -> Bools:
    if rule.threshold is None:
        return later
    other = ((targets > 0) != (drift > 0)).any(axis=1)
    strayed = (np.abs(targets - drift) > rule.threshold).any(axis=1)
    result: Bools = other | strayed
    return result
