"""One leg of AAA at 100 USD on its way, its quotes and its orders; tests change what they are about."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, OrderStatus, OrderType, Quote
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle
from alchemiser_trading.orders.legs import Action, LegPhase, LegState, Step, start
from alchemiser_trading.orders.order_watch import checked
from alchemiser_trading.orders.pricing import Prices
from alchemiser_trading.orders.smart_execution import advance
from support.messages import SCHEDULED

MID = Decimal("100.00")
AT_MID = LimitOrder(MID)
QUOTE = Quote(symbol="AAA", bid=Decimal("99.90"), ask=Decimal("100.10"), at=SCHEDULED)


def leg(side: Side = Side.SELL, quantity: str = "10", **changes: object) -> PlannedLeg:
    made = PlannedLeg(
        number=1, symbol="AAA", side=side, quantity=Decimal(quantity), price=Decimal(100), fractionable=True
    )
    return made.model_copy(update=changes)


def order(
    step: int, quantity: Decimal, status: OrderStatus, filled: str = "0", order_type: OrderType = AT_MID
) -> BrokerOrder:
    done = Decimal(filled)
    return BrokerOrder(
        order_id=f"order-{step}",
        client_order_id=f"client-{step}",
        symbol="AAA",
        side=Side.SELL,
        status=status,
        quantity=quantity,
        filled_quantity=done,
        average_price=Decimal(100) if done else None,
        order_type=order_type,
    )


def fresh(at: float) -> Prices:
    return Prices(QUOTE.model_copy(update={"at": SCHEDULED + timedelta(seconds=at)}))


RULES = ExecutionSettings()
TEN = Decimal(10)
FIRST = Step(1, TEN, AT_MID, MID)
READY = start(leg())
SENT = replace(
    READY,
    phase=LegPhase.SENT,
    pending=FIRST,
    steps=1,
    style=ExecutionStyle.LIMIT_WALK,
    since=SCHEDULED,
    sends=1,
    arrival_mid=MID,
    started_at=SCHEDULED,
)
OPEN = order(1, TEN, OrderStatus.OPEN)
WORKING = replace(SENT, phase=LegPhase.WORKING, sends=0, order=OPEN)
CANCELLING = replace(WORKING, phase=LegPhase.CANCELLING)
CHECKING = replace(
    WORKING, phase=LegPhase.CHECKING, order=None, chain=(order(1, TEN, OrderStatus.CANCELLED, "4"),), walked=1
)
CONFIRMED = replace(CHECKING, confirmed=True)
NOTHING: tuple[Action, ...] = ()


def at(seconds: float) -> datetime:
    return SCHEDULED + timedelta(seconds=seconds)


def told(
    state: LegState, seconds: float, report: BrokerOrder | None = None, rules: ExecutionSettings = RULES
) -> tuple[LegState, tuple[Action, ...]]:
    """What comes of a fresh quote and the newest report."""
    return advance(state, fresh(seconds), report, at(seconds), rules)


def confirmed(state: LegState, seconds: float) -> LegState:
    """The leg once a look-up and the position say what its orders say."""
    after, actions = checked(replace(state, confirmed=True), state.filled, at(seconds), RULES)
    assert actions == NOTHING
    return after


def ended(
    state: LegState, outcome: LegStatus, reason: str, seconds: float, cause: LegReason | None = None, **changes: Any
) -> LegState:
    done = replace(state, phase=LegPhase.DONE, outcome=outcome, reason=reason, cause=cause, ended_at=at(seconds))
    return replace(done, **changes)
