"""What a leg's orders add up to."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import BrokerOrder, MarketOrder, OrderStatus, order_type
from alchemiser_trading.orders.legs import Step, start
from support.legs import READY, TEN, leg, order

NEVER_FILLED = order(1, TEN, OrderStatus.CANCELLED)


def at_price(step: int, filled: str, price: str | None, limit: str | None = None) -> BrokerOrder:
    told = {
        "average_price": price and Decimal(price),
        "order_type": order_type(Decimal(limit) if limit else None),
        "side": Side.BUY,
    }
    return order(step, TEN, OrderStatus.CANCELLED, filled).model_copy(update=told)


@pytest.mark.parametrize(
    ("chain", "open_order", "average"),
    [
        ((NEVER_FILLED,), None, None),
        ((NEVER_FILLED, at_price(2, "4", "10")), at_price(3, "0.5", "12"), Decimal(46) / Decimal("4.5")),
        ((NEVER_FILLED, at_price(2, "4", "10")), at_price(3, "0.5", None), None),
        ((), at_price(1, "0.5", "12"), Decimal(12)),
    ],
    ids=["nothing filled", "over all fills", "a price is not there yet", "less than a share"],
)
def test_the_average_price_is_over_all_fills_once_every_price_is_there(
    chain: tuple[BrokerOrder, ...], open_order: BrokerOrder | None, average: Decimal | None
) -> None:
    assert replace(READY, chain=chain, order=open_order).average_price == average


def test_fills_without_a_price_may_have_cost_their_limit_or_what_was_reckoned() -> None:
    chain = (at_price(1, "2", "10", limit="11"), at_price(2, "3", None, limit="11"), at_price(3, "4", None))
    state = replace(READY, chain=chain)
    assert (state.known_value, state.unpriced) == (Decimal(20), Decimal(7))
    assert state.unpriced_cost == 3 * 11 + 4 * 100, "the plan's price for the market order"
    assert replace(state, pending=Step(3, TEN, MarketOrder(), Decimal(102))).unpriced_cost == 3 * 11 + 4 * 102


@pytest.mark.parametrize(
    ("quantity", "fractionable", "full_exit", "negligible"),
    [
        ("0.5", False, False, True),
        ("0.5", False, True, True),
        ("1", False, False, False),
        ("0.009", True, False, True),
        ("0.01", True, False, False),
        ("0.000000001", True, True, False),
        ("0", True, True, True),
    ],
)
def test_what_is_too_little_to_order(quantity: str, *, fractionable: bool, full_exit: bool, negligible: bool) -> None:
    state = start(leg(fractionable=fractionable, full_exit=full_exit))
    assert state.negligible(Decimal(quantity)) is negligible
