"""Bars, trades, quotes and announcements: an odd one costs its own symbol only."""

from datetime import date

import pytest

from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from support.alpaca_elements import DAY, HTML, bar
from support.answered_broker import Answer, always, answered


def test_null_bars_are_none_and_odd_ones_cost_their_own_symbol_only(caplog: pytest.LogCaptureFixture) -> None:
    symbols = ["QQQ", "SPY", "TLT", "BIL", "GLD"]
    assert always({"bars": None}).daily_bars(symbols, DAY, DAY) == []
    bars = {
        "QQQ": None,
        "SPY": [bar(1, 300.5), bar(2, 301)],
        "TLT": [bar(1, 150.5), bar(2, None), bar(3, "151"), bar(4, True), bar(5, float("nan")), bar(6, 1e16)],
        "BIL": [bar(1, 91.5), {"t": None, "c": 91.5}],
        "GLD": {"x": 1},
    }
    with caplog.at_level("WARNING"):
        spy, tlt = always({"bars": bars, "next_page_token": None}).daily_bars(symbols, DAY, DAY)
    assert (spy.symbol, spy.days, spy.closes) == ("SPY", [date(2020, 6, 1), date(2020, 6, 2)], [300.5, 301])
    assert [day.day for day in tlt.days] == [1, 2, 3, 4, 5, 6]
    assert [close == close for close in tlt.closes] == [True] + 5 * [False], "NaN, no number from a null"
    assert {"BIL", "GLD", "TLT"} == {getattr(record, "symbol", "") for record in caplog.records}


def test_pages_that_lead_nowhere_end() -> None:
    with pytest.raises(BrokerUnavailable, match="leads nowhere new after 2 pages"):
        always({"bars": {}, "next_page_token": "again"}).daily_bars(["SPY"], DAY, DAY)
    with pytest.raises(BrokerUnavailable, match="leads nowhere new"):
        always({"bars": {}, "next_page_token": 7}).daily_bars(["SPY"], DAY, DAY)


def test_a_trade_or_quote_that_cannot_be_read_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    symbols = ["SPY", "QQQ", "TLT", "BIL"]
    good = {"t": "2020-06-03T14:00:00Z", "p": 300.1, "bp": 300, "ap": 300.2}
    entries = {"QQQ": None, "SPY": good, "TLT": good | {"p": True, "bp": None}, "BIL": [good]}
    with caplog.at_level("WARNING"):
        assert [trade.symbol for trade in always({"trades": entries}).latest_trades(symbols)] == ["SPY"]
        assert [quote.symbol for quote in always({"quotes": entries}).latest_quotes(symbols)] == ["SPY"]
    assert len(caplog.records) == 6
    assert always({"trades": None}).latest_trades(symbols) == []
    with pytest.raises(BrokerUnavailable, match="trades: is missing"):
        always({"quotes": entries}).latest_trades(symbols)


def test_no_page_of_a_proxy_makes_a_symbol_unknown() -> None:
    page = answered(lambda _: Answer(404, HTML))
    for read in (page.latest_trades, page.latest_quotes, page.assets):
        with pytest.raises(BrokerRefused, match="HTTP 404"):
            read(["SPY", "QQQ"])


def test_anothers_announcement_that_cannot_be_read_costs_nothing_and_ones_own_stops() -> None:
    mine = {"symbol": "SPY", "ex_date": "2020-06-03", "new_rate": 2, "old_rate": 1}
    theirs = {"symbol": "QQQ", "ex_date": None, "new_rate": None}
    splits = [theirs, mine]
    content = {"corporate_actions": {"forward_splits": splits, "unit_splits": None}}
    assert [split.ratio for split in always(content).announced_splits("SPY", DAY, DAY)] == [2]
    splits.append(theirs | {"symbol": "SPY"})
    with pytest.raises(BrokerUnavailable, match="ex_date"):
        always(content).announced_splits("SPY", DAY, DAY)
    assert always({"corporate_actions": None}).announced_splits("SPY", DAY, DAY) == []
