"""The language's metrics, one row each: what it is called, its windows, how many bars it needs and its formula.

A new metric is a row of METRICS, its formula in `formulas` and its test. The parsers, the printer, the explanations,
the bars to load and both interpreters read the row.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from alchemiser_strategy.engine import formulas, recursive
from alchemiser_strategy.engine.formulas import Batched, Formula
from alchemiser_strategy.errors import StrategyError

MAX_WINDOW = 10_000
"""Sessions. Forty years: longer than any price history that a strategy can be given."""
SEED_WEIGHT = 1e-6
"""A recursive metric is settled once what it was begun with weighs less than this, as a fraction."""


@dataclass(frozen=True, slots=True)
class Option:
    """A window of a metric: its name in the language, its default in sessions, and the least it may be."""

    name: str
    default: int
    least: int = 1
    because: str = ""
    """Why it may not be less, for the person who wrote less."""


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One row: all that is known of a metric. Metrics are compared by identity; METRICS holds one for each name."""

    name: str
    """In symphony text, in explanations, and in Composer's JSON unless that has a name of its own."""
    options: tuple[Option, ...]
    warm_up: Callable[[Sequence[int]], int]
    """From its windows to the bars in a row, the day's own included, without which it has no value."""
    formula: Formula | Batched
    """Its value on every day; plain, or in one batch with what shares its recursion."""
    settled: Callable[[Sequence[int]], int] | None = None
    """From its windows to the bars from which on the first ones no longer matter; None if a value rests on its windows
    alone and never on earlier bars."""
    composer_name: str = ""
    """What Composer's JSON calls it, where that is not `name`."""
    in_prices: bool = False
    """Whether it is in the unit of what it measures: of a portfolio's series, whose level is 1 where history begins."""
    risk: bool = False
    """Whether it is a measure of risk, never negative, that portfolios can be weighted inversely to."""


def _longest(windows: Sequence[int]) -> int:
    return max(windows, default=1)


def _longest_and_one(windows: Sequence[int]) -> int:
    """For what is made of changes from bar to bar."""
    return max(windows) + 1


def _smoothed(windows: Sequence[int]) -> int:
    """The first value of an average over the last window of what needs the longest of the others."""
    *inner, last = windows
    return max(inner) + last - 1


def _settled_average(window: int) -> int:
    """Bars until the seed of an exponential average, its first bar, weighs little: about 7 N."""
    return max(window, 1 + _decay(1.0 - 2.0 / (window + 1)))


def _exponential_settled(windows: Sequence[int]) -> int:
    return _settled_average(windows[0])


def _strength_settled(windows: Sequence[int]) -> int:
    """The seed is the mean of the first N changes: N + 1 bars, and then about 14 N until it weighs little."""
    (window,) = windows
    return window + 1 + _decay(1.0 - 1.0 / window)


def _oscillator_settled(windows: Sequence[int]) -> int:
    return max(map(_settled_average, windows))


def _signal_settled(windows: Sequence[int]) -> int:
    """The average of an oscillator that is itself settled."""
    *inner, last = windows
    return _oscillator_settled(inner) + _settled_average(last) - 1


def _decay(memory: float) -> int:
    """Days until `memory` to that power is below SEED_WEIGHT."""
    return math.ceil(math.log(SEED_WEIGHT) / math.log(memory)) if memory > 0 else 0


def _window(default: int) -> tuple[Option, ...]:
    return (Option("window", default),)


_SPREAD = (Option("window", 6, least=2, because="a sample standard deviation needs at least 2"),)
_OSCILLATOR = (Option("short-window", 12), Option("long-window", 26))

_ROWS = (
    Metric("current-price", (), _longest, formulas.price, in_prices=True),
    Metric("moving-average-price", _window(200), _longest, formulas.mean_price, in_prices=True),
    Metric(
        "exponential-moving-average-price", _window(12), _longest, Batched(recursive.EXPONENTIAL),
        settled=_exponential_settled, in_prices=True,
    ),
    Metric("moving-average-return", _window(21), _longest_and_one, formulas.mean_return),
    Metric("cumulative-return", _window(60), _longest_and_one, formulas.cumulative_return),
    Metric(
        "rsi", _window(14), _longest_and_one, Batched(recursive.STRENGTH),
        settled=_strength_settled, composer_name="relative-strength-index",
    ),
    Metric(
        "stdev-return", _SPREAD, _longest_and_one, formulas.return_deviation,
        composer_name="standard-deviation-return", risk=True,
    ),
    Metric(
        "stdev-price", _SPREAD, _longest, formulas.price_deviation,
        composer_name="standard-deviation-price", in_prices=True, risk=True,
    ),
    Metric("max-drawdown", _window(60), _longest, formulas.max_drawdown, risk=True),
    Metric(
        "percentage-price-oscillator", _OSCILLATOR, _longest, formulas.oscillator, settled=_oscillator_settled
    ),
    Metric(
        "percentage-price-oscillator-signal", (*_OSCILLATOR, Option("smooth-window", 9)), _smoothed,
        formulas.oscillator_signal, settled=_signal_settled,
    ),
    # Extensions of the language, for the built-in strategies: they must decide as the system that they replace did,
    # whose averages began at zero, and the nuclear strategy's bear blend.
    Metric(
        "rsi-zero-seed", _window(14), _longest_and_one, Batched(recursive.STRENGTH_FROM_ZERO),
        settled=_strength_settled,
    ),
    Metric(
        "rsi-volatility", _window(14), _longest_and_one,
        Batched(recursive.STRENGTH_FROM_ZERO, formulas.strength_as_volatility), settled=_strength_settled, risk=True,
    ),
)  # fmt: skip

UNPUBLISHED: Mapping[str, str] = {
    name: f"{name} is a metric of Composer's, and how it is computed is not published: it is not read on a guess"
    for name in (
        "moving-average-convergence-divergence",
        "moving-average-convergence-divergence-signal",
        "lower-bollinger",
        "upper-bollinger",
    )
}
"""Metrics of Composer whose names are published, and whose windows, units and divisors are not; and what to say."""

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ROWS}
"""Every metric by its name in the language."""
VOLATILITY = METRICS["stdev-return"]
"""What ``weight-inverse-volatility`` weighs by."""


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A metric with its windows in sessions, in the order of the metric's options. Equal measures are one object."""

    metric: Metric
    windows: tuple[int, ...]
    bars_needed: int = field(init=False)
    """How many bars in a row, today's included, it needs to have a value."""
    bars_wanted: int = field(init=False)
    """How many bars to load for it: with fewer it is known, but not settled."""

    def __post_init__(self) -> None:
        needed = self.metric.warm_up(self.windows)
        object.__setattr__(self, "bars_needed", needed)
        settled = self.metric.settled
        object.__setattr__(self, "bars_wanted", needed if settled is None else max(needed, settled(self.windows)))

    def __str__(self) -> str:
        return f"{self.metric.name}({', '.join(map(str, self.windows))})" if self.windows else self.metric.name


_measure = cache(Measure)

type Windows = int | str | Mapping[str, int | str] | None
"""A window in sessions, or the windows by option name (``short-window`` …); None takes the metric's defaults."""


def measure(name: str, windows: Windows = None) -> Measure:
    """A metric by its name in the language, with checked windows.

    Raises StrategyError: an unknown metric or option, a window that is no whole number from 1 to MAX_WINDOW, or one
    below the least that the metric can do with.
    """
    metric = METRICS.get(name)
    if metric is None:
        if name in UNPUBLISHED:
            raise StrategyError(UNPUBLISHED[name])
        known = ", ".join(sorted(METRICS))
        raise StrategyError(f"unknown metric {name!r}; known metrics: {known}")
    given = dict(windows) if isinstance(windows, Mapping) else {} if windows is None else {"window": windows}
    if not metric.options:
        given.pop("window", None)  # files give the current price a window, which says nothing
    names = [option.name for option in metric.options]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise StrategyError(f"{name} has no option {unknown[0]!r}; its options: {', '.join(names) or 'none'}")
    chosen = tuple(whole(f"{name} {option.name}", given.get(option.name, option.default)) for option in metric.options)
    for option, window in zip(metric.options, chosen, strict=True):
        if window < option.least:
            raise StrategyError(f"{name} {option.name} is {window}; {option.because}")
    return _measure(metric, chosen)


def whole(what: str, value: int | str, limit: int = MAX_WINDOW) -> int:
    """A count from 1 to `limit`, also when it arrives as text. Raises StrategyError otherwise."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if isinstance(value, bool) or number != (float(value) if number else 0) or not 1 <= number <= limit:
        raise StrategyError(f"{what} is {value!r}; it must be a whole number from 1 to {limit}")
    return number
