"""The checks that daily bars must pass before anything is decided on them. Pure.

Each fault names symbol, date, value and rule. Youth is none: bars begin where a symbol begins, and each indicator
counts for itself what it has. Whether a fault ends the run is not decided here.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import CarriedBars, MissingData
from alchemiser_common.ports.broker import SymbolBars


@dataclass(frozen=True, slots=True)
class CheckedBars:
    """What passed, as one table over the sessions and as the bars that went into it; what did not; what was carried.

    Every symbol asked for is in the table or among the faults; one with a gap is in both. `table` is None if nothing
    passed.
    """

    table: DailyBars | None
    good: Sequence[SymbolBars]
    faults: Sequence[MissingData]
    carried: Sequence[CarriedBars]

    def without(self, faults: Sequence[MissingData]) -> "CheckedBars":
        """The same with symbols left out for faults that were found later."""
        left_out = {fault.symbol for fault in faults}
        good = [bars for bars in self.good if bars.symbol not in left_out]
        carried = [item for item in self.carried if item.symbol not in left_out]
        return CheckedBars(_table(good), good, [*self.faults, *faults], carried)


def check_bars(
    received: Sequence[SymbolBars], needed: Mapping[str, int], calendar: Sequence[date], *, carry: int
) -> CheckedBars:
    """Sort what was received into bars and faults.

    `needed` are the bars of each symbol that are used, up to the last session: older ones are not looked at.
    `calendar` are the exchange's sessions, ascending, and the last of them is the one that every symbol must end on.
    A gap of up to `carry` sessions takes the close before it, a longer one stays.
    """
    sessions = _sessions(received, calendar)
    by_symbol = {bars.symbol: bars for bars in received}
    faults: list[MissingData] = []
    good: list[SymbolBars] = []
    carried: list[CarriedBars] = []
    for symbol in sorted(needed):
        used = sessions[-needed[symbol] :]
        bars = _used(by_symbol.get(symbol, SymbolBars(symbol, (), ())), used)
        fault = _fault(bars, used[-1])
        if fault is not None:
            faults.append(fault)
            continue
        whole = _without_gaps(bars, used, carry)
        if whole.carried:
            carried.append(CarriedBars(symbol=symbol, days=tuple(whole.carried)))
        faults += whole.gaps
        good.append(whole.bars)
    return CheckedBars(_table(good), good, faults, carried)


def describe_faults(faults: Sequence[MissingData]) -> str:
    """All faults on one line: symbol, what is wrong, and the rule that says so."""
    return "; ".join(f"{fault.symbol}: {fault.detail} (rule: {fault.rule})" for fault in faults)


def _sessions(received: Sequence[SymbolBars], calendar: Sequence[date]) -> Sequence[date]:
    """The sessions that count, ascending: neither one symbol's odd day nor a calendar's mistake makes gaps in all.

    A day of the calendar on which some symbol has a bar, and another day if most symbols have one on it. The
    calendar's last day always counts: everything must end on it.
    """
    times = Counter(day for bars in received for day in set(bars.days) if day <= calendar[-1])
    known = set(calendar)
    counted = {day for day, count in times.items() if day in known or 2 * count > len(received)}
    return sorted({*counted, calendar[-1]})


def _used(bars: SymbolBars, sessions: Sequence[date]) -> SymbolBars:
    """The bars of those sessions, in the order in which they came."""
    wanted = set(sessions)
    kept = [(day, close) for day, close in zip(bars.days, bars.closes, strict=True) if day in wanted]
    return SymbolBars(bars.symbol, [day for day, _ in kept], [close for _, close in kept])


def _fault(bars: SymbolBars, last_session: date) -> MissingData | None:
    """The first rule that one symbol's bars break."""

    def fault(rule: str, detail: str) -> MissingData:
        return MissingData(symbol=bars.symbol, rule=rule, detail=detail)

    if not bars.days:
        return fault("present", "the broker sent no bars")
    for day, close in zip(bars.days, bars.closes, strict=True):
        if not math.isfinite(close) or close <= 0:
            return fault("positive price", f"close of {day} is {close}")
    if list(bars.days) != sorted(set(bars.days)):
        return fault("ascending dates", "dates repeat or are out of order")
    if bars.days[-1] != last_session:
        return fault("same last session", f"last bar is of {bars.days[-1]}, the last session is {last_session}")
    return None


@dataclass(frozen=True, slots=True)
class _Whole:
    bars: SymbolBars
    carried: Sequence[date]
    gaps: Sequence[MissingData]


# Sessions from a symbol's first bar on, with a gap that is carried (two sessions) and one that stays:
#
#     has      x x . . x x x . . . x x
#     result   x x c c x x x         x x      c: the close before
#
# What is counted in bars (a window of five, say) begins anew after the second gap, and knows nothing of the first.
def _without_gaps(bars: SymbolBars, sessions: Sequence[date], carry: int) -> _Whole:
    """One symbol's bars with short gaps filled."""
    closes = dict(zip(bars.days, bars.closes, strict=True))
    days: list[date] = []
    carried: list[date] = []
    gaps: list[MissingData] = []
    gap: list[date] = []
    for day in (day for day in sessions if day >= bars.days[0]):
        if day not in closes:
            gap.append(day)
            continue
        if 0 < len(gap) <= carry:
            closes |= dict.fromkeys(gap, closes[days[-1]])
            days += gap
            carried += gap
        elif gap:
            detail = f"no bar on {len(gap)} sessions from {gap[0]} to {gap[-1]}; what counts bars begins on {day}"
            gaps.append(MissingData(symbol=bars.symbol, rule="no missing bar", detail=detail))
        gap = []
        days.append(day)
    return _Whole(SymbolBars(bars.symbol, days, [closes[day] for day in days]), carried, gaps)


def _table(good: Sequence[SymbolBars]) -> DailyBars | None:
    """The bars over all their sessions, (days, symbols), NaN where a symbol has none; None without any."""
    if not good:
        return None
    days = sorted({day for bars in good for day in bars.days})
    row = {day: index for index, day in enumerate(days)}
    closes = np.full((len(days), len(good)), np.nan)
    for column, bars in enumerate(good):
        closes[[row[day] for day in bars.days], column] = bars.closes
    return DailyBars.from_closes(days, [bars.symbol for bars in good], closes)
