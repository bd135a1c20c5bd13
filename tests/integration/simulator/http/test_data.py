"""The market-data API through an unmodified alpaca-py StockHistoricalDataClient.

| endpoint | test |
|---|---|
| GET /v2/stocks/bars | test_bars_*, test_today_*, test_the_split_*, test_pages_* |
| GET /v2/stocks/quotes/latest | test_latest_* |
| GET /v2/stocks/trades/latest | test_latest_* |
| GET /v2/stocks/bars/latest | test_latest_* |
| GET /v2/stocks/snapshots | test_snapshots_* |
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from alpaca.common.enums import Sort
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.models import Bar
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from alchemiser_simulator import SimulatorControl, SimulatorServer, sample_history
from integration.simulator.calls import get

type Client = Any  # alpaca-py's methods return a model or a dict; here always the model


def bars(data: Client, symbols: list[str] | str, start: date, **fields: Any) -> dict[str, list[Bar]]:
    request = StockBarsRequest(
        symbol_or_symbols=symbols,
        timeframe=TimeFrame(1, TimeFrameUnit.Day),
        start=datetime(start.year, start.month, start.day, tzinfo=UTC),
        **fields,
    )
    found: dict[str, list[Bar]] = data.get_stock_bars(request).data
    return found


def test_bars_are_the_historys_to_the_last_digit(data: Client) -> None:
    found = bars(data, ["SPY", "TLT"], date(2020, 5, 26), end=datetime(2020, 5, 30, tzinfo=UTC), feed=DataFeed.IEX)
    history = sample_history()
    row = history.dates.index(date(2020, 5, 26))
    for symbol in ("SPY", "TLT"):
        assert [bar.close for bar in found[symbol]] == history.bars(symbol).close[row : row + 4].tolist()
        assert [bar.high for bar in found[symbol]] == history.bars(symbol).high[row : row + 4].tolist()
    assert found["SPY"][0].timestamp == datetime(2020, 5, 26, 4, tzinfo=UTC)


def test_today_is_an_unfinished_bar_until_the_close(data: Client, control: SimulatorControl) -> None:
    history = sample_history()
    row = history.dates.index(date(2020, 6, 1))
    whole = history.bars("SPY")
    before = bars(data, "SPY", date(2020, 6, 1))["SPY"][0]
    assert before.volume < whole.volume[row]
    assert whole.low[row] <= before.low <= before.close <= before.high <= whole.high[row]
    control.set_now(datetime(2020, 6, 1, 20, tzinfo=UTC))
    after = bars(data, "SPY", date(2020, 6, 1))["SPY"][0]
    assert (after.close, after.volume) == (whole.close[row], whole.volume[row])
    control.set_now(datetime(2020, 6, 2, 13, tzinfo=UTC))
    assert len(bars(data, "SPY", date(2020, 6, 1))["SPY"]) == 1, "a bar of the day to come is shown"


def test_the_split_shows_raw_and_not_adjusted_and_not_before_its_day(data: Client, control: SimulatorControl) -> None:
    control.reset(start=datetime(2018, 6, 8, 21, tzinfo=UTC))
    early = bars(data, "SOXL", date(2018, 6, 7), adjustment=Adjustment.ALL)["SOXL"]
    control.set_now(datetime(2018, 6, 11, 21, tzinfo=UTC))
    raw = bars(data, "SOXL", date(2018, 6, 7))["SOXL"]
    split = bars(data, "SOXL", date(2018, 6, 7), adjustment=Adjustment.SPLIT)["SOXL"]
    everything = bars(data, "SOXL", date(2018, 6, 7), adjustment=Adjustment.ALL)["SOXL"]
    assert [bar.close for bar in early] == [bar.close for bar in raw[:2]], "the split of Monday shows on Friday"
    assert raw[2].close < 0.5 * raw[1].close
    assert split[1].close == pytest.approx(raw[1].close / 3)
    assert split[1].volume == pytest.approx(raw[1].volume * 3, abs=1)
    assert [bar.close for bar in split] == [bar.close for bar in everything]


def test_a_missing_bar_is_simply_not_there(data: Client, control: SimulatorControl) -> None:
    control.reset(start=datetime(2021, 3, 26, 21, tzinfo=UTC))
    found = bars(data, ["XLP", "XLY"], date(2021, 3, 23))
    assert [str(bar.timestamp.date()) for bar in found["XLP"]] == ["2021-03-23", "2021-03-25", "2021-03-26"]
    assert len(found["XLY"]) == 4


def test_bars_can_be_limited_and_reversed(data: Client) -> None:
    newest = bars(data, "SPY", date(2020, 1, 2), sort=Sort.DESC, limit=3)["SPY"]
    assert [str(bar.timestamp.date()) for bar in newest] == ["2020-06-01", "2020-05-29", "2020-05-28"]
    assert bars(data, ["NOPE", "SPY"], date(2020, 5, 29)).keys() == {"SPY"}


def test_pages_join_without_gap_or_repetition(server: SimulatorServer, control: SimulatorControl) -> None:
    def page(**query: Any) -> Any:
        wanted = {"symbols": "SPY,TLT,IEF", "timeframe": "1Day", "start": "2020-05-01"} | query
        return get(server.url, "/v2/stocks/bars", **wanted).json()

    for sort in ("asc", "desc"):
        whole = page(sort=sort, limit=10_000)
        joined: dict[str, list[object]] = {}
        token: str | None = ""
        while token is not None:
            part = page(sort=sort, limit=7, **({"page_token": token} if token else {}))
            assert sum(len(found) for found in part["bars"].values()) <= 7
            for symbol, found in part["bars"].items():
                joined.setdefault(symbol, []).extend(found)
            token = part["next_page_token"]
        assert joined == whole["bars"]
        assert whole["next_page_token"] is None
    assert page(page_token="nonsense")["message"] == "invalid page token 'nonsense'"


def test_bars_of_the_whole_universe_come_quickly(data: Client) -> None:
    data._use_raw_data = True
    request = StockBarsRequest(
        symbol_or_symbols=list(sample_history().symbols),
        timeframe=TimeFrame.Day,
        start=datetime(2019, 5, 20, tzinfo=UTC),
    )
    spans = []
    for _ in range(4):
        started = time.perf_counter()
        found = data.get_stock_bars(request)
        spans.append(time.perf_counter() - started)
    assert sum(map(len, found.values())) == 51 * 261
    assert min(spans) < 0.3, f"two pages took {min(spans) * 1000:.0f} ms at best"


@pytest.mark.parametrize("timeframe", [TimeFrame.Minute, TimeFrame.Week])
def test_other_bars_than_daily_are_refused(data: Client, timeframe: TimeFrame) -> None:
    with pytest.raises(APIError, match="daily bars") as refused:
        data.get_stock_bars(StockBarsRequest(symbol_or_symbols="SPY", timeframe=timeframe))
    assert refused.value.status_code == 400


def test_latest_quote_trade_and_bar_agree_and_carry_the_virtual_time(data: Client, control: SimulatorControl) -> None:
    now = control.clock().now
    symbols = ["SPY", "UVXY", "NOPE"]
    quotes = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=symbols))
    trades = data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=symbols))
    minutes = data.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols=symbols))
    assert quotes.keys() == trades.keys() == minutes.keys() == {"SPY", "UVXY"}
    for symbol in ("SPY", "UVXY"):
        assert quotes[symbol].timestamp == trades[symbol].timestamp == now
        assert 0 < quotes[symbol].bid_price < quotes[symbol].ask_price
        assert quotes[symbol].bid_price <= trades[symbol].price <= quotes[symbol].ask_price
        assert quotes[symbol].ask_size >= 100
        assert minutes[symbol].timestamp == now - timedelta(minutes=1)


def test_latest_quotes_keep_the_time_of_the_close_overnight(data: Client, control: SimulatorControl) -> None:
    control.set_now(datetime(2020, 6, 2, 3, tzinfo=UTC))
    quote = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="SPY"))["SPY"]
    assert quote.timestamp == datetime(2020, 6, 1, 20, tzinfo=UTC)


def test_snapshots_hold_all_of_it(data: Client) -> None:
    found = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["SPY", "TLT"]))
    spy = found["SPY"]
    assert spy.latest_quote.bid_price < spy.latest_trade.price < spy.latest_quote.ask_price
    assert str(spy.daily_bar.timestamp.date()) == "2020-06-01"
    assert str(spy.previous_daily_bar.timestamp.date()) == "2020-05-29"
    assert spy.minute_bar.timestamp == datetime(2020, 6, 1, 14, 59, tzinfo=UTC)
