"""Bars that must not be decided on are refused by symbol, date, value and rule."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from alchemiser_common.ports.broker import SymbolBars
from alchemiser_data.checks import check_bars, describe_faults

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


FAULTS = [
    ("absent", None, "BAD: the broker sent no bars (rule: present)"),
    ("without a completed bar", bars("BAD", days=[]), "BAD: the broker sent no bars (rule: present)"),
    ("nan", bars("BAD", with_value(3, float("nan"))), f"BAD: close of {DAYS[3]} is nan (rule: positive price)"),
    ("zero", bars("BAD", with_value(3, 0.0)), f"close of {DAYS[3]} is 0.0 (rule: positive price)"),
    ("negative", bars("BAD", with_value(3, -1.0)), f"close of {DAYS[3]} is -1.0 (rule: positive price)"),
    ("infinite", bars("BAD", with_value(3, float("inf"))), f"close of {DAYS[3]} is inf"),
    ("stale", bars("BAD", days=DAYS[:-1]), f"last bar is of {DAYS[-2]}, the last session is {DAYS[-1]}"),
    ("hole", bars("BAD", days=[*DAYS[:9], *DAYS[10:]]), f"no bar on {DAYS[9]}, when other symbols have one"),
    ("short", bars("BAD", days=DAYS[-19:]), f"19 bars since {DAYS[-19]}, 20 are needed (rule: enough bars)"),
    ("repeated", bars("BAD", days=[DAYS[0], *DAYS[:-1]]), "dates repeat or are out of order"),
    ("split", bars("BAD", scaled_from(15, 1 / 4)), f"like a 4:1 split; if it is real, add BAD:{DAYS[15]}"),
    ("reverse split", bars("BAD", scaled_from(15, 10)), f"like a 1:10 split; if it is real, add BAD:{DAYS[15]}"),
]


@pytest.mark.parametrize(("name", "bad", "words"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fault_is_named_and_leaves_the_other_symbols_alone(name: str, bad: SymbolBars | None, words: str) -> None:
    received = [bars("GOOD"), *([bad] if bad is not None else [])]
    checked = check_bars(received, ["BAD", "GOOD"], last_session=DAYS[-1], lookback=20, accepted_jumps=frozenset())
    assert words in describe_faults(checked.faults), name
    assert checked.bars is not None
    assert checked.bars.symbols == ("GOOD",)


def test_a_split_like_move_that_is_known_to_be_real_is_accepted() -> None:
    received = [bars("OKLO", scaled_from(15, 0.5)), bars("SPY")]

    def faulty(accepted: frozenset[str]) -> list[str]:
        checked = check_bars(received, ["OKLO", "SPY"], last_session=DAYS[-1], lookback=20, accepted_jumps=accepted)
        return [fault.symbol for fault in checked.faults]

    assert faulty(frozenset()) == ["OKLO"]
    assert faulty(frozenset({f"OKLO:{DAYS[14]}", f"SPY:{DAYS[15]}"})) == ["OKLO"], "of another day or symbol"
    assert faulty(frozenset({f"OKLO:{DAYS[15]}"})) == []


@pytest.mark.parametrize("move", [0.655, 1.45, 0.6])
def test_a_crash_that_is_no_splits_ratio_passes(move: float) -> None:
    received = [bars("TQQQ", scaled_from(15, move))]
    assert not check_bars(received, ["TQQQ"], last_session=DAYS[-1], lookback=20, accepted_jumps=frozenset()).faults


def test_a_crash_in_which_everything_falls_is_no_split() -> None:
    def crash(symbol: str, factor: float) -> SymbolBars:
        return bars(symbol, scaled_from(15, factor))

    market = [crash("SPY", 0.7), crash("QQQ", 0.7), crash("TLT", 1.4), crash("LABU", 0.5)]
    symbols = [item.symbol for item in market]

    def faulty(received: list[SymbolBars]) -> list[str]:
        checked = check_bars(received, symbols, last_session=DAYS[-1], lookback=20, accepted_jumps=frozenset())
        return [fault.symbol for fault in checked.faults]

    assert faulty(market) == []
    assert faulty([bars("SPY"), bars("QQQ"), bars("TLT"), crash("LABU", 0.5)]) == ["LABU"]


def test_histories_of_different_length_are_cut_to_the_common_sessions_and_sorted_by_symbol() -> None:
    received = [bars("SPY"), bars("NEW", days=DAYS[-25:])]
    checked = check_bars(received, ["SPY", "NEW"], last_session=DAYS[-1], lookback=20, accepted_jumps=frozenset())
    assert checked.bars is not None
    assert checked.bars.symbols == ("NEW", "SPY")
    assert checked.bars.dates == tuple(DAYS[-25:])
    np.testing.assert_array_equal(checked.bars.closes[:, 1], bars("SPY").closes[-25:])
