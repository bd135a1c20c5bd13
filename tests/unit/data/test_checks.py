"""Bars that must not be decided on are named by symbol, date and rule; youth is no fault, and a gap has an end.

What calendar and bars contradict each other in ends the run; what only one symbol's bars say is that symbol's fault.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.ports.broker import SymbolBars
from alchemiser_data.checks import CheckedBars, check_bars, contradictions, describe_faults
from alchemiser_data.split_detection import large_moves, suspected_splits

DAYS = [day for offset in range(42) if (day := date(2026, 1, 5) + timedelta(days=offset)).weekday() < 5]
"""Thirty sessions, Mondays to Fridays."""
TODAY = DAYS[-1] + timedelta(days=3)
SATURDAYS = [date(2026, 1, 10), date(2026, 1, 17)]


def bars(symbol: str, closes: Sequence[float] | None = None, days: Sequence[date] = DAYS) -> SymbolBars:
    calm = [100 + 0.5 * (index % 3) for index in range(len(days))]
    return SymbolBars(symbol, list(days), list(closes if closes is not None else calm))


def with_value(index: int, value: float) -> list[float]:
    closes = list(bars("X").closes)
    closes[index] = value
    return closes


def scaled_from(index: int, factor: float) -> list[float]:
    return [close * (factor if day >= index else 1) for day, close in enumerate(bars("X").closes)]


def without(*gaps: int) -> list[date]:
    return [day for index, day in enumerate(DAYS) if index not in gaps]


def check(received: Sequence[SymbolBars], needed: Mapping[str, int], *, carry: int = 2) -> CheckedBars:
    return check_bars(received, needed, DAYS, carry=carry, repeats=9)


def table(checked: CheckedBars) -> DailyBars:
    assert checked.table is not None
    return checked.table


FAULTS = [
    ("absent", None, "BAD: the broker sent no bars (rule: present)"),
    ("without any", bars("BAD", days=[]), "BAD: the broker sent no bars (rule: present)"),
    ("listed today", bars("BAD", days=[TODAY]), "BAD: the broker sent no bars (rule: present)"),
    (
        "a close too few",
        SymbolBars("BAD", DAYS, [1.0] * 29),
        "30 days came with 29 closes (rule: a close for each day)",
    ),
    ("nan", bars("BAD", with_value(13, float("nan"))), f"BAD: close of {DAYS[13]} is nan (rule: positive price)"),
    ("zero", bars("BAD", with_value(13, 0.0)), f"close of {DAYS[13]} is 0.0 (rule: positive price)"),
    ("negative", bars("BAD", with_value(13, -1.0)), f"close of {DAYS[13]} is -1.0 (rule: positive price)"),
    ("infinite", bars("BAD", with_value(13, float("inf"))), f"close of {DAYS[13]} is inf"),
    ("stale", bars("BAD", days=DAYS[:-1]), f"last bar is of {DAYS[-2]}, the last session is {DAYS[-1]}"),
    ("repeated", bars("BAD", days=[DAYS[0], *DAYS[1:-1], DAYS[-3], DAYS[-1]]), "dates repeat or are out of order"),
    ("delisted", bars("BAD", days=DAYS[:5]), "BAD: the broker sent no bars (rule: present)"),
]


@pytest.mark.parametrize(("name", "bad", "words"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fault_is_named_and_leaves_the_other_symbols_alone(name: str, bad: SymbolBars | None, words: str) -> None:
    received = [bars("GOOD"), *([bad] if bad is not None else [])]
    checked = check(received, {"BAD": 20, "GOOD": 20})
    assert words in describe_faults(checked.faults), name
    assert table(checked).symbols == ("GOOD",)


def test_each_symbol_has_the_bars_that_it_needs_and_a_young_one_those_that_it_has() -> None:
    received = [bars("SPY"), bars("NEW", days=DAYS[-7:]), bars("BIL")]
    checked = check(received, {"SPY": 25, "NEW": 20, "BIL": 1})
    assert not checked.faults
    assert table(checked).symbols == ("BIL", "NEW", "SPY")
    assert table(checked).dates == tuple(DAYS[-25:])
    assert (~np.isnan(table(checked).closes)).sum(axis=0).tolist() == [1, 7, 25]
    np.testing.assert_array_equal(table(checked).closes[-7:, 1], bars("NEW", days=DAYS[-7:]).closes)


def test_what_is_older_than_what_is_used_is_not_looked_at() -> None:
    received = [bars("ODD", with_value(3, float("nan"))), bars("SPY")]
    assert not check(received, {"ODD": 20, "SPY": 30}).faults
    assert check(received, {"ODD": 28, "SPY": 30}).faults


@pytest.mark.parametrize("carry", [0, 1, 2])
def test_a_short_gap_is_carried_and_marked_a_longer_one_stays_and_is_named(carry: int) -> None:
    received = [bars("THIN", days=without(9, 20, 21)), bars("SPY")]
    checked = check(received, {"THIN": 30, "SPY": 30}, carry=carry)
    closes = table(checked).closes[:, 1]
    carried = {day for item in checked.carried for day in item.days}
    short, long = {DAYS[9]}, {DAYS[20], DAYS[21]}
    assert carried == (short if carry else set()) | (long if carry > 1 else set())
    assert {DAYS[index] for index in np.flatnonzero(np.isnan(closes))} == (short | long) - carried
    assert [item.rule for item in checked.faults] == ["no missing bar"] * (2 - min(carry, 2))
    if carry:
        assert closes[9] == closes[8]
    if carry > 1:
        assert closes[20] == closes[21] == closes[19]
    else:
        assert f"from {DAYS[20]} to {DAYS[21]}; what counts bars begins on {DAYS[22]}" in describe_faults(
            checked.faults
        )


def with_days(symbol: str, *extra: date) -> SymbolBars:
    return bars(symbol, days=sorted([*DAYS, *extra]))


def test_a_bar_of_a_day_without_session_is_left_out_and_named() -> None:
    after = DAYS[-1] + timedelta(days=1)
    received = [with_days("ODD", *SATURDAYS), with_days("LATE", after), bars("SPY")]
    checked = check(received, {"ODD": 30, "LATE": 2, "SPY": 30})
    assert [fault.symbol for fault in checked.faults] == ["LATE", "ODD"]
    assert f"bar of {after}, when the exchange had no session" in describe_faults(checked.faults)
    assert "ODD: bar of 2026-01-10, 2026-01-17, when the exchange had no session, is left out" in describe_faults(
        checked.faults
    )
    assert table(checked).dates == tuple(DAYS), "and nobody has a gap"
    assert not np.isnan(table(checked).closes[-2:]).any()
    assert contradictions([with_days(name, *SATURDAYS) for name in "ABC"], dict.fromkeys("ABC", 30), DAYS) == []


@pytest.mark.parametrize("lost", [DAYS[11], DAYS[-1]], ids=["inside", "the last"])
def test_a_session_that_is_missing_in_all_symbols_is_a_contradiction(lost: date) -> None:
    days = [day for day in DAYS if day != lost]
    received = [bars("A", days=days), bars("B", days=days), bars("NEW", days=days[-5:])]
    said = contradictions(received, {"A": 30, "B": 30, "NEW": 30}, DAYS)
    assert said == [f"no symbol has a bar of {lost}, which the broker's calendar has as sessions"]
    assert contradictions(received, {"A": 30, "B": 30, "NEW": 30}, days) == [], "where the calendar has it closed"
    assert contradictions([*received, bars("C")], dict.fromkeys(("A", "B", "C", "NEW"), 30), DAYS) == [], "C has it"
    assert contradictions([bars("A", days=days)], {"A": 30}, DAYS) == said, "the only symbol there is"
    assert contradictions([bars("A", days=days), bars("B", days=days)], {"A": 30, "B": 1}, DAYS) == said, "B was read"


def test_a_session_that_is_expected_of_one_of_several_is_a_gap_of_that_one() -> None:
    received = [bars("THIN", days=without(3)), bars("SPY", days=DAYS[-12:])]
    assert contradictions(received, {"THIN": 30, "SPY": 10}, DAYS) == []
    assert contradictions([bars("OLD", days=without(3)), bars("SPY")], {"OLD": 30, "SPY": 10}, DAYS) == []
    assert contradictions([bars("A", days=without(3))] * 2, {"A": 10}, DAYS) == [], "older than what is used"


def test_a_working_day_that_most_symbols_have_and_the_calendar_lacks_is_a_contradiction() -> None:
    calendar = [day for day in DAYS if day != DAYS[12]]
    rest = without(12)
    needed = dict.fromkeys("ABC", 30)
    said = contradictions([bars("A"), bars("B"), bars("C", days=rest)], needed, calendar)
    assert said == [f"there are bars of {DAYS[12]} (2 of 3 symbols), which the broker's calendar does not have"]
    few = [bars("A"), bars("B", days=rest), bars("C", days=rest)]
    assert contradictions(few, needed, calendar) == []
    checked = check_bars(few, needed, calendar, carry=0, repeats=9)
    assert [(fault.symbol, fault.rule) for fault in checked.faults] == [("A", "bars of sessions")]
    assert table(checked).dates == tuple(calendar)


def moving(symbol: str, still: int) -> SymbolBars:
    """Thirty closes of which the last `still` are equal."""
    closes = [100.0 + index for index in range(30)]
    return bars(symbol, [*closes[: 30 - still], *[closes[30 - still]] * still])


@pytest.mark.parametrize("needed", [30, 12, 1])
def test_ten_equal_last_closes_of_a_symbol_that_moves_are_a_feed_that_stands_still(needed: int) -> None:
    checked = check([moving("SPY", 10), moving("QQQ", 9)], {"SPY": needed, "QQQ": needed})
    assert describe_faults(checked.faults) == (
        "SPY: the last 10 closes are all 120; of the 20 changes before 0 were zero (rule: closes that move)"
    )
    assert table(checked).symbols == ("QQQ",)


def test_a_symbol_whose_closes_often_repeat_may_rest_longer_and_one_too_young_is_not_judged() -> None:
    rests = [91.5 + 0.01 * (index // 3) for index in range(18)]
    bills = bars("BIL", [*rests, *[rests[-1]] * 12])
    young = bars("NEW", [5.0, 5.1, *[5.2] * 12], DAYS[-14:])
    assert not check([bills, young, bars("SPY")], {"BIL": 30, "NEW": 30, "SPY": 30}).faults


def test_large_moves_are_found_on_every_bar_and_the_last_one_has_its_predecessor() -> None:
    times, fell = scaled_from(29, 1000), scaled_from(29, 0.4)
    checked = check([bars("UP", times), bars("DOWN", fell), bars("SPY")], {"UP": 1, "DOWN": 30, "SPY": 1})
    moves = large_moves(checked.judged, 0.5, frozenset())
    assert [(move.symbol, move.day, move.day_before) for move in moves] == [
        ("DOWN", DAYS[-1], DAYS[-2]),
        ("UP", DAYS[-1], DAYS[-2]),
    ]
    assert str(moves[1]) == f"close went from 100.5 to 101000 on {DAYS[-1]}"
    assert large_moves(checked.judged, 0.5, frozenset({f"UP:{DAYS[-1]}", f"DOWN:{DAYS[-1]}"})) == []
    assert large_moves([bars("HALF", scaled_from(9, 0.6))], 0.5, frozenset()) == []


def test_today_s_bar_is_cut_off_whatever_the_feed_sends() -> None:
    checked = check_bars([bars("A"), bars("B")], {"A": 30, "B": 30}, DAYS[:-1], carry=2, repeats=9)
    assert not checked.faults
    assert table(checked).dates[-1] == DAYS[-2]


def suspected(*received: SymbolBars, accepted: frozenset[str] = frozenset()) -> list[str]:
    return [f"{jump.symbol}:{jump.day} {jump.new}:{jump.old}" for jump in suspected_splits(received, accepted)]


def test_a_split_like_move_is_suspected_unless_it_is_known_to_be_real() -> None:
    received = [bars("OKLO", scaled_from(15, 0.5)), bars("SPY")]
    assert suspected(*received) == [f"OKLO:{DAYS[15]} 2:1"]
    other = frozenset({f"OKLO:{DAYS[14]}", f"SPY:{DAYS[15]}"})
    assert suspected(*received, accepted=other) == [f"OKLO:{DAYS[15]} 2:1"], "of another day or symbol"
    assert suspected(*received, accepted=frozenset({f"OKLO:{DAYS[15]}"})) == []
    assert suspected(bars("UVIX", scaled_from(15, 10)), bars("SPY")) == [f"UVIX:{DAYS[15]} 1:10"]


@pytest.mark.parametrize("move", [0.655, 1.45, 0.6])
def test_a_crash_that_is_no_splits_ratio_is_not_suspected(move: float) -> None:
    assert suspected(bars("TQQQ", scaled_from(15, move))) == []


def test_a_crash_in_which_everything_falls_is_no_split() -> None:
    def crash(symbol: str, factor: float) -> SymbolBars:
        return bars(symbol, scaled_from(15, factor))

    assert suspected(crash("SPY", 0.7), crash("QQQ", 0.7), crash("TLT", 1.4), crash("LABU", 0.5)) == []
    alone = suspected(bars("SPY"), bars("QQQ"), bars("TLT"), crash("LABU", 0.5))
    assert alone == [f"LABU:{DAYS[15]} 2:1"]
