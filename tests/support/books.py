"""Positions, ended legs and plans of strategies that share symbols."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import StrategyShare, Target
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_common.records.plan import HeldShares, Plan, PlannedLeg, StrategyHolding
from alchemiser_trading.books.books import Book
from alchemiser_trading.orders.legs import LegPhase, LegState
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
    return ended(leg, Decimal(done), price)


def ended(leg: PlannedLeg, done: Decimal, price: str = "10") -> LegState:
    """A leg of which so many shares were filled."""
    order = BrokerOrder(
        order_id="o",
        client_order_id="c",
        symbol=leg.symbol,
        side=leg.side,
        status=OrderStatus.CANCELLED,
        quantity=leg.quantity,
        filled_quantity=done,
        average_price=Decimal(price) if done else None,
    )
    return LegState(leg=leg, phase=LegPhase.DONE, intended=leg.quantity, chain=(order,))


def plan(
    targets: dict[str, dict[str, float]],
    positions: tuple[Position, ...],
    legs: tuple[LegState, ...],
    keeps: Mapping[str, str] | None = None,
) -> Plan:
    """A plan of X by strategy; `keeps` are the shares of X of strategies that hold."""
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
        holdings=tuple(
            StrategyHolding(strategy=name, weights=(), shares=(HeldShares(symbol="X", quantity=Decimal(held)),))
            for name, held in (keeps or {}).items()
        ),
        legs=tuple(state.leg for state in legs),
    )


def book(name: str, quantity: str, symbol: str = "X") -> Book:
    """A strategy's book of shares that cost 8 USD each."""
    return Book(strategy=name).changed(symbol, Decimal(quantity), Decimal(8), DAY)


def shares(books: Mapping[str, Book]) -> dict[str, Decimal]:
    """Shares of X by strategy."""
    return {name: each.quantity("X") for name, each in books.items()}
