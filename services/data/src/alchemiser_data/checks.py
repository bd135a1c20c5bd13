"""The checks that daily bars must pass before anything is decided on them. Pure.

Each fault names symbol, date, value and rule. Youth is none: bars begin where a symbol begins, and each indicator
counts for itself what it has. Whether a fault ends the run is not decided here.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import CarriedBars, MissingData
from alchemiser_common.ports.broker import SymbolBars
from alchemiser_common.text import named

WATCHED = 71
"""Bars of each symbol that are read, used or not: ten equal closes and sixty changes before them can be told apart."""
_USUAL_CHANGES = 60
_FEWEST_CHANGES = 10
_SELDOM = 0.1
"""The share of zero changes from which on equal closes are a habit."""
_MOST_NAMED = 3
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class CheckedBars:
    """What passed, as one table over the sessions and as the bars that went into it; what did not; what was carried.

    Every symbol asked for is in the table or among the faults; one with a gap is in both. `table` is None if nothing
    passed.
    """

    table: DailyBars | None
    good: Sequence[SymbolBars]
    judged: Sequence[SymbolBars]
    """The same without what was carried, and at least the last two bars: whose moves are to be looked at."""
    faults: Sequence[MissingData]
    carried: Sequence[CarriedBars]

    def without(self, faults: Sequence[MissingData]) -> "CheckedBars":
        """The same with symbols left out for faults that were found later."""
        left_out = {fault.symbol for fault in faults}
        good = [bars for bars in self.good if bars.symbol not in left_out]
        judged = [bars for bars in self.judged if bars.symbol not in left_out]
        carried = [item for item in self.carried if item.symbol not in left_out]
        return CheckedBars(_table(good), good, judged, [*self.faults, *faults], carried)


def check_bars(
    received: Sequence[SymbolBars], needed: Mapping[str, int], calendar: Sequence[date], *, carry: int, repeats: int
) -> CheckedBars:
    """Sort what was received into bars and faults.

    `needed` are the bars of each symbol that are used, up to the last session: older ones are not looked at, except to
    judge the last one by what is usual. `calendar` are the exchange's sessions, ascending: a bar of another day is left
    out, and the last session is the one that every symbol must end on. A gap of up to `carry` sessions takes the close
    before it, a longer one stays. `repeats` equal closes at the end may be chance, more are a feed that stands still.
    """
    by_symbol = {bars.symbol: bars for bars in received}
    known = frozenset(calendar)
    faults: list[MissingData] = []
    good: list[SymbolBars] = []
    judged: list[SymbolBars] = []
    carried: list[CarriedBars] = []
    for symbol in sorted(needed):
        used = calendar[-needed[symbol] :]
        sent = by_symbol.get(symbol, SymbolBars(symbol, (), ()))
        bars, past = _of_days(sent, frozenset(used)), _past(_of_days(sent, known))
        fault = _fault(sent, bars, used[-1]) or _standing_still(past, repeats)
        if fault is not None:
            faults.append(fault)
            continue
        whole = _without_gaps(bars, used, carry)
        if whole.carried:
            carried.append(CarriedBars(symbol=symbol, days=tuple(whole.carried)))
        faults += [*_on_no_session(sent, known, used), *whole.gaps]
        good.append(whole.bars)
        rows = max(2, len(bars.days))
        judged.append(SymbolBars(symbol, past.days[-rows:], past.closes[-rows:]))
    return CheckedBars(_table(good), good, judged, faults, carried)


# A row of `received`, a column of `calendar`: who has a bar (x), and who is not listed yet (blank).
#
#     SPY    x x . x x x          the third session is missing in all: the feed has lost it, or the calendar invents it
#     QQQ    x x . x x x
#     NEW            x x          not expected on the third session
#     FEW    x x . x x x          only two are used of it: the others, which those are judged by, tell of the third too
#     THIN   x . . x x x          the second one is THIN's own gap
#
# A session that one symbol of several is expected on is a gap of that symbol: no other says whether it took place.
def contradictions(
    received: Sequence[SymbolBars], needed: Mapping[str, int], calendar: Sequence[date]
) -> Sequence[str]:
    """Where calendar and bars contradict each other: no decision may rest on either. A sentence each.

    Sessions of the calendar that a bar is needed of and on which no symbol has one though several should, and working
    days that are none of its sessions though most symbols have a bar of them. Arguments as `check_bars`.
    """
    known, row = frozenset(calendar), {day: index for index, day in enumerate(calendar)}
    times = Counter(day for bars in received for day in set(bars.days) if calendar[0] <= day <= calendar[-1])
    expected = np.zeros(len(calendar), dtype=np.int64)
    for bars in received:
        expected[min((row[day] for day in bars.days if day in row), default=len(calendar)) :] += 1
    least, used = min(2, len(needed)), calendar[-max(needed.values()) :]
    missing = [str(day) for day in used if times[day] == 0 and expected[row[day]] >= least]
    extra = [
        f"{day} ({count} of {len(received)} symbols)"
        for day, count in sorted(times.items())
        if day not in known and _working_day(day) and count > 1 and 2 * count > len(received)
    ]
    said = []
    if missing:
        said.append(
            f"no symbol has a bar of {named(missing, _MOST_NAMED)}, which the broker's calendar has as sessions"
        )
    if extra:
        said.append(f"there are bars of {named(extra, _MOST_NAMED)}, which the broker's calendar does not have")
    return said


def describe_faults(faults: Sequence[MissingData]) -> str:
    """All faults on one line: symbol, what is wrong, and the rule that says so."""
    return "; ".join(f"{fault.symbol}: {fault.detail} (rule: {fault.rule})" for fault in faults)


def _of_days(bars: SymbolBars, days: frozenset[date]) -> SymbolBars:
    """The bars of those days, in the order in which they came; of what is not paired as much as is."""
    kept = [(day, close) for day, close in zip(bars.days, bars.closes, strict=False) if day in days]
    return SymbolBars(bars.symbol, [day for day, _ in kept], [close for _, close in kept])


def _past(bars: SymbolBars) -> SymbolBars:
    """What can be told of a symbol's usual behaviour: its positive closes, one a session, ascending."""
    closes = {
        day: close for day, close in zip(bars.days, bars.closes, strict=True) if math.isfinite(close) and close > 0
    }
    days = sorted(closes)
    return SymbolBars(bars.symbol, days, [closes[day] for day in days])


def _on_no_session(bars: SymbolBars, sessions: frozenset[date], used: Sequence[date]) -> Sequence[MissingData]:
    """The bars of days without a session, named together. What is newer than the last session is only cut off: some
    feeds send today's unfinished bar unasked.
    """
    odd = sorted(
        {
            day
            for day in bars.days
            if day not in sessions and day > used[0] and (day < used[-1] or not _working_day(day))
        }
    )
    if not odd:
        return ()
    detail = f"bar of {named([str(day) for day in odd], _MOST_NAMED)}, when the exchange had no session, is left out"
    return (MissingData(symbol=bars.symbol, rule="bars of sessions", detail=detail),)


def _working_day(day: date) -> bool:
    return day.weekday() < _SATURDAY


def _fault(sent: SymbolBars, bars: SymbolBars, last_session: date) -> MissingData | None:
    """The first rule that one symbol's bars break; `bars` are those of `sent` that are used."""

    def fault(rule: str, detail: str) -> MissingData:
        return MissingData(symbol=bars.symbol, rule=rule, detail=detail)

    if len(sent.days) != len(sent.closes):
        return fault("a close for each day", f"{len(sent.days)} days came with {len(sent.closes)} closes")
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


# A bill fund rests at one price for weeks, and so does a fund that hardly trades: theirs is a habit that shows before.
# In 300 symbols over 26 years closes were equal ten times in a row 125 times; each time at least a quarter of the
# twenty changes before had been zero as well. Of the symbols that move, not one in twenty is.
def _standing_still(past: SymbolBars, repeats: int) -> MissingData | None:
    """The fault of a symbol with more than `repeats` equal closes at the end, if its closes seldom repeated before.

    One with fewer than ten changes before them is not judged: nobody knows what is usual for it.
    """
    closes = past.closes
    run = next((at for at, close in enumerate(reversed(closes)) if close != closes[-1]), len(closes))
    if run <= repeats:
        return None
    start = len(closes) - run
    before = closes[max(0, start - _USUAL_CHANGES) : start + 1]
    changes = len(before) - 1
    zero = sum(close == earlier for earlier, close in pairwise(before))
    if changes < _FEWEST_CHANGES or zero >= _SELDOM * changes:
        return None
    detail = f"the last {run} closes are all {closes[-1]:g}; of the {changes} changes before {zero} were zero"
    return MissingData(symbol=past.symbol, rule="closes that move", detail=detail)


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
