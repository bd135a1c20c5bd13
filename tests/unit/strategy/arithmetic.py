"""The indicators a second time: one value from a list of closes, in the plainest arithmetic there is."""

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise


def value(metric: str, closes: Sequence[float], *windows: int) -> float:  # noqa: C901 - a table
    """A metric of the last close; NaN with too few closes."""
    n = max(windows, default=1)
    more = metric in {
        "rsi",
        "rsi-zero-seed",
        "rsi-volatility",
        "cumulative-return",
        "moving-average-return",
        "stdev-return",
    }
    if len(closes) < n + more:
        return math.nan
    returns = [new / old - 1 for old, new in zip(closes[-n - 1 :], closes[-n:], strict=False)] if more else []
    match metric:
        case "current-price":
            return closes[-1]
        case "moving-average-price":
            return math.fsum(closes[-n:]) / n
        case "exponential-moving-average-price":
            return ema(closes, n)[-1]
        case "moving-average-return":
            return 100 * math.fsum(returns) / n
        case "cumulative-return":
            return 100 * (closes[-1] / closes[-n - 1] - 1)
        case "rsi":
            return rsi(closes, n)
        case "rsi-zero-seed":
            return rsi_from_zero(closes, n)
        case "rsi-volatility":
            return 0.20 + 0.30 * abs(50 - rsi_from_zero(closes, n)) / 100
        case "stdev-return":
            return 100 * statistics.stdev(returns)
        case "stdev-price":
            return statistics.stdev(closes[-n:])
        case "max-drawdown":
            last = closes[-n:]
            return 100 * max(1 - low / high for i, high in enumerate(last) for low in last[i:])
        case "percentage-price-oscillator":
            return oscillator(closes, *windows)[-1]
        case "percentage-price-oscillator-signal":
            if len(closes) < max(windows[:2]) + windows[2] - 1:
                return math.nan
            return ema(oscillator(closes, *windows[:2]), windows[2])[-1]
    raise AssertionError(metric)


def rsi(closes: Sequence[float], n: int) -> float:
    changes = [new - old for old, new in pairwise(closes)]
    gain = sum(max(change, 0.0) for change in changes[:n]) / n
    loss = sum(max(-change, 0.0) for change in changes[:n]) / n
    for change in changes[n:]:
        gain = ((n - 1) * gain + max(change, 0.0)) / n
        loss = ((n - 1) * loss + max(-change, 0.0)) / n
    return 50.0 if gain == loss == 0 else 100.0 * gain / (gain + loss)


def rsi_from_zero(closes: Sequence[float], n: int) -> float:
    gain = loss = 0.0
    for old, new in pairwise(closes):
        gain = (1 - 1 / n) * gain + max(new - old, 0.0) / n
        loss = (1 - 1 / n) * loss + max(old - new, 0.0) / n
    return 50.0 if gain == loss == 0 else 100.0 * gain / (gain + loss)


def ema(values: Sequence[float], n: int) -> list[float]:
    out = [values[0]]
    for value_ in values[1:]:
        out.append(out[-1] + 2 / (n + 1) * (value_ - out[-1]))
    return out


def oscillator(closes: Sequence[float], short: int, long: int) -> list[float]:
    return [100 * (fast - slow) / slow for fast, slow in zip(ema(closes, short), ema(closes, long), strict=True)]
