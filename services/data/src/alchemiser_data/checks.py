"""The checks that daily bars must pass before anything is decided on them. Pure.

Each fault names symbol, date, value and rule. Whether a fault ends the run is not decided here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

import numpy as np

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import MissingData
from alchemiser_common.ports.broker import SymbolBars

_SPLIT_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
_SMALLEST_SPLIT_MOVE = math.log(1.8)
_SPLIT_TOLERANCE = 0.03
_NORMAL_MOVES = 3.0
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class CheckedBars:
    """What passed (None if nothing did), and what did not."""

    bars: DailyBars | None
    faults: Sequence[MissingData]


def check_bars(
    received: Sequence[SymbolBars],
    symbols: Sequence[str],
    *,
    last_session: date,
    lookback: int,
    accepted_jumps: frozenset[str],
) -> CheckedBars:
    """Sort what was received into bars over common sessions and faults.

    `last_session` is the session that every symbol must end on, `lookback` the number of bars that every symbol
    needs. If histories begin at different sessions, all are cut to the latest beginning.
    """
    by_symbol = {bars.symbol: bars for bars in received}
    sessions = sorted({day for bars in received for day in bars.days})
    faults: list[MissingData] = []
    good: list[SymbolBars] = []
    for symbol in symbols:
        bars = by_symbol.get(symbol)
        fault = (
            MissingData(symbol=symbol, rule="present", detail="the broker sent no bars")
            if bars is None
            else _fault(bars, sessions, last_session, lookback, accepted_jumps)
        )
        if fault is not None:
            faults.append(fault)
        elif bars is not None:
            good.append(bars)
    return CheckedBars(_table(good), faults)


def describe_faults(faults: Sequence[MissingData]) -> str:
    """All faults on one line."""
    return "; ".join(f"{fault.symbol}: {fault.detail} (rule: {fault.rule})" for fault in faults)


def _fault(
    bars: SymbolBars, sessions: Sequence[date], last_session: date, lookback: int, accepted_jumps: frozenset[str]
) -> MissingData | None:
    def fault(rule: str, detail: str) -> MissingData:
        return MissingData(symbol=bars.symbol, rule=rule, detail=detail)

    for day, close in zip(bars.days, bars.closes, strict=True):
        if not math.isfinite(close) or close <= 0:
            return fault("positive price", f"close of {day} is {close}")
    if list(bars.days) != sorted(set(bars.days)):
        return fault("ascending dates", "dates repeat or are out of order")
    if bars.days[-1] != last_session:
        return fault("same last session", f"last bar is of {bars.days[-1]}, the last session is {last_session}")
    expected = [day for day in sessions if bars.days[0] <= day]
    if len(expected) != len(bars.days):
        missing = sorted(set(expected) - set(bars.days))
        return fault("no missing bar", f"no bar on {missing[0]}, when other symbols have one")
    if len(bars.days) < lookback:
        return fault("enough bars", f"{len(bars.days)} bars since {bars.days[0]}, {lookback} are needed")
    jump = _split_like_jump(bars, accepted_jumps)
    return None if jump is None else fault("no unadjusted split", jump)


def _split_like_jump(bars: SymbolBars, accepted: frozenset[str]) -> str | None:
    """A move near a split's ratio, and far outside of what this symbol usually does."""
    moves = [math.log(later / earlier) for earlier, later in zip(bars.closes, bars.closes[1:], strict=False)]
    if not moves:
        return None
    middle = median(moves)
    usual = _MAD_TO_SIGMA * median(abs(move - middle) for move in moves)
    tolerance = max(_SPLIT_TOLERANCE, _NORMAL_MOVES * usual)
    for index, move in enumerate(moves, start=1):
        if abs(move) < _SMALLEST_SPLIT_MOVE:
            continue
        ratio = min(_SPLIT_RATIOS, key=lambda n: abs(abs(move) - math.log(n)))
        day = bars.days[index]
        if abs(abs(move) - math.log(ratio)) <= tolerance and f"{bars.symbol}:{day}" not in accepted:
            shape = f"{ratio}:1" if move < 0 else f"1:{ratio}"
            return (
                f"close went from {bars.closes[index - 1]:g} to {bars.closes[index]:g} on {day}, like a {shape} split; "
                f"if it is real, add {bars.symbol}:{day} to data.accepted_jumps"
            )
    return None


def _table(good: Sequence[SymbolBars]) -> DailyBars | None:
    if not good:
        return None
    first = max(bars.days[0] for bars in good)
    columns: Mapping[str, Sequence[float]] = {
        bars.symbol: [close for day, close in zip(bars.days, bars.closes, strict=True) if day >= first] for bars in good
    }
    days = [day for day in good[0].days if day >= first]
    symbols = sorted(columns)
    return DailyBars.from_closes(days, symbols, np.array([columns[symbol] for symbol in symbols]).T)
