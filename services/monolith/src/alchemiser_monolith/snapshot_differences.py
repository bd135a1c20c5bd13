"""Where two snapshots of one cycle differ. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.records.parity import Difference

_ONE_BY_ONE = 3
"""Closes of a symbol that are named each."""


def input_differences(monolith: MarketSnapshot, modular: MarketSnapshot) -> list[Difference]:
    """Every difference that a decision could come from; bars first, by date, then what the account was."""
    times = [("session", monolith.session, modular.session), ("not after", monolith.not_after, modular.not_after)]
    found = [*_unlike(*times), *bar_differences(monolith, modular)]
    found += _by_name("account", _account(monolith), _account(modular))
    found += _by_name("position", _positions(monolith), _positions(modular))
    found += _by_name("earlier targets", _earlier(monolith), _earlier(modular))
    return found


def bar_differences(monolith: MarketSnapshot, modular: MarketSnapshot) -> list[Difference]:
    """Of these the ones that are of bars: policy, days, symbols, closes, what was left out and what was carried."""
    mine, theirs = monolith.bars.dates, modular.bars.dates
    found = _unlike(
        ("bar policy", monolith.bar_policy.value, modular.bar_policy.value),
        ("first bar", mine[0], theirs[0]),
        ("last bar", mine[-1], theirs[-1]),
    )
    found += _by_name("bars asked for", _asked(monolith), _asked(modular))
    found += _bars(monolith, modular)
    found += _by_name("bars", _left_out(monolith), _left_out(modular))
    found += _by_name("bars", _carried(monolith), _carried(modular))
    return found


def _unlike(*named: tuple[str, object, object]) -> list[Difference]:
    return [
        Difference(where=where, monolith=str(mine), modular=str(theirs))
        for where, mine, theirs in named
        if mine != theirs
    ]


def _bars(one: MarketSnapshot, other: MarketSnapshot) -> Iterator[Difference]:
    """Days and symbols of one side only, each once; then closes, where both have the day."""
    mine, theirs = one.bars, other.bars
    yield from _by_name("bars", dict.fromkeys(mine.symbols, "present"), dict.fromkeys(theirs.symbols, "present"))
    first = max(mine.dates[0], theirs.dates[0])
    days, others = ({str(day): "present" for day in bars.dates if day >= first} for bars in (mine, theirs))
    yield from _by_name("bars of", days, others)
    common = sorted(set(mine.dates) & set(theirs.dates))
    for symbol in sorted(set(mine.symbols) & set(theirs.symbols)):
        yield from _closes(symbol, common, _of(mine, symbol, common), _of(theirs, symbol, common))


def _of(bars: DailyBars, symbol: str, days: Sequence[date]) -> NDArray[np.float64]:
    rows = np.isin(np.array(bars.dates, dtype="datetime64[D]"), np.array(days, dtype="datetime64[D]"))
    return np.asarray(bars.closes[rows, bars.symbols.index(symbol)], dtype=np.float64)


def _closes(
    symbol: str, days: Sequence[date], mine: NDArray[np.float64], theirs: NDArray[np.float64]
) -> Iterator[Difference]:
    """A close or a few one by one; many, as when a history is adjusted anew, as one difference with their ratio."""
    rows = np.flatnonzero((mine != theirs) & ~(np.isnan(mine) & np.isnan(theirs)))
    if len(rows) <= _ONE_BY_ONE:
        for row in rows.tolist():
            where = f"bars {symbol} {days[row]} close"
            yield Difference(where=where, monolith=_price(float(mine[row])), modular=_price(float(theirs[row])))
        return
    where = f"bars {symbol} {days[rows[0]]} to {days[rows[-1]]}"
    ratios = theirs[rows] / mine[rows]
    ratios = ratios[np.isfinite(ratios)]
    had, others = int(np.isfinite(mine[rows]).sum()), int(np.isfinite(theirs[rows]).sum())
    if had != others or not len(ratios):
        yield Difference(where=where, monolith=f"{had} closes", modular=f"{others} closes")
    if len(ratios):
        least, most = float(ratios.min()), float(ratios.max())
        times = f"{least:.6g}" if np.isclose(least, most, rtol=1e-6) else f"{least:.6g} to {most:.6g}"
        yield Difference(where=f"{where}: {len(ratios)} closes", monolith="1", modular=f"times {times}")


def _price(close: float) -> str:
    return "" if math.isnan(close) else repr(close)


def _asked(snapshot: MarketSnapshot) -> Mapping[str, str]:
    return {item.symbol: str(item.bars) for item in snapshot.universe}


def _left_out(snapshot: MarketSnapshot) -> Mapping[str, str]:
    return {f"{gap.symbol} left out": f"{gap.rule}: {gap.detail}" for gap in snapshot.missing}


def _carried(snapshot: MarketSnapshot) -> Mapping[str, str]:
    return {f"{item.symbol} carried": ", ".join(map(str, item.days)) for item in snapshot.carried}


def _account(snapshot: MarketSnapshot) -> Mapping[str, str]:
    return {name: str(value) for name, value in snapshot.account}


def _positions(snapshot: MarketSnapshot) -> Mapping[str, str]:
    return {item.symbol: f"{_plain(item.quantity)} at {_plain(item.price)}" for item in snapshot.positions}


def _earlier(snapshot: MarketSnapshot) -> Mapping[str, str]:
    return {
        item.strategy: f"{item.decided_for}: " + ", ".join(f"{part.symbol} {part.weight!r}" for part in item.weights)
        for item in snapshot.previous_targets
    }


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _by_name(of: str, mine: Mapping[str, str], theirs: Mapping[str, str]) -> Sequence[Difference]:
    return [
        Difference(where=f"{of} {name}", monolith=mine.get(name, ""), modular=theirs.get(name, ""))
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    ]
