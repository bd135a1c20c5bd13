"""Bars that must not be decided on are named by symbol, date and rule; youth is no fault, and a gap has an end."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.ports.broker import SymbolBars
from alchemiser_data.checks import CheckedBars, check_bars, describe_faults
from alchemiser_data.split_detection import suspected_splits

DAYS = [date(2026, 1, 5) + timedelta(days=offset) for offset in range(30)]


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
    return check_bars(received, needed, DAYS, carry=carry)


def table(checked: CheckedBars) -> DailyBars:
    assert checked.table is not None
    return checked.table


FAULTS = [
    ("absent", None, "BAD: the broker sent no bars (rule: present)"),
    ("without a completed bar", bars("BAD", days=[]), "BAD: the broker sent no bars (rule: present)"),
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


def test_one_symbols_odd_day_and_a_wrong_calendar_make_no_gaps_in_the_others() -> None:
    odd = DAYS[10]
    calendar = [day for day in DAYS if day not in {odd, DAYS[12]}]
    rest = without(10, 11)
    received = [bars("A", days=rest), bars("B", days=rest), bars("C", days=without(11))]
    checked = check_bars(received, dict.fromkeys("ABC", 30), calendar, carry=0)
    assert not checked.faults, "nobody has day 11, only C has the odd day, and all have day 12"
    assert {DAYS[12]} <= set(table(checked).dates)
    assert not {odd, DAYS[11]} & set(table(checked).dates)


def test_today_s_bar_is_cut_off_whatever_the_feed_sends() -> None:
    checked = check_bars([bars("A"), bars("B")], {"A": 30, "B": 30}, DAYS[:-1], carry=2)
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
