"""One leg of AAA at 100 USD, its quotes and its orders; tests change what they are about."""

from datetime import timedelta
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus, Quote
from alchemiser_trading.plan import PlannedLeg
from support.messages import SCHEDULED

QUOTE = Quote(symbol="AAA", bid=Decimal("99.90"), ask=Decimal("100.10"), at=SCHEDULED)


def leg(side: Side = Side.SELL, quantity: str = "10", **changes: object) -> PlannedLeg:
    made = PlannedLeg(
        number=1, symbol="AAA", side=side, quantity=Decimal(quantity), price=Decimal(100), fractionable=True
    )
    return made.model_copy(update=changes)


def order(step: int, quantity: Decimal, status: OrderStatus, filled: str = "0") -> BrokerOrder:
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
    )


def fresh(at: float) -> Quote:
    return QUOTE.model_copy(update={"at": SCHEDULED + timedelta(seconds=at)})
