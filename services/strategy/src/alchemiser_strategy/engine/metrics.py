"""The language's metrics: names, windows, defaults and how many bars each needs. No arithmetic happens here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from alchemiser_strategy.errors import StrategyError

MAX_WINDOW = 10_000
"""Sessions. Forty years: longer than any price history that a strategy can be given."""


class Metric(StrEnum):
    """What can be read from one price or portfolio series."""

    CURRENT_PRICE = "current-price"
    MOVING_AVERAGE_PRICE = "moving-average-price"
    EXPONENTIAL_MOVING_AVERAGE_PRICE = "exponential-moving-average-price"
    MOVING_AVERAGE_RETURN = "moving-average-return"
    CUMULATIVE_RETURN = "cumulative-return"
    RSI = "rsi"
    STDEV_RETURN = "stdev-return"
    STDEV_PRICE = "stdev-price"
    MAX_DRAWDOWN = "max-drawdown"
    PPO = "percentage-price-oscillator"
    PPO_SIGNAL = "percentage-price-oscillator-signal"
    RSI_VOLATILITY = "rsi-volatility"
    """An extension: 0.20 + 0.30 * |50 - rsi(N)| / 100, the volatility stand-in of the nuclear strategy's bear blend."""


_DEFAULTS: Mapping[Metric, Mapping[str, int]] = {
    Metric.CURRENT_PRICE: {},
    Metric.MOVING_AVERAGE_PRICE: {"window": 200},
    Metric.EXPONENTIAL_MOVING_AVERAGE_PRICE: {"window": 12},
    Metric.MOVING_AVERAGE_RETURN: {"window": 21},
    Metric.CUMULATIVE_RETURN: {"window": 60},
    Metric.RSI: {"window": 14},
    Metric.STDEV_RETURN: {"window": 6},
    Metric.STDEV_PRICE: {"window": 6},
    Metric.MAX_DRAWDOWN: {"window": 60},
    Metric.PPO: {"short-window": 12, "long-window": 26},
    Metric.PPO_SIGNAL: {"short-window": 12, "long-window": 26, "smooth-window": 9},
    Metric.RSI_VOLATILITY: {"window": 14},
}
_ONE_MORE_BAR = frozenset(
    {Metric.MOVING_AVERAGE_RETURN, Metric.CUMULATIVE_RETURN, Metric.RSI, Metric.STDEV_RETURN, Metric.RSI_VOLATILITY}
)
_AT_LEAST_TWO = frozenset({Metric.STDEV_RETURN, Metric.STDEV_PRICE})


RECURSIVE = frozenset(
    {Metric.RSI, Metric.EXPONENTIAL_MOVING_AVERAGE_PRICE, Metric.PPO, Metric.PPO_SIGNAL, Metric.RSI_VOLATILITY}
)
"""Metrics whose value depends, ever less, on every bar since the first."""

STRENGTH = frozenset({Metric.RSI, Metric.RSI_VOLATILITY})
"""Metrics that are made of Wilder's averages."""

SETTLED_BARS = 252
"""Bars to load for a recursive metric, though it has a value earlier: one year."""


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A metric with its windows in sessions, in the order of the metric's options. Equal measures are one object."""

    metric: Metric
    windows: tuple[int, ...]

    @property
    def bars_needed(self) -> int:
        """How many bars in a row, today's included, the metric needs to have a value."""
        if self.metric is Metric.PPO_SIGNAL:
            return max(self.windows[:2]) + self.windows[2] - 1
        return max(self.windows, default=1) + (self.metric in _ONE_MORE_BAR)

    @property
    def bars_wanted(self) -> int:
        """How many bars to load for it."""
        return max(self.bars_needed, SETTLED_BARS) if self.metric in RECURSIVE else self.bars_needed

    def __str__(self) -> str:
        return f"{self.metric.value}({', '.join(map(str, self.windows))})" if self.windows else self.metric.value


_measure = cache(Measure)

type Windows = int | str | Mapping[str, int | str] | None
"""A window in sessions, or the windows by option name (``short-window`` …); None takes the metric's defaults."""


def measure(name: str, windows: Windows = None) -> Measure:
    """A metric by its name in the language, with checked windows.

    Raises StrategyError: an unknown metric or option, or a window that is no whole number from 1 to MAX_WINDOW.
    """
    try:
        metric = Metric(name)
    except ValueError:
        known = ", ".join(sorted(Metric))
        raise StrategyError(f"unknown metric {name!r}; known metrics: {known}") from None
    options = dict(windows) if isinstance(windows, Mapping) else {} if windows is None else {"window": windows}
    if metric is Metric.CURRENT_PRICE:
        options.pop("window", None)
    expected = _DEFAULTS[metric]
    unknown = sorted(set(options) - set(expected))
    if unknown:
        allowed = ", ".join(expected) or "none"
        raise StrategyError(f"{name} has no option {unknown[0]!r}; its options: {allowed}")
    result = _measure(metric, tuple(whole(f"{name} {key}", options.get(key, usual)) for key, usual in expected.items()))
    if metric in _AT_LEAST_TWO and result.windows[0] < 2:
        raise StrategyError(f"{name} window is 1; a sample standard deviation needs at least 2")
    return result


def whole(what: str, value: int | str, limit: int = MAX_WINDOW) -> int:
    """A count from 1 to `limit`, also when it arrives as text. Raises StrategyError otherwise."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if isinstance(value, bool) or number != (float(value) if number else 0) or not 1 <= number <= limit:
        raise StrategyError(f"{what} is {value!r}; it must be a whole number from 1 to {limit}")
    return number
