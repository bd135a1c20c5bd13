"""Cash: when buys may begin, and for how much."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import OrderStatus
from alchemiser_trading.cash import Purse, release_buys
from alchemiser_trading.execution import abandoned, release
from alchemiser_trading.legs import LegPhase, LegState, Step, start
from support.messages import SCHEDULED
from support.reconciling import A, B, leg, order, plan


def sold(value: str, *, price: bool = True, done: bool = True) -> LegState:
    filled = order(
        "AAA-1",
        Side.SELL,
        OrderStatus.FILLED,
        filled_quantity=Decimal(value) / 10,
        average_price=Decimal(10) if price else None,
    )
    return LegState(
        leg=A,
        phase=LegPhase.DONE if done else LegPhase.READY,
        intended=A.quantity,
        chain=(filled,),
        ended_at=SCHEDULED,
        outcome=LegStatus.FILLED,
    )


NOTHING = Decimal(0)
SETTLE = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("broker_cash", "price", "released"),
    [("100", True, True), ("0", True, False), ("100", False, False), ("99", True, False)],
    ids=["cash is there", "cash lags", "price unknown", "fees took some"],
)
def test_a_buy_waits_for_confirmed_proceeds_and_for_the_brokers_cash(
    broker_cash: str, price: bool, released: bool
) -> None:
    purse = Purse(plan(A, B), [sold("100", price=price), start(B)], Decimal(broker_cash))
    legs = release_buys(purse, NOTHING, SCHEDULED + timedelta(seconds=1), SETTLE)
    assert (legs[1].phase is LegPhase.READY and legs[1].intended == B.quantity) is released


def test_cash_lags_while_the_broker_shows_less_than_the_fills() -> None:
    legs = [sold("100"), start(B)]
    assert Purse(plan(A, B, cash="1000"), legs, Decimal(900)).lags, "100 USD are missing, and the last sale with them"
    assert not Purse(plan(A, B, cash="1000"), legs, Decimal(1001)).lags, "fees may take a little for good"


@pytest.mark.parametrize(
    ("phase", "side", "coming"),
    [
        (LegPhase.READY, Side.SELL, True),
        (LegPhase.DONE, Side.SELL, False),
        (LegPhase.WORKING, Side.BUY, True),
        (LegPhase.SENT, Side.BUY, True),
        (LegPhase.CANCELLING, Side.BUY, True),
        (LegPhase.READY, Side.BUY, False),
        (LegPhase.HELD, Side.BUY, False),
    ],
)
def test_cash_is_coming_from_sales_and_from_buys_under_way(phase: LegPhase, side: Side, *, coming: bool) -> None:
    other = replace(start(leg(3, "CCC", side, "1")), phase=phase)
    mine = release(start(B), B.quantity)
    assert Purse(plan(B), [mine, other], Decimal(0)).coming(mine) is coming


def test_a_fill_without_a_price_counts_at_its_limit() -> None:
    bought = order("BBB-1", Side.BUY, OrderStatus.FILLED, filled_quantity=Decimal(4), limit_price=Decimal(11))
    state = replace(release(start(B), B.quantity), chain=(bought,))
    assert Purse(plan(B, cash="100"), [state], Decimal(100)).ledger == Decimal(56)


def test_when_cash_stays_short_the_buys_share_it() -> None:
    c = leg(3, "CCC", Side.BUY, "30")
    purse = Purse(plan(A, B, c), [sold("40"), start(B), start(c)], Decimal(40))
    legs = release_buys(purse, NOTHING, SCHEDULED + timedelta(minutes=1), SETTLE)
    assert [state.intended for state in legs[1:]] == [Decimal(1), Decimal(3)]
    assert "cash falls short" in legs[1].reason


def test_a_buy_under_way_keeps_its_cash_from_the_others() -> None:
    c = leg(3, "CCC", Side.BUY, "10")
    purse = Purse(plan(B, c, cash="150"), [release(start(B), B.quantity), start(c)], Decimal(150))
    assert purse.spendable() == Decimal(50)
    assert purse.spendable(without=purse.legs[0]) == Decimal(150)


def test_a_frozen_buy_keeps_its_cash() -> None:
    working = replace(
        release(start(B), B.quantity),
        phase=LegPhase.CANCELLING,
        pending=Step(1, Decimal(10), Decimal(10), Decimal(10)),
        order=order("BBB-1", Side.BUY, OrderStatus.CANCELLING, filled_quantity=Decimal(4), average_price=Decimal(10)),
    )
    frozen = abandoned(working, "stuck", SCHEDULED)
    purse = Purse(plan(B, cash="150"), [frozen], Decimal(150))
    assert purse.spendable() == Decimal(150) - 40 - 60
