"""The checks that daily bars must pass before anything is decided on them. Pure.

Each fault names symbol, date, value and rule. Whether a fault ends the run is not decided here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import MissingData
from alchemiser_common.ports.broker import SymbolBars
from alchemiser_data.split_detection import suspected_splits


@dataclass(frozen=True, slots=True)
class CheckedBars:
    """What passed (None if nothing did), and what did not: every symbol asked for is in one of them."""

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
    needs, `accepted_jumps` the moves known to be no unadjusted splits, as SYMBOL:YYYY-MM-DD. If histories begin at
    different sessions, all are cut to the latest beginning.
    """
    by_symbol = {bars.symbol: bars for bars in received}
    sessions = sorted({day for bars in received for day in bars.days})
    faults: list[MissingData] = []
    good: list[SymbolBars] = []
    for symbol in symbols:
        bars = by_symbol.get(symbol)
        fault = (
            MissingData(symbol=symbol, rule="present", detail="the broker sent no bars")
            if bars is None or not bars.days
            else _fault(bars, sessions, last_session, lookback)
        )
        if fault is not None:
            faults.append(fault)
        elif bars is not None:
            good.append(bars)
    splits = suspected_splits(good, accepted_jumps)
    faults += [MissingData(symbol=symbol, rule="no unadjusted split", detail=words) for symbol, words in splits.items()]
    return CheckedBars(_table([bars for bars in good if bars.symbol not in splits]), faults)


def describe_faults(faults: Sequence[MissingData]) -> str:
    """All faults on one line: symbol, what is wrong, and the rule that says so."""
    return "; ".join(f"{fault.symbol}: {fault.detail} (rule: {fault.rule})" for fault in faults)


def _fault(bars: SymbolBars, sessions: Sequence[date], last_session: date, lookback: int) -> MissingData | None:
    """The first rule that one symbol's bars break. A session is a day on which any symbol has a bar."""

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
    return None


# Every history in `good` ends on the same session and has no hole after its own first one, so from the latest first
# session on all have the same days:
#
#     OLD   . . . . . . .
#     MID       . . . . .
#     NEW         . . . .          a listing too young for `lookback` was a fault and does not shorten the others
#                 └─────┘ kept
def _table(good: Sequence[SymbolBars]) -> DailyBars | None:
    """The bars over their common sessions, (days, symbols), symbols sorted; None without any."""
    if not good:
        return None
    first = max(bars.days[0] for bars in good)
    columns: Mapping[str, Sequence[float]] = {
        bars.symbol: [close for day, close in zip(bars.days, bars.closes, strict=True) if day >= first] for bars in good
    }
    days = [day for day in good[0].days if day >= first]
    symbols = sorted(columns)
    return DailyBars.from_closes(days, symbols, np.array([columns[symbol] for symbol in symbols]).T)
