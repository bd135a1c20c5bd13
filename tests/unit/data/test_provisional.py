"""Today's bar so far is used only if every trade in it is sane."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.messages.bars import Matrix
from alchemiser_common.messages.snapshot import ProvisionalBar
from alchemiser_common.ports.broker import Trade
from alchemiser_data.provisional import provisional_row
from support.messages import SESSION, make_bars

NOW = SESSION.closes - timedelta(minutes=20)


def trade(symbol: str, price: str, age: timedelta = timedelta(seconds=5)) -> Trade:
    return Trade(symbol=symbol, price=Decimal(price), at=NOW - age)


def row(*trades: Trade) -> tuple[Matrix, ProvisionalBar]:
    return provisional_row(make_bars(), trades, session=SESSION, now=NOW, max_age=timedelta(minutes=30), max_move=0.5)


def test_the_row_follows_the_bars_order_and_says_how_old_it_is() -> None:
    values, mark = row(trade("TECL", "77.5", timedelta(minutes=3)), trade("SPY", "313"))
    np.testing.assert_array_equal(values, [313.0, 77.5])
    assert mark.oldest_trade == NOW - timedelta(minutes=3)


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
def test_a_trade_that_cannot_be_trusted_is_refused(bad: list[Trade], words: str) -> None:
    with pytest.raises(MarketDataRejected) as refusal:
        row(trade("SPY", "313"), *bad)
    assert words in str(refusal.value)
    assert "TECL" in str(refusal.value)
