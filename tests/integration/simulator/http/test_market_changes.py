"""What a price file does not hold: gaps of the feed, splits, delistings and renamings, as Alpaca's clients see them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import CorporateActionsRequest, StockBarsRequest, StockLatestTradeRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetStatus
from alpaca.trading.requests import GetAssetsRequest

from alchemiser_simulator import ControlError, SimulatorControl, SimulatorServer
from alchemiser_simulator.market.changes import (
    CashDividend,
    Delisted,
    MadeSplit,
    MarketChange,
    Renamed,
    SkippedBars,
    SpinOff,
    StockDividend,
)
from integration.simulator.calls import config, get

type Client = Any  # alpaca-py's methods return a model or a dict; here always the model

TODAY, TOMORROW = date(2020, 6, 1), date(2020, 6, 2)
FIRST = date(2020, 5, 26)
RAW, ALL = Adjustment.RAW, Adjustment.ALL


def closes(data: Client, symbol: str, adjustment: Adjustment = ALL) -> dict[date, float]:
    request = StockBarsRequest(
        symbol_or_symbols=symbol,
        timeframe=TimeFrame.Day,
        start=datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC),
        adjustment=adjustment,
    )
    found = data.get_stock_bars(request).data.get(symbol, [])
    return {bar.timestamp.date(): bar.close for bar in found}


def actions(server: SimulatorServer, *symbols: str) -> dict[str, Any]:
    client = CorporateActionsClient("PKTEST", "secret", url_override=server.url, raw_data=True)
    client._retry = 0
    found: Any = client.get_corporate_actions(
        CorporateActionsRequest(symbols=list(symbols), start=date(2020, 1, 1), end=date(2020, 12, 31))
    )
    client._session.close()
    return dict(found)


def to_tomorrow(control: SimulatorControl) -> None:
    control.set_now(datetime(2020, 6, 2, 15, tzinfo=UTC))


def test_a_skipped_bar_is_missing_and_the_symbol_trades_all_the_same(
    control: SimulatorControl, data: Client, trading: Client
) -> None:
    whole, others = closes(data, "SPY"), closes(data, "QQQ")
    control.change_market(SkippedBars(symbol="SPY", days=(date(2020, 5, 28), TODAY)))
    assert closes(data, "SPY") == {day: c for day, c in whole.items() if day not in {date(2020, 5, 28), TODAY}}
    assert closes(data, "QQQ") == others
    assert data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="SPY"))["SPY"].price > 0
    control.reset()
    assert closes(data, "SPY") == whole


def test_a_made_split_shows_in_raw_bars_holdings_and_announcements(
    server: SimulatorServer, control: SimulatorControl, data: Client, trading: Client
) -> None:
    before = closes(data, "SPY")
    control.set_holding("SPY", Decimal(10))
    control.change_market(MadeSplit(symbol="SPY", day=TOMORROW, ratio=2))
    assert closes(data, "SPY", RAW)[date(2020, 5, 29)] == 2 * before[date(2020, 5, 29)]
    assert actions(server, "SPY") == {}, "nobody knows of it today"
    to_tomorrow(control)
    assert closes(data, "SPY")[date(2020, 5, 29)] == before[date(2020, 5, 29)]
    assert closes(data, "SPY", RAW)[date(2020, 5, 29)] == 2 * before[date(2020, 5, 29)]
    assert control.state().holdings[0].qty == 20
    (split,) = actions(server, "SPY")["forward_splits"]
    assert (split["new_rate"], split["old_rate"], split["ex_date"]) == (2, 1, "2020-06-02")


@pytest.mark.parametrize("ratio", [2.0, 0.05])
def test_a_split_may_be_missed_by_the_adjustment_or_by_the_announcements(
    server: SimulatorServer, control: SimulatorControl, data: Client, ratio: float
) -> None:
    before = closes(data, "SPY")[date(2020, 5, 28)]
    missed = MadeSplit(symbol="SPY", day=date(2020, 5, 29), ratio=ratio, adjusted=False)
    control.change_market(missed)
    assert closes(data, "SPY")[date(2020, 5, 28)] == ratio * before
    assert set(actions(server, "SPY")) == {"forward_splits" if ratio > 1 else "reverse_splits"}
    control.reset()
    control.change_market(missed.model_copy(update={"adjusted": True, "announced": False}))
    assert closes(data, "SPY")[date(2020, 5, 28)] == before
    assert actions(server, "SPY") == {}


def test_a_delisted_symbol_has_no_new_bars_and_takes_no_orders(
    server: SimulatorServer, control: SimulatorControl, data: Client, trading: TradingClient
) -> None:
    control.set_holding("TLT", Decimal(3))
    control.change_market(Delisted(symbol="TLT", day=TOMORROW))
    assert max(closes(data, "TLT")) == TODAY
    to_tomorrow(control)
    assert max(closes(data, "TLT")) == TODAY
    asset: Client = trading.get_asset("TLT")
    assert (asset.status, asset.tradable) == (AssetStatus.INACTIVE, False)
    listed: Client = trading.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE))
    assert "TLT" not in {item.symbol for item in listed}
    assert control.state().holdings[0].symbol == "TLT", "what is held stays"
    with pytest.raises(APIError, match="not active"):
        trading.close_position("TLT")


def test_a_renamed_symbol_takes_its_past_and_its_holders_along(
    server: SimulatorServer, control: SimulatorControl, data: Client, trading: TradingClient
) -> None:
    past = closes(data, "TLT")
    control.set_holding("TLT", Decimal(3))
    control.change_market(Renamed(symbol="TLT", day=TOMORROW, into="TLTX"))
    assert closes(data, "TLTX") == {}
    with pytest.raises(APIError, match="asset not found"):
        trading.get_asset("TLTX")
    to_tomorrow(control)
    renamed = closes(data, "TLTX")
    assert max(closes(data, "TLT")) == TODAY
    assert max(renamed) == TOMORROW
    assert all(renamed[day] == close for day, close in past.items() if day < TODAY)
    assert [holding.symbol for holding in control.state().holdings] == ["TLTX"]
    (change,) = actions(server, "TLT")["name_changes"]
    assert (change["old_symbol"], change["new_symbol"]) == ("TLT", "TLTX")
    trading.close_position("TLTX")
    control.advance(timedelta(seconds=5))
    assert control.state().holdings == []


@pytest.mark.parametrize(
    "change",
    [
        CashDividend(symbol="TLT", day=TOMORROW, rate=Decimal(2)),
        SpinOff(symbol="TLT", day=TOMORROW, new_symbol="XLP", new_rate=Decimal("0.1")),
        StockDividend(symbol="TLT", day=TOMORROW, rate=Decimal("0.05")),
        MadeSplit(symbol="TLT", day=TOMORROW, ratio=2),
    ],
    ids=lambda change: change.kind,
)
def test_a_new_name_has_the_past_adjusted_as_under_the_old_one(
    control: SimulatorControl, data: Client, change: MarketChange
) -> None:
    control.change_market(change)
    control.change_market(Renamed(symbol="TLT", day=date(2020, 6, 4), into="TLTX"))
    control.set_now(datetime(2020, 6, 3, 21, tzinfo=UTC))
    past = {adjustment: closes(data, "TLT", adjustment) for adjustment in Adjustment}
    assert past[RAW][TODAY] != past[ALL][TODAY], "what came after it adjusts nothing"
    control.set_now(datetime(2020, 6, 4, 15, tzinfo=UTC))
    for adjustment, seen in past.items():
        renamed = closes(data, "TLTX", adjustment)
        assert seen == {day: close for day, close in renamed.items() if day in seen}, adjustment


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Delisted(symbol="NOPE", day=TOMORROW), "no symbol 'NOPE'"),
        (Delisted(symbol="TLT", day=TODAY), "give a later one"),
        (Renamed(symbol="TLT", day=TOMORROW, into="SPY"), "choose another name"),
        (MadeSplit(symbol="TLT", day=TOMORROW), "give its ratio"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    control: SimulatorControl, change: Delisted | Renamed | MadeSplit, words: str
) -> None:
    with pytest.raises(ControlError, match=words):
        control.change_market(change)
    assert control.market_changes() == []


def test_changes_outlive_the_process_and_not_a_reset(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    change = SkippedBars(symbol="SPY", days=(date(2020, 5, 28),))
    query: dict[str, Any] = {"symbols": "SPY", "timeframe": "1Day", "start": "2020-05-28", "end": "2020-05-29"}
    with SimulatorServer(config(state=state)) as first, first.control as control:
        assert "SPY" in get(first.url, "/v2/stocks/bars", **query).json()["bars"]
        control.change_market(change)
    with SimulatorServer(config(state=state)) as second, second.control as control:
        assert control.market_changes() == [change]
        assert get(second.url, "/v2/stocks/bars", **query).json()["bars"] == {}
        control.reset()
        assert "SPY" in get(second.url, "/v2/stocks/bars", **query).json()["bars"]


@pytest.mark.parametrize("path", ["/v2/stocks/bars", "/v2/stocks/trades/latest", "/v1/corporate-actions"])
def test_a_malformed_symbol_is_refused_by_name_and_an_unknown_one_is_absent(
    server: SimulatorServer, control: SimulatorControl, path: str
) -> None:
    refused = get(server.url, path, symbols="SPY,BRK/B", timeframe="1Day")
    assert (refused.status_code, refused.json()["message"]) == (400, "invalid symbol: BRK/B")
    assert get(server.url, path, symbols="BRK.B", timeframe="1Day").status_code == 200
    assert get(server.url, path, headers={}, symbols="SPY", timeframe="1Day").status_code == 401


def test_corporate_actions_come_in_pages(server: SimulatorServer, control: SimulatorControl) -> None:
    for day in (26, 27, 28):
        control.change_market(MadeSplit(symbol="SPY", day=date(2020, 5, day), ratio=2))
    query: dict[str, Any] = {"symbols": "SPY", "start": "2020-05-01", "end": "2020-05-31", "limit": "2"}
    one = get(server.url, "/v1/corporate-actions", **query).json()
    two = get(server.url, "/v1/corporate-actions", **query, page_token=one["next_page_token"]).json()
    days = [item["ex_date"][-2:] for page in (one, two) for item in page["corporate_actions"]["forward_splits"]]
    assert (days, two["next_page_token"]) == (["26", "27", "28"], None)
    assert get(server.url, "/v1/corporate-actions", **query, page_token="x").status_code == 400
