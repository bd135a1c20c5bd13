"""Cash dividends of a price file: found in its adjusted closes, paid in cash, and nothing is made of it twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from alchemiser_simulator import PriceHistory, SimulatorConfig, Split
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.market.dividends import with_dividends

DAYS = tuple(date(2020, 6, 1) + timedelta(days=number) for number in range(5))
CLOSES = [100.0, 98.5, 99.0, 33.0, 32.5]  # 2.00 before the second, 0.75 before the third, 3:1 before the fourth


def fund() -> PriceHistory:
    factors = np.array([98 / 100 * 97.75 / 98.5, 97.75 / 98.5, 1, 1, 1]) / np.array([3, 3, 3, 1, 1])
    closes = np.array([CLOSES]).T
    return PriceHistory(
        DAYS, ("FUND",), closes, adjusted_close=closes * factors[:, None], splits=(Split("FUND", DAYS[3], 3.0),)
    )


def test_dividends_are_what_adjusted_closes_leave_out() -> None:
    found = with_dividends(fund())
    assert [(one.day, one.rate) for one in found.actions if one.kind == "cash_dividend"] == [
        (DAYS[1], Decimal("2.0000")),
        (DAYS[2], Decimal("0.7500")),
    ]
    assert np.array_equal(found.close, fund().close)
    plain = PriceHistory(DAYS, ("FUND",), fund().close)
    assert with_dividends(plain) is plain


@pytest.mark.parametrize(("pays", "cash"), [(False, 1000), (True, 1000 + 2 * 10 + Decimal("7.5"))])
def test_they_are_paid_only_if_asked_for(pays: bool, cash: Decimal) -> None:
    start = datetime(2020, 6, 1, 15, tzinfo=UTC)
    settings = SimulatorConfig(history=fund(), start=start, cash=Decimal(1000), pay_dividends=pays)
    exchange = Venue(settings).exchange
    exchange.set_holding("FUND", Decimal(10), None)
    exchange.advance_to(datetime(2020, 6, 1, 21, tzinfo=UTC))
    before = exchange.equity
    exchange.advance_to(datetime(2020, 6, 2, 12, tzinfo=UTC))
    assert exchange.equity == before, "the account jumped over night"
    exchange.advance_to(datetime(2020, 6, 4, 15, tzinfo=UTC))
    assert exchange.books.head.ledger.cash == cash
    assert exchange.books.head.ledger.holdings["FUND"].qty == 30
