"""When holdings go back to target: the rule for one day, and what weights become when only prices move."""

from collections.abc import Mapping
from datetime import date

from alchemiser_strategy.engine.nodes import Frequency, Rebalance


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
    """Weights after prices have moved by the factors in `growth` and nothing was traded; what is left is cash."""
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
