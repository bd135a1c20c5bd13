"""Prices of both sides are shown beside a verdict: a signed difference, and which side nobody sent."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegReport, LegStatus
from alchemiser_readmodel.prices_beside import Execution, PriceBeside, execution_of, prices_beside
from support.messages import SCHEDULED, make_report
from support.stored_records import make_dry_walk


def leg(symbol: str, side: Side, price: str | None) -> LegReport:
    filled = Decimal(0) if price is None else Decimal(10)
    status = LegStatus.UNFILLED if price is None else LegStatus.FILLED
    average = None if price is None else Decimal(price)
    return LegReport(
        symbol=symbol, side=side, status=status, intended=Decimal(10), filled=filled, average_price=average
    )


@pytest.mark.parametrize(
    ("side", "monolith", "modular", "bps"),
    [
        (Side.BUY, "100", "100.10", "10"),  # paid more
        (Side.SELL, "100", "100.10", "-10"),  # got more
        (Side.BUY, "100", "99.95", "-5"),
        (Side.BUY, "100", None, None),
        (Side.SELL, None, "100", None),
    ],
)
def test_the_difference_is_what_the_modular_side_lost(
    side: Side, monolith: str | None, modular: str | None, bps: str | None
) -> None:
    sides = (Execution((leg("QQQ", side, price),)) for price in (monolith, modular))
    (found,) = prices_beside(*sides)
    assert found.modular_worse_bps == (None if bps is None else Decimal(bps))


def test_each_symbol_that_a_side_has_filled_is_there_once() -> None:
    mine = Execution((leg("SPY", Side.BUY, "400"), leg("TLT", Side.SELL, "90"), leg("XLE", Side.BUY, None)))
    theirs = Execution((leg("SPY", Side.BUY, "401"), leg("BIL", Side.BUY, "91")), simulated=True)
    assert prices_beside(mine, theirs) == (
        PriceBeside("BIL", Side.BUY, None, Decimal(91)),
        PriceBeside("SPY", Side.BUY, Decimal(400), Decimal(401)),
        PriceBeside("TLT", Side.SELL, Decimal(90), None),
    )


def test_what_was_sent_outweighs_what_was_simulated() -> None:
    report, walk = make_report(), make_dry_walk()
    assert report.orders_placed > 0
    assert execution_of(report, walk) == Execution(report.legs)
    nothing_sent = report.model_copy(update={"orders_placed": 0, "legs": ()})
    simulated = execution_of(nothing_sent, walk)
    assert (simulated.legs, simulated.simulated) == (walk.legs, True)
    assert simulated.began == SCHEDULED + timedelta(seconds=30)
    assert execution_of(None, None) == Execution()
