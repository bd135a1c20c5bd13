"""The one place that sends orders."""

from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import LimitOrder, OrderRequest
from alchemiser_common.records.journal import Intent
from alchemiser_trading.orders.order_gateway import request_of
from support.messages import SCHEDULED


def intent(leg: int, step: int) -> Intent:
    return Intent(
        client_order_id=f"order-{leg}-{step}",
        leg=leg,
        step=step,
        symbol="AAA",
        side=Side.SELL,
        quantity=Decimal(3),
        limit_price=Decimal("9.99"),
        cost_price=Decimal("9.99"),
        leg_quantity=Decimal(10),
        arrival_mid=None,
        leg_started_at=SCHEDULED,
        authority_epoch=7,
        lease_epoch=1,
        written_at=SCHEDULED,
    )


def test_an_intent_asks_for_the_same_order_however_often() -> None:
    assert request_of(intent(1, 2)) == OrderRequest(
        client_order_id="order-1-2",
        symbol="AAA",
        side=Side.SELL,
        quantity=Decimal(3),
        order_type=LimitOrder(Decimal("9.99")),
    )
