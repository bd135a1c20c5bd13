"""`alchemiser prices fetch` from the simulated exchange over HTTP, through the adapter that the data service uses."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.simulated import Exchange, embedded_exchange, open_market
from alchemiser_simulator import PriceHistory, read_history, sample_history
from alchemiser_simulator.control.faults import RateLimited, When
from support.command import Result, alchemiser

BEFORE, AFTER = date(2018, 6, 5), date(2018, 6, 15)
"""Around SOXL's split of 3 for 1 on 2018-06-11."""


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with embedded_exchange(open_market(None), start=BEFORE, state=None) as running:
        yield running


def prices(folder: Path, exchange: Exchange, *arguments: str) -> Result:
    extra = {
        "ALCHEMISER_BROKER__TRADING_URL": exchange.url,
        "ALCHEMISER_BROKER__DATA_URL": exchange.url,
        "APCA_API_KEY_ID": "PKTEST",
        "APCA_API_SECRET_KEY": "secret",
    }
    return alchemiser(folder, *arguments, extra=extra)


def as_of(symbol: str, day: date, first: date) -> list[float]:
    """The sample's own adjusted closes up to the session before a day."""
    history = sample_history()
    last = history.dates[history.dates.index(day) - 1]
    column = history.bars(symbol).close / history.split_factors(symbol, last) / history.dividend_factors(symbol, last)
    wanted = [at for at, when in enumerate(history.dates) if first <= when <= last]
    return [float(value) for value in column[wanted]]


def held(history: PriceHistory, symbol: str) -> list[float]:
    return [float(value) for value in history.close[:, history.positions[symbol]]]


def test_bars_are_fetched_extended_and_fetched_again_after_a_split(tmp_path: Path, exchange: Exchange) -> None:
    exchange.control.add_fault(RateLimited(match=When(path="/v2/stocks/bars"), count=1))
    fetch = ("prices", "fetch", "--from", "2017-01-03", "--json")
    first = prices(tmp_path, exchange, *fetch, "--symbols", "SPY,soxl")
    assert first.code == 0, first.err
    told = json.loads(first.out)
    assert told["fetched"] == {"SOXL": "new", "SPY": "new"}
    assert (told["adjustment"], told["last"]) == ("only adjusted", "2018-06-04")
    before = read_history(tmp_path / "prices.parquet")
    for symbol in ("SPY", "SOXL"):
        assert held(before, symbol) == pytest.approx(as_of(symbol, BEFORE, date(2017, 1, 3)), abs=0.011)
    assert before.derived == "", "opens, highs, lows and volumes are the broker's"

    exchange.control.set_now(open_market(None).sessions_from(AFTER, 1)[0].opens)
    second = prices(tmp_path, exchange, *fetch)
    assert second.code == 0, second.err
    assert json.loads(second.out)["fetched"] == {"SOXL": "re-adjusted", "SPY": "extended"}
    after = read_history(tmp_path / "prices.parquet")
    for symbol in ("SPY", "SOXL"):
        assert held(after, symbol) == pytest.approx(as_of(symbol, AFTER, date(2017, 1, 3)), abs=0.011)
    moves = np.diff(np.log(PriceFile(after).bars(("SOXL",)).closes[:, 0]))
    assert np.abs(moves).max() < 0.3, "two adjustments are joined"
    assert json.loads(prices(tmp_path, exchange, *fetch).out)["fetched"] == {"SOXL": "unchanged", "SPY": "unchanged"}


def test_a_newcomer_fetches_and_backtests_in_two_commands(tmp_path: Path, exchange: Exchange) -> None:
    fetched = prices(tmp_path, exchange, "prices", "fetch", "--strategy", "tecl", "--from", "2017-01-03")
    assert fetched.code == 0, fetched.err
    assert "adjusted closes only" in fetched.out
    tested = alchemiser(tmp_path, "backtest", "--data", "prices.parquet", "--strategy", "tecl")
    assert tested.code == 0, tested.err
    assert (tmp_path / "backtest.html").is_file()


def test_symbols_without_bars_and_wrong_feeds_are_named(tmp_path: Path, exchange: Exchange) -> None:
    lacking = prices(tmp_path, exchange, "prices", "fetch", "--symbols", "SPY,NOPE")
    assert lacking.code == 1
    assert "the broker has no bars of NOPE; the file holds the others" in lacking.err
    assert read_history(tmp_path / "prices.parquet").symbols == ("SPY",)
    other = prices(tmp_path, exchange, "prices", "fetch", "--feed", "iex")
    assert other.code == 2
    assert "bars of feed sip, not iex" in other.err
    late = prices(tmp_path, exchange, "prices", "fetch", "--from", "2030-01-02", "--out", "other.parquet")
    assert "--from 2030-01-02 is after the last completed session, 2018-06-04" in late.err
