"""A file of the broker's bars: gone on with where it stopped, brought up to date, never joined of two adjustments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from alchemiser_common.errors import BrokerThrottled, BrokerUnavailable
from alchemiser_common.ports.broker import SymbolPrices
from alchemiser_prices import fetching
from alchemiser_prices.done import Done
from alchemiser_prices.errors import UnusablePrices
from alchemiser_prices.fetching import fetch, fetched_symbols, unfinished
from alchemiser_simulator import read_history, sample_history
from support.price_files import write_rows

DAYS = sample_history().dates[-60:]
FIRST = DAYS[0]


@dataclass
class Vendor:
    """Bars of a formula, with a factor on them as after a dividend; says what it was asked."""

    factors: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[tuple[str, ...], date, date]] = field(default_factory=list)
    fails: Callable[[int], Exception | None] = lambda _: None

    def daily_prices(self, symbols: Sequence[str], first: date, last: date) -> Sequence[SymbolPrices]:
        self.asked.append((tuple(symbols), first, last))
        if (error := self.fails(len(self.asked))) is not None:
            raise error
        days = [day for day in DAYS if first <= day <= last]
        found = []
        for symbol in symbols:
            closes = [(100.0 + DAYS.index(day)) * self.factors.get(symbol, 1.0) for day in days]
            highs, lows = [close + 1 for close in closes], [close - 1 for close in closes]
            volumes = [1000.0] * len(days)
            if symbol != "NOPE" and days:
                found.append(SymbolPrices(symbol, days, closes, highs, lows, closes, volumes))
        return found


def run(vendor: Vendor, place: Path, symbols: Sequence[str], last: date, feed: str = "sip") -> dict[str, Done]:
    waits: list[float] = []
    return dict(
        fetch(vendor, symbols, (FIRST, last), feed, place, pause=waits.append, progress=lambda _symbol, _done: None)
    )


def closes(place: Path, symbol: str) -> list[float]:
    history = read_history(place)
    column = history.close[:, history.positions[symbol]]
    return [float(value) for value in column[~np.isnan(column)]]


def test_what_is_new_is_joined_on_and_only_a_few_bars_are_asked_again(tmp_path: Path) -> None:
    vendor, place = Vendor(), tmp_path / "prices.parquet"
    assert run(vendor, place, ["AAA", "BBB", "NOPE"], DAYS[39]) == {
        "AAA": Done.NEW, "BBB": Done.NEW, "NOPE": Done.NOTHING,
    }  # fmt: skip
    assert fetched_symbols(place) == ("AAA", "BBB")
    assert run(vendor, place, ["AAA"], DAYS[39]) == {"AAA": Done.UNCHANGED}
    assert len(vendor.asked) == 1, "what is known is not asked again"
    assert run(vendor, place, ["AAA"], DAYS[49]) == {"AAA": Done.EXTENDED}
    assert vendor.asked[-1] == (("AAA",), DAYS[30], DAYS[49])
    assert closes(place, "AAA") == [100.0 + at for at in range(50)]
    assert closes(place, "BBB") == [100.0 + at for at in range(40)], "what was not asked for is kept"


@pytest.mark.parametrize("factor", [0.99998, 0.25], ids=["a cent on five hundred dollars", "a split"])
def test_bars_that_were_adjusted_anew_are_fetched_again_as_a_whole(factor: float, tmp_path: Path) -> None:
    vendor, place = Vendor(), tmp_path / "prices.parquet"
    run(vendor, place, ["AAA", "BBB"], DAYS[39])
    vendor.factors["AAA"] = factor
    assert run(vendor, place, ["AAA", "BBB"], DAYS[49]) == {"AAA": Done.READJUSTED, "BBB": Done.EXTENDED}
    assert closes(place, "AAA") == pytest.approx([(100.0 + at) * factor for at in range(50)], rel=1e-12)


def test_an_earlier_first_day_fetches_the_symbol_again(tmp_path: Path) -> None:
    vendor, place = Vendor(), tmp_path / "prices.parquet"
    fetch(vendor, ["AAA"], (DAYS[20], DAYS[39]), "sip", place, pause=lambda _: None, progress=lambda _s, _d: None)
    assert run(vendor, place, ["AAA"], DAYS[39]) == {"AAA": Done.NEW}
    assert len(closes(place, "AAA")) == 40


def test_a_fetch_that_was_cut_goes_on_and_the_file_is_whole_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_BARS_A_GROUP", 1)
    place = tmp_path / "prices.parquet"
    run(Vendor(), place, ["OLD"], DAYS[39])
    cut = Vendor(fails=lambda count: BrokerUnavailable("no answer") if count == 3 else None)
    with pytest.raises(BrokerUnavailable):
        run(cut, place, ["AAA", "BBB", "CCC"], DAYS[39])
    assert read_history(place).symbols == ("OLD",)
    assert read_history(unfinished(place)).symbols == ("AAA", "BBB", "OLD")
    again = Vendor()
    assert run(again, place, ["AAA", "BBB", "CCC"], DAYS[39])["CCC"] is Done.NEW
    assert [symbols for symbols, _, _ in again.asked] == [("CCC",)]
    assert read_history(place).symbols == ("AAA", "BBB", "CCC", "OLD")
    assert not unfinished(place).exists()


def test_a_broker_that_says_too_many_requests_is_given_a_minute(tmp_path: Path) -> None:
    waits: list[float] = []
    vendor = Vendor(fails=lambda count: BrokerThrottled("429") if count < 3 else None)
    fetch(
        vendor, ["AAA"], (FIRST, DAYS[9]), "sip", tmp_path / "p.parquet", pause=waits.append,
        progress=lambda _s, _d: None,
    )  # fmt: skip
    assert waits == [61.0, 61.0]


def test_what_the_broker_no_longer_has_is_kept(tmp_path: Path) -> None:
    vendor, place = Vendor(), tmp_path / "prices.parquet"
    run(vendor, place, ["AAA"], DAYS[39])

    class Gone(Vendor):
        def daily_prices(self, symbols: Sequence[str], first: date, last: date) -> Sequence[SymbolPrices]:
            return []

    assert run(Gone(), place, ["AAA"], DAYS[49]) == {"AAA": Done.NOTHING}
    assert len(closes(place, "AAA")) == 40


def test_another_feed_and_a_file_of_ones_own_are_not_written_over(tmp_path: Path) -> None:
    place, own = tmp_path / "prices.parquet", tmp_path / "own.parquet"
    run(Vendor(), place, ["AAA"], DAYS[39])
    with pytest.raises(UnusablePrices, match="bars of feed sip, not iex"):
        run(Vendor(), place, ["AAA"], DAYS[49], "iex")
    write_rows(own, {"date": [FIRST], "symbol": ["AAA"], "close": [1.0]})
    with pytest.raises(UnusablePrices, match="was not fetched from the broker"):
        run(Vendor(), own, ["AAA"], DAYS[49])
