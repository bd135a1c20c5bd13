"""Reconciliation: pure functions over what journal and broker say."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import BrokerOrder, Holdings, LimitOrder, OrderStatus, OtherHolding
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_trading.orders.legs import LegPhase, LegState, Step, start
from alchemiser_trading.orders.order_watch import checked
from alchemiser_trading.orders.reconcile import (
    Difference,
    Finding,
    compare_orders,
    compare_positions,
    fold,
    moved,
    resume,
)
from alchemiser_trading.orders.smart_execution import advance
from support.legs import RULES
from support.messages import SCHEDULED
from support.reconciling import A, B, leg, order, plan

HALF, COST = Decimal(5), Decimal(11)


def intent(planned: PlannedLeg, step: int, filled_before: Decimal | None = None) -> Intent:
    return Intent(
        client_order_id=f"{planned.symbol}-{step}",
        leg=planned.number,
        step=step,
        symbol=planned.symbol,
        side=planned.side,
        quantity=planned.quantity,
        limit_price=planned.price,
        cost_price=COST,
        leg_quantity=HALF,
        arrival_mid=planned.price - step,
        filled_before=filled_before,
        leg_started_at=SCHEDULED - timedelta(minutes=2 - step),
        authority_epoch=1,
        lease_epoch=1,
        written_at=SCHEDULED,
    )


STEP = "leg 1 step 1 (AAA-1): "


@pytest.mark.parametrize(
    ("found", "finding", "stops", "detail"),
    [
        (None, Finding.ABSENT, False, "the broker does not know it"),
        (order("AAA-1", Side.SELL, OrderStatus.OPEN), Finding.OPEN, False, "open, 0 filled"),
        (
            order("AAA-1", Side.SELL, OrderStatus.FILLED, filled_quantity=Decimal(10)),
            Finding.ENDED,
            False,
            "filled, 10 filled",
        ),
        (
            order("AAA-1", Side.BUY, OrderStatus.OPEN),
            Finding.ODD,
            False,
            "order id-AAA-1 is buy AAA instead of sell AAA",
        ),
        (
            order("AAA-1", Side.SELL, OrderStatus.OPEN, symbol="ZZZ"),
            Finding.ODD,
            False,
            "order id-AAA-1 is sell ZZZ instead of sell AAA",
        ),
        (
            order("AAA-1", Side.SELL, OrderStatus.OPEN, quantity=Decimal(9)),
            Finding.ODD,
            False,
            "order id-AAA-1 is for 9 shares instead of 10",
        ),
        (
            order("AAA-1", Side.SELL, OrderStatus.FILLED, filled_quantity=Decimal(4)),
            Finding.ODD,
            False,
            "order id-AAA-1 is called filled with 4 of 10 shares",
        ),
    ],
)
def test_every_intent_is_classified(found: BrokerOrder | None, finding: Finding, *, stops: bool, detail: str) -> None:
    orders = {} if found is None else {"AAA-1": found}
    (difference,) = compare_orders([intent(A, 1)], orders, [])
    assert difference == Difference(finding, "AAA", STEP + detail)
    assert difference.stops is stops


def test_an_open_order_that_no_intent_explains_stops_the_run() -> None:
    (difference,) = compare_orders([], {}, [order("XXX-9", Side.BUY, OrderStatus.OPEN)])
    detail = "open buy order of XXX is not this run's: id-XXX-9 (XXX-9)"
    assert difference == Difference(Finding.FOREIGN, "XXX", detail)
    assert difference.stops


def test_the_successor_of_a_replaced_order_is_explained() -> None:
    first = order("AAA-1", Side.SELL, OrderStatus.REPLACED, filled_quantity=Decimal(3), average_price=Decimal(10))
    second = order("AAA-x", Side.SELL, OrderStatus.OPEN, filled_quantity=Decimal(2), average_price=Decimal(9))
    folded = fold([first, second])
    found = compare_orders([intent(A, 1)], {"AAA-1": folded}, [second])
    assert [item.finding for item in found] == [Finding.OPEN]


def test_a_chain_of_replaced_orders_counts_as_one() -> None:
    first, second, last = (
        order(f"AAA-{name}", Side.SELL, status, submitted_at=SCHEDULED + timedelta(seconds=number), **fills)
        for number, (name, status, fills) in enumerate(
            [
                ("1", OrderStatus.REPLACED, {"filled_quantity": Decimal(3), "average_price": Decimal(10)}),
                ("x", OrderStatus.REPLACED, {}),
                ("y", OrderStatus.OPEN, {"filled_quantity": Decimal(2), "average_price": Decimal(9)}),
            ]
        )
    )
    one = {
        "client_order_id": "AAA-1",
        "filled_quantity": Decimal(5),
        "average_price": Decimal("9.6"),
        "submitted_at": SCHEDULED,
        "quantity": Decimal(13),
        "links": 3,
    }
    assert fold([first, second, last]) == last.model_copy(update=one)


@pytest.mark.parametrize(
    ("filled", "price", "average"), [("0", None, None), ("0.5", None, None), ("0.5", "10", Decimal(10))]
)
def test_a_folded_order_has_a_price_once_all_its_fills_have_one(
    filled: str, price: str | None, average: Decimal | None
) -> None:
    told = {"filled_quantity": Decimal(filled), "average_price": Decimal(price) if price else None}
    folded = fold(
        [order("AAA-1", Side.SELL, OrderStatus.REPLACED), order("AAA-x", Side.SELL, OrderStatus.OPEN, **told)]
    )
    assert (folded.filled_quantity, folded.average_price) == (Decimal(filled), average)


def test_two_open_orders_of_one_leg_stop_the_run() -> None:
    orders = {f"BBB-{step}": order(f"BBB-{step}", Side.BUY, OrderStatus.OPEN) for step in (1, 2)}
    found = compare_orders([intent(A, 1), intent(B, 1), intent(B, 2)], orders, [])
    twice = Difference(Finding.TWICE, "BBB", "2 orders of leg 2 are open")
    assert [item for item in found if item.stops] == [twice]


def position(symbol: str, quantity: str) -> Position:
    return Position(
        symbol=symbol,
        quantity=Decimal(quantity),
        available=Decimal(quantity),
        market_value=Decimal(0),
        price=Decimal(10),
        average_entry_price=Decimal(10),
    )


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        ({"AAA": "6", "BBB": "10", "CCC": "1"}, {}),
        ({"AAA": "6.000000001", "BBB": "9.999999999", "CCC": "1"}, {}),
        ({"AAA": "6.000000002", "BBB": "10", "CCC": "1"}, {"AAA": "6.000000002 shares at the broker, 6 by the fills"}),
        ({"AAA": "6", "BBB": "10"}, {"CCC": "0 shares at the broker, 1 by the fills"}),
        ({"AAA": "6", "CCC": "1"}, {"BBB": "0 shares at the broker, 10 by the fills"}),
        (
            {"AAA": "-6", "BBB": "10", "CCC": "1", "ZZZ": "1"},
            {
                "AAA": "-6 shares at the broker, 6 by the fills",
                "ZZZ": "1 shares at the broker, 0 by the fills",
            },
        ),
    ],
    ids=["as the fills say", "but for dust", "more than dust", "one is gone", "a buy is missing", "others"],
)
def test_a_position_that_start_and_fills_do_not_explain_is_named(shown: dict[str, str], named: dict[str, str]) -> None:
    before = plan(A, B).model_copy(update={"positions": (position("AAA", "10"), position("CCC", "1"))})
    legs = [
        replace(
            start(planned),
            chain=(order(f"{planned.symbol}-1", planned.side, OrderStatus.FILLED, filled_quantity=filled),),
        )
        for planned, filled in ((A, Decimal(4)), (B, Decimal(10)))
    ]
    held = Holdings(tuple(position(symbol, quantity) for symbol, quantity in shown.items()))
    found = compare_positions(before, legs, held)
    assert found == tuple(Difference(Finding.POSITION, symbol, detail) for symbol, detail in named.items())


def other(symbol: str, quantity: str | None) -> OtherHolding:
    number = None if quantity is None else Decimal(quantity)
    return OtherHolding(symbol=symbol, kind="unpriced", quantity=number, detail="without a price")


@pytest.mark.parametrize(
    ("positions", "others", "sold", "bought"),
    [
        ((position("AAA", "6"),), (), "4", "0"),
        ((), (), "10", "0"),
        ((position("AAA", "10"), position("BBB", "3")), (), "0", "3"),
        ((), (other("AAA", "6"),), "4", "0"),
        ((position("BBB", "3"),), (other("AAA", None),), None, "3"),
    ],
    ids=["some went", "all went, an empty list says", "some came", "without a price", "unreadable"],
)
def test_how_far_a_position_has_moved(
    positions: tuple[Position, ...], others: tuple[OtherHolding, ...], sold: str | None, bought: str
) -> None:
    before, held = plan(A, B).model_copy(update={"positions": (position("AAA", "10"),)}), Holdings(positions, others)
    assert moved(before, A, held) == (None if sold is None else Decimal(sold))
    assert moved(before, B, held) == Decimal(bought)


def test_a_holding_without_a_price_is_the_same_shares() -> None:
    before = plan(A).model_copy(update={"positions": (position("AAA", "10"),)})
    assert compare_positions(before, [start(A)], Holdings((), (other("AAA", "10"), other("ZZZ", "1")))) == ()
    assert compare_positions(before, [start(A)], Holdings((), (other("AAA", None),))) != ()


def resumed_at(planned: PlannedLeg, step: int, **changes: Any) -> LegState:
    """A leg whose last written step is `step`, as its intents tell."""
    state = replace(
        start(planned),
        pending=Step(step, planned.quantity, LimitOrder(planned.price), COST),
        intended=HALF,
        for_now=True,
        steps=step,
        since=SCHEDULED,
        arrival_mid=planned.price - 1,
        started_at=SCHEDULED - timedelta(seconds=60),
    )
    return replace(state, **changes)


def test_a_resumed_run_takes_each_leg_where_the_broker_has_it() -> None:
    c = leg(3, "CCC", Side.BUY, "10")
    ended = [
        order(f"AAA-{step}", Side.SELL, OrderStatus.CANCELLED, filled_quantity=Decimal(2), average_price=Decimal(10))
        for step in (1, 3)
    ]
    working = order("AAA-4", Side.SELL, OrderStatus.OPEN, filled_quantity=Decimal(1), average_price=Decimal(10))
    orders = {item.client_order_id: item for item in (*ended, working)}
    intents = [*(intent(A, step) for step in (1, 2, 3)), intent(A, 4, Decimal(4)), intent(B, 1, Decimal(0))]
    assert resume(plan(A, B, c), intents, orders, SCHEDULED) == (
        resumed_at(A, 4, phase=LegPhase.WORKING, chain=tuple(ended), proved=Decimal(4), order=working, walked=3),
        resumed_at(B, 1, phase=LegPhase.SENT),
        start(c),
    )


def sold(step: int, status: OrderStatus, filled: str, **changes: object) -> BrokerOrder:
    price = Decimal(10) if Decimal(filled) > 0 else None
    told = order(f"AAA-{step}", Side.SELL, status, filled_quantity=Decimal(filled), average_price=price)
    return told.model_copy(update=changes)


# Leg A of 10 shares: steps 1 and 2 of 10 shares each, and step 3, which is not found. What do steps 1 and 2 come to?
CANCELLED, OPEN = OrderStatus.CANCELLED, OrderStatus.OPEN


@pytest.mark.parametrize(
    ("recorded", "shown", "filled", "unknown"),
    [
        ("5", [sold(1, CANCELLED, "2"), sold(2, CANCELLED, "3")], "5", "0"),
        ("5", [sold(1, CANCELLED, "2")], "5", "0"),
        ("5", [], "5", "0"),
        ("5", [sold(1, CANCELLED, "2"), sold(2, OrderStatus.FILLED, "3")], "5", "0"),
        ("5", [sold(1, CANCELLED, "2"), sold(2, CANCELLED, "3", side=Side.BUY)], "5", "0"),
        ("5", [sold(1, CANCELLED, "2"), sold(2, CANCELLED, "4")], "6", "0"),
        ("0", [], "0", "0"),
        (None, [sold(1, CANCELLED, "2"), sold(2, CANCELLED, "3")], "5", "0"),
        (None, [sold(1, CANCELLED, "2")], "2", "10"),
        (None, [], "0", "20"),
        (None, [sold(1, CANCELLED, "2"), sold(2, OrderStatus.FILLED, "3")], "2", "10"),
        (None, [sold(1, CANCELLED, "2"), sold(2, OPEN, "3")], "5", "7"),
    ],
    ids=[
        "all shown",
        "one missing",
        "none shown",
        "one that cannot be true",
        "one of another side",
        "a fill that came late",
        "nothing was filled",
        "of an older version: all shown",
        "of an older version: one missing",
        "of an older version: none shown",
        "of an older version: one that cannot be true",
        "of an older version: one open again",
    ],
)
def test_what_earlier_steps_had_filled_is_what_the_journal_says_or_the_broker_if_it_shows_more(
    recorded: str | None, shown: list[BrokerOrder], filled: str, unknown: str
) -> None:
    before = None if recorded is None else Decimal(recorded)
    intents = [intent(A, 1, Decimal(0)), intent(A, 2, Decimal(2)), intent(A, 3, before)]
    (state,) = resume(plan(A), intents, {item.client_order_id: item for item in shown}, SCHEDULED)
    assert (state.phase, state.steps) == (LegPhase.SENT, 3)
    assert (state.filled, state.unknown) == (Decimal(filled), Decimal(unknown))
    assert state.remaining == max(HALF - Decimal(filled) - Decimal(unknown), Decimal(0))


def test_what_an_older_versions_journal_leaves_unknown_the_position_tells() -> None:
    last = sold(2, CANCELLED, "1")
    (state,) = resume(plan(A), [intent(A, 1), intent(A, 2)], {"AAA-2": last}, SCHEDULED)
    assert (state.filled, state.unknown, state.phase) == (Decimal(0), Decimal(10), LegPhase.CANCELLING)
    state, _ = advance(state, None, last, SCHEDULED, RULES)
    assert (state.phase, state.filled, state.unsettled) == (LegPhase.CHECKING, Decimal(1), Decimal(10))
    agrees, _ = checked(replace(state, confirmed=True), Decimal(1), SCHEDULED, RULES)
    assert (agrees.phase, agrees.remaining, agrees.unsettled) == (LegPhase.READY, Decimal(4), Decimal(0))
    more, _ = checked(replace(state, confirmed=True), Decimal(5), SCHEDULED + timedelta(seconds=30), RULES)
    assert (more.outcome, more.filled, more.unsettled) == (LegStatus.FROZEN, Decimal(1), Decimal(10))


@pytest.mark.parametrize(
    "found",
    [None, sold(1, OrderStatus.FILLED, "3"), sold(1, OPEN, "0", quantity=Decimal(9)), sold(1, OPEN, "11")],
    ids=["not found", "filled with too few", "of another size", "more than there are"],
)
def test_a_last_step_that_is_not_shown_or_cannot_be_true_is_looked_for(found: BrokerOrder | None) -> None:
    (state,) = resume(plan(A), [intent(A, 1, Decimal(0))], {} if found is None else {"AAA-1": found}, SCHEDULED)
    assert state == resumed_at(A, 1, phase=LegPhase.SENT)
    assert state.unsettled == 10


@pytest.mark.parametrize(
    ("status", "filled", "phase", "open_now"),
    [
        (OPEN, "0", LegPhase.WORKING, True),
        (OrderStatus.FILLED, "10", LegPhase.WORKING, False),
        (OrderStatus.CANCELLING, "0", LegPhase.CANCELLING, True),
        (CANCELLED, "0", LegPhase.CANCELLING, False),
    ],
)
def test_a_resumed_cancel_is_taken_for_the_runs_own(
    status: OrderStatus, filled: str, phase: LegPhase, *, open_now: bool
) -> None:
    (state,) = resume(plan(A), [intent(A, 1)], {"AAA-1": sold(1, status, filled)}, SCHEDULED)
    assert (state.phase, state.order is not None) == (phase, open_now)
