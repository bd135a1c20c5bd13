"""Today's bar so far is used only if every trade in it is sane."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.ports.broker import Trade
from alchemiser_data.provisional import TodayRow, provisional_row
from support.messages import SESSION, make_bars

NOW = SESSION.closes - timedelta(minutes=20)


def trade(symbol: str, price: str, age: timedelta = timedelta(seconds=5)) -> Trade:
    return Trade(symbol=symbol, price=Decimal(price), at=NOW - age)


def row(*trades: Trade) -> TodayRow:
    return provisional_row(make_bars(), trades, session=SESSION, now=NOW, max_age=timedelta(minutes=30), max_move=0.5)


def test_the_row_follows_the_bars_order_and_says_how_old_it_is() -> None:
    today = row(trade("TECL", "77.5", timedelta(minutes=3)), trade("SPY", "313"))
    np.testing.assert_array_equal(today.prices, [313.0, 77.5])
    assert today.mark.oldest_trade == NOW - timedelta(minutes=3)
    assert not today.faults


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([], "TECL: no latest trade for today's bar"),
        ([trade("TECL", "0")], "rule: positive price"),
        ([trade("TECL", "-76")], "rule: positive price"),
        ([trade("TECL", "76", timedelta(minutes=31))], "rule: fresh"),
        ([trade("TECL", "76", timedelta(hours=20))], "rule: of today"),
        ([trade("TECL", "20")], "-73.7% from the last close 76.125 (rule: plausible move)"),
    ],
)
def test_a_trade_that_cannot_be_trusted_leaves_its_symbol_without_a_bar_today(bad: list[Trade], words: str) -> None:
    today = row(trade("SPY", "313"), *bad)
    (fault,) = today.faults
    assert words in f"{fault.symbol}: {fault.detail} (rule: {fault.rule})"
    np.testing.assert_array_equal(today.prices, [313.0, np.nan])
    assert today.mark.oldest_trade == NOW - timedelta(seconds=5), "of the prices that are used"


def test_without_any_trade_to_trust_there_is_no_bar_today() -> None:
    with pytest.raises(MarketDataRejected, match="no symbol has a trade for today's bar: SPY: no latest trade"):
        row(trade("TECL", "0"))
