"""Orders that nobody sends fill as a careful person would believe: by quotes that were read, and never better."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import (
    BrokerOrder,
    LimitOrder,
    MarketOrder,
    OrderRequest,
    OrderStatus,
    OrderType,
    Quote,
    Trade,
)
from alchemiser_common.settings import ExecutionSettings
from alchemiser_trading.orders.dry_desk import DryDesk
from support.messages import SCHEDULED
from support.plans import planned, position

BUY, SELL = Side.BUY, Side.SELL


class Market:
    """All that the desk is given: two reads, and not one method more."""

    def __init__(self) -> None:
        self.now = SCHEDULED
        self.quotes: dict[str, Quote] = {}
        self.refused = False

    def show(self, bid: str, ask: str, *, after: float = 0.0, symbol: str = "AAA") -> None:
        self.now += timedelta(seconds=after)
        self.quotes[symbol] = Quote(symbol=symbol, bid=Decimal(bid), ask=Decimal(ask), at=self.now)

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        if self.refused:
            raise BrokerRefused("forbidden", status=403)
        return [self.quotes[symbol] for symbol in symbols if symbol in self.quotes]

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        return []


def desk(market: Market, held: tuple[Position, ...] = (position("CCC", "100", "20"),)) -> DryDesk:
    prices: Mapping[str, str] = {"AAA": "100", "CCC": "20"}
    plan = planned({"AAA": 0.5}, cash="10000", positions=held, prices=prices)
    assert {leg.symbol for leg in plan.legs} == {"AAA", "CCC"}
    return DryDesk(market, plan, lambda: market.now, ExecutionSettings())


def ask(of: DryDesk, side: Side, order: OrderType, quantity: str = "10", number: int = 1) -> BrokerOrder:
    of.latest_quotes(["AAA"])
    return of.submit(
        OrderRequest(
            client_order_id=f"alc-{number}", symbol="AAA", side=side, quantity=Decimal(quantity), order_type=order
        )
    )


def seen(of: DryDesk) -> BrokerOrder:
    (order,) = of.orders_since(SCHEDULED).orders
    return order


@pytest.mark.parametrize(
    ("side", "order", "price"),
    [
        (BUY, LimitOrder(Decimal("101.00")), "100.10"),
        (BUY, LimitOrder(Decimal("100.10")), "100.10"),
        (SELL, LimitOrder(Decimal("99.00")), "99.90"),
        (BUY, MarketOrder(), "100.10"),
        (SELL, MarketOrder(), "99.90"),
    ],
)
def test_what_takes_the_far_side_fills_there_at_once(side: Side, order: OrderType, price: str) -> None:
    market = Market()
    market.show("99.90", "100.10")
    filled = ask(desk(market), side, order)
    assert (filled.status, filled.filled_quantity, filled.average_price) == (
        OrderStatus.FILLED,
        Decimal(10),
        Decimal(price),
    )


@pytest.mark.parametrize(
    ("side", "limit", "quotes", "price"),
    [
        (BUY, "100.00", [("99.80", "99.95", 1)], "100.00"),  # a later quote comes through it: at its own price
        (BUY, "100.00", [("99.90", "100.05", 1), ("99.80", "100.00", 1)], "100.00"),
        (BUY, "100.00", [("99.90", "100.05", 1)], None),
        (BUY, "100.00", [("99.80", "99.95", 0)], None),  # of the very moment it was placed at: no news
        (BUY, "100.00", [("99.80", "99.95", -1)], None),  # older
        (BUY, "100.00", [("99.99", "99.95", 1)], None),  # crossed in itself: no market
        (BUY, "100.00", [("50.00", "50.10", 1)], None),  # half of the plan's price: the machine would not trade on it
        (BUY, "100.00", [("90.00", "99.95", 1)], None),  # a spread that it would not trade on either
        (SELL, "100.00", [("100.05", "100.20", 1)], "100.00"),
        (SELL, "100.00", [("99.95", "100.20", 1)], None),
    ],
)
def test_what_rests_fills_once_a_later_sound_quote_crosses_it(
    side: Side, limit: str, quotes: Sequence[tuple[str, str, float]], price: str | None
) -> None:
    market = Market()
    market.show("99.90", "100.10")
    walk = desk(market)
    assert ask(walk, side, LimitOrder(Decimal(limit))).status is OrderStatus.OPEN
    assert seen(walk).status is OrderStatus.OPEN, "the quote that it rested against is no news"
    for bid, offer, after in quotes:
        market.show(bid, offer, after=after)
        order = seen(walk)
    expected = (OrderStatus.OPEN, None) if price is None else (OrderStatus.FILLED, Decimal(price))
    assert (order.status, order.average_price) == expected


def test_an_id_that_was_used_gives_its_order_and_a_cancelled_one_fills_no_more() -> None:
    market = Market()
    market.show("99.90", "100.10")
    walk = desk(market)
    first = ask(walk, BUY, LimitOrder(Decimal("100.00")))
    assert ask(walk, BUY, LimitOrder(Decimal("100.00"))) == first
    walk.cancel(first.order_id)
    market.show("99.00", "99.10", after=1)
    assert seen(walk).status is OrderStatus.CANCELLED
    assert walk.order_by_client_id("alc-1") == walk.order(first.order_id) == seen(walk)
    assert walk.open_orders().orders == ()


def test_account_and_positions_are_the_plans_moved_by_the_fills() -> None:
    market = Market()
    market.show("99.90", "100.10")
    walk = desk(market)
    before = walk.account()
    ask(walk, BUY, MarketOrder(), "10", number=1)
    ask(walk, BUY, LimitOrder(Decimal("100.00")), "5", number=2)
    after = walk.account()
    assert before.cash - after.cash == Decimal("1001.00")
    assert before.buying_power - after.buying_power == Decimal("1501.00"), "what is open is taken off"
    assert {item.symbol: item.quantity for item in walk.holdings().positions} == {"AAA": 10, "CCC": 100}


def test_a_read_that_is_refused_is_one_that_may_be_asked_again() -> None:
    market = Market()
    market.refused = True
    with pytest.raises(BrokerUnavailable, match="forbidden"):
        desk(market).latest_quotes(["AAA"])
