"""What is asked of the broker: the bars that each symbol needs, in groups of similar length, back to decisions."""

from datetime import date, timedelta

import pytest

from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight
from alchemiser_data.provider import _check_size, _groups, _with_holdings

CALENDAR = [date(2026, 1, 5) + timedelta(days=offset) for offset in range(300)]


def targets(as_of: date | None, *symbols: str) -> StrategyTargets:
    weights = tuple(TargetWeight(symbol=symbol, weight=0.5) for symbol in symbols)
    return StrategyTargets(strategy="yearly", decided_for=CALENDAR[100], weights=weights, as_of=as_of)


def test_symbols_of_similar_length_are_asked_for_together() -> None:
    lengths = {"A": 1, "B": 2, "C": 143, "D": 200, "E": 256, "F": 257, "G": 3000}
    groups = [(list(symbols), longest) for symbols, longest in _groups(lengths)]
    assert groups == [(["A"], 1), (["B"], 2), (["C", "D", "E"], 256), (["F"], 257), (["G"], 3000)]


def test_what_is_held_is_read_back_to_the_bar_that_it_was_decided_on() -> None:
    needed = _with_holdings({"AAA": 10, "BBB": 250, "CCC": 5}, [targets(CALENDAR[99], "AAA", "BBB", "GONE")])
    lengths = needed.lengths(CALENDAR)
    assert lengths == {"AAA": 201, "BBB": 250, "CCC": 5}
    assert CALENDAR[-lengths["AAA"]] == CALENDAR[99]


def test_of_two_decisions_the_older_one_counts_and_one_without_its_bar_is_met_too() -> None:
    needed = _with_holdings({"AAA": 1}, [targets(CALENDAR[200], "AAA"), targets(CALENDAR[120], "AAA")])
    assert CALENDAR[-needed.lengths(CALENDAR)["AAA"]] == CALENDAR[120]
    older = _with_holdings({"AAA": 1}, [targets(None, "AAA")])
    assert CALENDAR[-older.lengths(CALENDAR)["AAA"]] < CALENDAR[100], "before 1.5 only the session is known"


def test_what_no_snapshot_could_hold_is_refused_before_it_is_read() -> None:
    lengths = {f"S{number}": 10 for number in range(1_500)}
    _check_size(lengths | {"S0": 2_000}, 2_000)
    _check_size(lengths | {"S0": 9_000}, 2_000)  # the calendar has no more
    with pytest.raises(MarketDataRejected, match="1,500 symbols over 2,001 sessions are 3,001,500 closes"):
        _check_size(lengths | {"S0": 9_000}, 2_001)
