"""When holdings go back to target, and what weights become in between, when only prices move: for one day and for all.

`held` follows over a whole history the rule that `TreeStrategy` follows live with `due` and `strayed`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import numpy as np

from alchemiser_strategy.bars import Bools, Floats
from alchemiser_strategy.engine.nodes import Frequency, Rebalance

type Days = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
"""Row numbers of days."""

_STRETCH = 32
"""Days of drift that are looked at together; doubled while nothing happens."""


def period(day: date, frequency: Frequency) -> tuple[int, ...]:
    """What two days of one rebalancing period share. Weeks are ISO weeks, Monday to Sunday."""
    match frequency:
        case Frequency.DAILY:
            return (day.toordinal(),)
        case Frequency.WEEKLY:
            return tuple(day.isocalendar())[:2]
        case Frequency.MONTHLY:
            return (day.year, day.month)
        case Frequency.QUARTERLY:
            return (day.year, (day.month - 1) // 3)
        case Frequency.YEARLY:
            return (day.year,)


def drifted(weights: Mapping[str, float], growth: Mapping[str, float]) -> dict[str, float]:
    """Weights after prices have moved by the factors in `growth` and nothing was traded; what is left is cash.

    Fractions of capital by symbol; a factor of 1 is an unchanged price. Cash earns nothing.
    """
    values = {symbol: weight * growth[symbol] for symbol, weight in weights.items()}
    cash = max(0.0, 1.0 - sum(weights.values()))
    total = cash + sum(values.values())
    return {symbol: value / total for symbol, value in values.items()}


def strayed(target: Mapping[str, float], held: Mapping[str, float], threshold: float) -> bool:
    """Whether holdings must go back to target: another set of symbols, or a weight off by more than `threshold`.

    A change of branch shows in the symbols; where two branches share theirs, the threshold decides between them too.
    """
    return target.keys() != held.keys() or any(
        abs(held[symbol] - weight) > threshold for symbol, weight in target.items()
    )


def due(rule: Rebalance, today: date, decided: date) -> bool:
    """By the calendar: whether `today` is in a later period than the session the holdings were decided on."""
    return period(today, rule.frequency) != period(decided, rule.frequency)


# What `held` makes of the targets T1, T2 … under a rule whose next period begins on day 4 (d: weights drift):
#
#     day      0   1   2   3   4   5   6
#     target   -   T1  T2  -   -   T5  T6
#     held     -   T1  d   d   d   T5  d           nothing before the first target
#     due                      x   x               unknown on its day: the next day is due as well
#
# From each rebalancing on, the drift of many days is one vector step, as it depends on that day's weights and closes
# only. How many days the next stretch has is not known beforehand: it is looked for in blocks of 32, 64, 128 … days,
# so that neither a daily nor a yearly rule computes much more than it keeps.
def held(targets: Floats, known: Bools, closes: Floats, dates: Sequence[date], rule: Rebalance) -> tuple[Floats, Days]:
    """Weights held after each close, (days, symbols), and the day on which they last went to target, (days,).

    That day is a row number, -1 before the first target: what is held on day t was set at the close of that row.

    `targets` are fractions of capital and `closes` USD without gaps, both (days, symbols); `known` says on which days
    there is a target, (days,). The rule is the one that `TreeStrategy` follows live: a later calendar period, or by
    threshold another set of symbols or a weight that strayed. A day without a target changes nothing.
    """
    start = int(known.argmax()) if known.any() else len(known)
    if rule.always:
        last_known = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
        return _each_day(targets, known, closes, start), last_known
    weights = np.zeros_like(targets)
    decided = np.full(len(known), -1)
    periods = [period(day, rule.frequency) for day in dates]
    later = np.array([0, *np.cumsum([new != old for old, new in pairwise(periods)])])
    while start < len(known):
        weights[start], decided[start] = targets[start], start
        stretch, first = _STRETCH, start + 1
        while first < len(known):
            last = min(first + stretch, len(known))
            drift = _drift(targets[start], closes[start], closes[first:last])
            goes = known[first:last] & _goes_back(rule, targets[first:last], drift, later[first:last] > later[start])
            stop = int(goes.argmax()) if goes.any() else last - first
            weights[first : first + stop] = drift[:stop]
            decided[start : first + stop] = start
            first += stop
            if first < last:
                break
            stretch *= 2
        start = first
    return weights, decided


def _each_day(targets: Floats, known: Bools, closes: Floats, start: int) -> Floats:
    """Targets where there are any, and drift from the last one in between. (days, symbols).

    `edges` are the last days of alternating stretches: known, unknown, known …, beginning with the first known day.
    """
    weights = np.where(known[:, None], targets, 0.0)
    edges = np.flatnonzero(np.diff(known[start:].astype(np.int8), append=1)) + start
    for last, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        weights[last + 1 : end + 1] = _drift(targets[last], closes[last], closes[last + 1 : end + 1])
    return weights


def _drift(weights: Floats, then: Floats, closes: Floats) -> Floats:
    """Weights when only prices move, (days, symbols); `weights` were set at the closes `then`, both (symbols,)."""
    held = weights > 0
    values = np.zeros_like(closes)
    values[:, held] = weights[held] * (closes[:, held] / then[held])
    cash = max(0.0, 1.0 - float(weights.sum()))
    return values / (values.sum(axis=1) + cash)[:, None]


def _goes_back(rule: Rebalance, targets: Floats, drift: Floats, later: Bools) -> Bools:
    """On which days holdings go back to target, (days,); `later` are the days of a later calendar period."""
    if rule.threshold is None:
        return later
    other = ((targets > 0) != (drift > 0)).any(axis=1)
    strayed = (np.abs(targets - drift) > rule.threshold).any(axis=1)
    result: Bools = other | strayed
    return result
