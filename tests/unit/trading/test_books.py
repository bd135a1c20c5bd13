"""The strategies' books: FIFO, attribution, and that they always add up to the account."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import StrategyShare, Target
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_trading.attribution import attribute
from alchemiser_trading.books import UNASSIGNED, Book, aligned, differences, total
from alchemiser_trading.legs import LegPhase, LegState
from alchemiser_trading.plan import Plan, PlannedLeg
from support.messages import ACCOUNT, RUN, SCHEDULED, SESSION

DAY = date(2020, 6, 3)


def position(symbol: str, quantity: str, price: str = "10", entry: str = "8") -> Position:
    held = Decimal(quantity)
    return Position(
        symbol=symbol,
        quantity=held,
        available=held,
        market_value=held * Decimal(price),
        price=Decimal(price),
        average_entry_price=Decimal(entry),
    )


def filled(symbol: str, side: Side, quantity: str, done: str, price: str = "10") -> LegState:
    leg = PlannedLeg(
        number=1, symbol=symbol, side=side, quantity=Decimal(quantity), price=Decimal(10), fractionable=True
    )
    order = BrokerOrder(
        order_id="o",
        client_order_id="c",
        symbol=symbol,
        side=side,
        status=OrderStatus.CANCELLED,
        quantity=Decimal(quantity),
        filled_quantity=Decimal(done),
        average_price=Decimal(price) if Decimal(done) else None,
    )
    return LegState(leg=leg, phase=LegPhase.DONE, intended=leg.quantity, chain=(order,))


def plan(targets: dict[str, dict[str, float]], positions: tuple[Position, ...], legs: tuple[LegState, ...]) -> Plan:
    return Plan(
        run_id=RUN,
        decision_hash="",
        session=SESSION.day,
        made_at=SCHEDULED,
        account=ACCOUNT,
        positions=positions,
        reserve=Decimal(0),
        targets=tuple(
            Target(
                symbol=symbol,
                weight=sum(shares.values()),
                shares=tuple(StrategyShare(strategy=name, weight=weight) for name, weight in shares.items()),
            )
            for symbol, shares in targets.items()
        ),
        strategy_targets=(),
        legs=tuple(state.leg for state in legs),
    )


def test_sales_take_the_oldest_lots_first_and_realise_their_gain() -> None:
    book = Book(strategy="a").changed("X", Decimal(10), Decimal(5), DAY).changed("X", Decimal(10), Decimal(8), DAY)
    after = book.changed("X", Decimal(-15), Decimal(9), DAY)
    assert after.realised == 10 * 4 + 5 * 1
    assert [(lot.quantity, lot.price) for lot in after.lots] == [(Decimal(5), Decimal(8))]
    assert after.unrealised({"X": Decimal(9)}) == Decimal(5)
    with pytest.raises(ValueError, match="more than it holds"):
        after.changed("X", Decimal(-6), Decimal(9), DAY)


def test_a_buy_is_split_by_the_shares_of_the_target() -> None:
    leg = filled("X", Side.BUY, "100", "100")
    books = attribute({}, plan({"X": {"a": 0.3, "b": 0.1}}, (), (leg,)), (leg,))
    assert (books["a"].quantity("X"), books["b"].quantity("X")) == (Decimal(75), Decimal(25))


def test_a_partial_fill_is_split_alike_and_takes_nothing_from_those_who_hold() -> None:
    held = {"a": Book(strategy="a").changed("X", Decimal(100), Decimal(8), DAY)}
    leg = filled("X", Side.BUY, "100", "40")
    books = attribute(held, plan({"X": {"a": 0.2, "b": 0.2}}, (position("X", "100"),), (leg,)), (leg,))
    assert (books["a"].quantity("X"), books["b"].quantity("X")) == (Decimal(100), Decimal(40))


def test_strategies_that_want_opposite_things_trade_with_each_other() -> None:
    held = {"a": Book(strategy="a").changed("X", Decimal(100), Decimal(8), DAY)}
    books = attribute(held, plan({"X": {"b": 0.2}}, (position("X", "100"),), ()), ())
    assert (books["a"].quantity("X"), books["b"].quantity("X")) == (Decimal(0), Decimal(100))
    assert books["a"].realised == Decimal(200), "a sold to b at the market's price"


def test_shares_that_nobody_booked_are_unassigned_at_their_entry_price() -> None:
    books = aligned({}, (position("X", "5"),), DAY)
    assert books[UNASSIGNED].lots[0].price == Decimal(8)
    assert differences(tuple(books.values()), {"X": Decimal(5)}) == ()


def test_shares_that_are_gone_leave_unassigned_first_then_in_proportion() -> None:
    books = {
        UNASSIGNED: Book(strategy=UNASSIGNED).changed("X", Decimal(10), Decimal(8), DAY),
        "a": Book(strategy="a").changed("X", Decimal(30), Decimal(8), DAY),
        "b": Book(strategy="b").changed("X", Decimal(10), Decimal(8), DAY),
    }
    after = aligned(books, (position("X", "20"),), DAY)
    assert [after[name].quantity("X") for name in (UNASSIGNED, "a", "b")] == [0, Decimal(15), Decimal(5)]


def test_what_cannot_be_sold_stays_with_who_holds_it() -> None:
    held = {"a": Book(strategy="a").changed("X", Decimal(10), Decimal(8), DAY)}
    leg = filled("X", Side.SELL, "10", "0")
    books = attribute(held, plan({}, (position("X", "10"),), (leg,)), (leg,))
    assert books["a"].quantity("X") == Decimal(10)
    untraded = attribute(held, plan({}, (position("X", "10"),), ()), ())
    assert total(untraded.values(), "X") == Decimal(10)


amounts = st.decimals("0", "1000", places=9)


@given(
    held=st.dictionaries(st.sampled_from("abc"), amounts, max_size=3),
    at_broker=amounts,
    wanted=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 20), max_size=4),
    planned=st.decimals("-1000", "1000", places=6),
    part=st.integers(0, 100),
)
def test_the_books_add_up_to_the_account_whatever_was_booked_planned_and_filled(
    held: dict[str, Decimal], at_broker: Decimal, wanted: dict[str, int], planned: Decimal, part: int
) -> None:
    books = {
        name: Book(strategy=name).changed("X", quantity, Decimal(8), DAY) if quantity > 0 else Book(strategy=name)
        for name, quantity in held.items()
    }
    planned = max(planned, -at_broker)
    legs: tuple[LegState, ...] = ()
    done = Decimal(0)
    if planned != 0:
        side = Side.BUY if planned > 0 else Side.SELL
        done = (abs(planned) * part / 100).quantize(Decimal("0.000000001"))
        legs = (filled("X", side, str(abs(planned)), str(min(done, abs(planned)))),)
        done = min(done, abs(planned)) * (1 if planned > 0 else -1)
    targets = {"X": {name: share / 100 for name, share in wanted.items()}} if wanted else {}
    positions = (position("X", str(at_broker)),) if at_broker > 0 else ()
    after = attribute(books, plan(targets, positions, legs), legs)
    assert total(after.values(), "X") == at_broker + done
    assert all(book.quantity("X") >= 0 for book in after.values())
