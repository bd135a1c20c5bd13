"""Corporate actions as clients see them: announcements in Alpaca's shape, activities, positions and bars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alpaca.data.enums import Adjustment
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import CorporateActionsRequest, StockBarsRequest
from alpaca.data.timeframe import TimeFrame

from alchemiser_simulator import ControlError, SimulatorControl, SimulatorServer
from alchemiser_simulator.market.changes import (
    CashDividend,
    MadeSplit,
    MarketChange,
    Merger,
    Renamed,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
)
from integration.simulator.calls import config, get

type Client = Any  # alpaca-py's methods return a model or a dict; here always the model

TODAY, TOMORROW = date(2020, 6, 1), date(2020, 6, 2)
CHANGES: list[tuple[MarketChange, str, dict[str, Any]]] = [
    (MadeSplit(symbol="SPY", day=TOMORROW, ratio=2), "forward_splits", {"new_rate": 2, "old_rate": 1}),
    (MadeSplit(symbol="QQQ", day=TOMORROW, ratio=0.1), "reverse_splits", {"new_rate": 1, "old_rate": 10}),
    (CashDividend(symbol="TLT", day=TOMORROW, rate=Decimal("0.31"), lag_days=9), "cash_dividends",
     {"rate": 0.31, "ex_date": TOMORROW, "payable_date": date(2020, 6, 11)}),
    (StockDividend(symbol="IEF", day=TOMORROW, rate=Decimal("0.05")), "stock_dividends", {"rate": 0.05}),
    (SpinOff(symbol="XLK", day=TOMORROW, new_symbol="XLP", new_rate=Decimal("0.25")), "spin_offs",
     {"source_symbol": "XLK", "new_symbol": "XLP", "new_rate": 0.25}),
    (Merger(symbol="XLF", day=TOMORROW, cash_rate=Decimal("42.5")), "cash_mergers", {"rate": 42.5}),
    (Merger(symbol="TECL", day=TOMORROW, acquirer="SPY", acquirer_rate=Decimal("0.5")), "stock_mergers",
     {"acquirer_symbol": "SPY", "acquirer_rate": 0.5}),
    (Merger(symbol="TQQQ", day=TOMORROW, acquirer="SPY", acquirer_rate=Decimal("0.5"), cash_rate=Decimal(3)),
     "stock_and_cash_mergers", {"cash_rate": 3.0}),
    (Renamed(symbol="EEM", day=TOMORROW, into="EEMX"), "name_changes", {"new_symbol": "EEMX"}),
    (WorthlessRemoval(symbol="UVXY", day=TOMORROW), "worthless_removals", {"symbol": "UVXY"}),
]  # fmt: skip


def announced(server: SimulatorServer, *symbols: str) -> dict[str, list[Any]]:
    client = CorporateActionsClient("PKTEST", "secret", url_override=server.url)
    client._retry = 0
    found: Client = client.get_corporate_actions(
        CorporateActionsRequest(symbols=list(symbols), start=date(2020, 1, 1), end=date(2020, 12, 31))
    )
    client._session.close()
    return dict(found.data)


def test_every_kind_is_announced_as_alpacas_client_reads_it() -> None:
    with (
        SimulatorServer(config(changes=tuple(change for change, _, _ in CHANGES))) as server,
        server.control as control,
    ):
        symbols = [change.symbol for change, _, _ in CHANGES]
        assert announced(server, *symbols) == {}, "nobody knows of it today"
        control.advance(timedelta(days=1))
        found = announced(server, *symbols)
        for change, kind, fields in CHANGES:
            (one,) = found[kind]
            assert fields.items() <= dict(one).items(), change
            assert one.process_date == TOMORROW
        assert len({str(one.id) for each in found.values() for one in each}) == len(CHANGES)
        control.reset()
        control.advance(timedelta(days=1))
        assert announced(server, "TLT")["cash_dividends"], "a reset took out what the simulator began with"


@pytest.mark.parametrize(
    ("days", "known"), [(-5, [True, True, True]), (0, [False, True, True]), (2, [False, False, True])]
)
def test_an_announcement_comes_early_in_time_or_late(
    server: SimulatorServer, control: SimulatorControl, days: int, known: list[bool]
) -> None:
    control.change_market(CashDividend(symbol="TLT", day=TOMORROW, rate=Decimal(1), announced_days=days))
    seen = []
    for wait in (0, 1, 2):
        control.advance(timedelta(days=wait))
        seen.append("cash_dividends" in announced(server, "TLT"))
    assert seen == known


def closes(data: Client, adjustment: Adjustment) -> list[float]:
    request = StockBarsRequest(
        symbol_or_symbols="TLT", timeframe=TimeFrame.Day, start=datetime(2020, 5, 28, tzinfo=UTC), adjustment=adjustment
    )
    return [bar.close for bar in data.get_stock_bars(request).data["TLT"]]


def test_a_dividend_is_paid_told_and_leaves_the_price(
    server: SimulatorServer, control: SimulatorControl, data: Client
) -> None:
    control.set_holding("TLT", Decimal(10))
    control.advance(timedelta(hours=6))
    before = closes(data, Adjustment.RAW)
    control.change_market(CashDividend(symbol="TLT", day=TOMORROW, rate=Decimal(2)))
    assert closes(data, Adjustment.ALL) == before, "the past was changed by what nobody knows of"
    control.set_now(datetime(2020, 6, 2, 21, tzinfo=UTC))
    raw, adjusted = closes(data, Adjustment.RAW), closes(data, Adjustment.ALL)
    assert raw[:-1] == before
    paid = (before[-1] - 2) / before[-1]
    assert adjusted == [pytest.approx(close * paid) for close in before] + [raw[-1]]
    (dividend,) = get(server.url, "/v2/account/activities/DIV").json()
    assert {
        "activity_sub_type": "CDIV", "symbol": "TLT", "qty": "10", "net_amount": "20", "per_share_amount": "2",
        "date": "2020-06-02", "status": "executed",
    }.items() <= dividend.items()  # fmt: skip
    assert dividend["id"].startswith("20200602000000000::")
    assert control.state().cash == 100_020


def test_the_samples_own_split_is_two_activities(server: SimulatorServer, control: SimulatorControl) -> None:
    control.reset(start=datetime(2018, 6, 8, 15, tzinfo=UTC))
    control.set_holding("SOXL", Decimal("10.5"))
    control.set_now(datetime(2018, 6, 11, 12, tzinfo=UTC))
    new, old = get(server.url, "/v2/account/activities/SPLIT").json()
    assert [(one["symbol"], one["qty"], one["net_amount"]) for one in (old, new)] == [
        ("SOXL", "-10.5", "0"),
        ("SOXL", "31.5", "0"),
    ]
    assert old["group_id"] == new["group_id"]
    assert get(server.url, "/v2/positions/SOXL").json()["qty"] == "31.5"


def test_two_actions_of_a_symbol_on_one_day_are_refused(control: SimulatorControl) -> None:
    control.change_market(CashDividend(symbol="TLT", day=TOMORROW, rate=Decimal(1)))
    with pytest.raises(ControlError, match="has a corporate action on 2020-06-02 already"):
        control.change_market(WorthlessRemoval(symbol="TLT", day=TOMORROW))
    with pytest.raises(ControlError, match="give a later one"):
        control.change_market(CashDividend(symbol="IEF", day=TODAY, rate=Decimal(1)))
