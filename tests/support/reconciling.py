"""A plan of a sale of AAA and a buy of BBB, and orders of theirs; tests change what they are about."""

from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, OrderStatus
from alchemiser_common.records.plan import Plan, PlannedLeg
from support.messages import ACCOUNT, RUN, SCHEDULED, SESSION


def leg(number: int, symbol: str, side: Side, quantity: str, price: str = "10") -> PlannedLeg:
    return PlannedLeg(
        number=number,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fractionable=True,
    )


def plan(*legs: PlannedLeg, cash: str = "0", reserve: str = "0", equity: str = "100000") -> Plan:
    return Plan(
        run_id=RUN,
        decision_hash="",
        session=SESSION.day,
        made_at=SCHEDULED,
        account=ACCOUNT.model_copy(update={"cash": Decimal(cash), "equity": Decimal(equity)}),
        positions=(),
        reserve=Decimal(reserve),
        targets=(),
        strategy_targets=(),
        legs=legs,
    )


def order(client_order_id: str, side: Side, status: OrderStatus, **changes: object) -> BrokerOrder:
    made = BrokerOrder(
        order_id=f"id-{client_order_id}",
        client_order_id=client_order_id,
        symbol=client_order_id.partition("-")[0],
        side=side,
        status=status,
        quantity=Decimal(10),
        filled_quantity=Decimal(0),
        order_type=LimitOrder(Decimal(10)),
    )
    return made.model_copy(update=changes)


A = leg(1, "AAA", Side.SELL, "10")
B = leg(2, "BBB", Side.BUY, "10")
