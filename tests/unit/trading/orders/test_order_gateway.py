"""The one place that sends orders."""

from alchemiser_common.ports.broker import LimitOrder, MarketOrder, OrderRequest
from alchemiser_trading.orders.order_gateway import request_of
from support.stored_records import make_intent, make_intent_at_market


def test_an_intent_asks_for_the_same_order_however_often() -> None:
    intent = make_intent()
    assert intent.limit_price is not None
    assert request_of(intent) == OrderRequest(
        client_order_id=intent.client_order_id,
        symbol="TECL",
        side=intent.side,
        quantity=intent.quantity,
        order_type=LimitOrder(intent.limit_price),
    )


def test_an_intent_without_a_limit_asks_for_a_market_order() -> None:
    assert request_of(make_intent_at_market()).order_type == MarketOrder()
