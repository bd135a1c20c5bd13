"""What the journal intended against what the broker shows, classified. Pure functions over reports.

"Not found" is not "cancelled" and an empty list is not "flat": nothing here concludes from one endpoint about another.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus, order_type
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import Plan
from alchemiser_common.shares import REPORTED_STEP
from alchemiser_trading.orders.legs import LegPhase, LegState, Step, start


class Finding(StrEnum):
    """What a difference between journal and broker is, and whether the run may go on with it."""

    ABSENT = "absent"
    """An intent without an order: never sent, refused, or not visible yet. Its leg looks again."""
    OPEN = "open"
    """An intent whose order may still fill. Its leg goes on with it."""
    ENDED = "ended"
    """An intent whose order has ended. Its fills count."""
    ALTERED = "altered"
    """An order under an intent's id that is another order. Stops the run."""
    TWICE = "twice"
    """Two orders of one leg are open. Stops the run."""
    FOREIGN = "foreign"
    """An open order that no intent explains: a person or another program trades. Stops the run."""
    POSITION = "position"
    """A position that start and fills do not explain. Stops the run if it does not go away."""


STOPPING = frozenset({Finding.ALTERED, Finding.TWICE, Finding.FOREIGN})


@dataclass(frozen=True, slots=True)
class Difference:
    """One classified difference; `detail` names orders, shares and ids for a person."""

    finding: Finding
    symbol: str
    detail: str

    @property
    def stops(self) -> bool:
        """Whether the run must not go on."""
        return self.finding in STOPPING


def compare_orders(
    intents: Sequence[Intent], orders: Mapping[str, BrokerOrder], open_orders: Sequence[BrokerOrder]
) -> tuple[Difference, ...]:
    """Every intent, and every open order, by what became of it.

    `orders` are the orders found by client order id, successors of replaced ones followed.
    """
    differences: list[Difference] = []
    working: Counter[int] = Counter()
    for intent in intents:
        order = orders.get(intent.client_order_id)
        differences.append(_of_intent(intent, order))
        if order is not None and not order.status.terminal:
            working[intent.leg] += 1
    for leg, count in working.items():
        if count > 1:
            symbol = next(intent.symbol for intent in intents if intent.leg == leg)
            differences.append(Difference(Finding.TWICE, symbol, f"{count} orders of leg {leg} are open"))
    ours = {intent.client_order_id for intent in intents}
    known_ids = {order.order_id for order in orders.values()}
    differences.extend(foreign_orders(open_orders, ours, known_ids))
    return tuple(differences)


def foreign_orders(
    open_orders: Sequence[BrokerOrder], client_order_ids: Collection[str], order_ids: Collection[str]
) -> list[Difference]:
    """Open orders that are neither ours nor the successor of one of ours."""
    return [
        Difference(
            Finding.FOREIGN,
            order.symbol,
            f"open {order.side.value} order of {order.symbol} is not this run's: {order.order_id} "
            f"({order.client_order_id})",
        )
        for order in open_orders
        if order.client_order_id not in client_order_ids and order.order_id not in order_ids
    ]


def altered(order: BrokerOrder, *, symbol: str, side: Side) -> str:
    """How the order under an intent's id is not the intended one; empty if it is.

    The quantity is not compared: a person may replace an order by another size, and its fills count all the same.
    """
    if order.symbol == symbol and order.side is side:
        return ""
    return f"order {order.order_id} is {order.side.value} {order.symbol} instead of {side.value} {symbol}"


def compare_positions(plan: Plan, legs: Sequence[LegState], positions: Sequence[Position]) -> tuple[Difference, ...]:
    """Positions that are not the plan's first ones plus the fills. The broker may show fills late: ask again."""
    expected = expected_positions(plan, legs)
    actual = {position.symbol: position.quantity for position in positions}
    return tuple(
        Difference(
            Finding.POSITION,
            symbol,
            f"{actual.get(symbol, Decimal(0))} shares at the broker, {expected.get(symbol, Decimal(0))} by the fills",
        )
        for symbol in sorted(expected.keys() | actual.keys())
        if abs(actual.get(symbol, Decimal(0)) - expected.get(symbol, Decimal(0))) > REPORTED_STEP
    )


def expected_positions(plan: Plan, legs: Sequence[LegState]) -> dict[str, Decimal]:
    """Shares by symbol after the fills reported so far."""
    expected = {position.symbol: position.quantity for position in plan.positions}
    for state in legs:
        sign = 1 if state.leg.side is Side.BUY else -1
        expected[state.leg.symbol] = expected.get(state.leg.symbol, Decimal(0)) + sign * state.filled
    return expected


def resume(
    plan: Plan, intents: Sequence[Intent], orders: Mapping[str, BrokerOrder], now: datetime
) -> tuple[LegState, ...]:
    """The legs as journal and broker show them: where another worker, or none, left them."""
    return tuple(
        _resumed(start(leg), [intent for intent in intents if intent.leg == leg.number], orders, now)
        for leg in plan.legs
    )


def fold(chain: Sequence[BrokerOrder]) -> BrokerOrder:
    """A replaced order and its successors as one: the last one's state, everyone's fills, the first one's id."""
    filled = sum((order.filled_quantity for order in chain), Decimal(0))
    priced = all(order.average_price is not None for order in chain if order.filled_quantity > 0)
    value = sum((order.filled_quantity * (order.average_price or 0) for order in chain), Decimal(0))
    return chain[-1].model_copy(
        update={
            "client_order_id": chain[0].client_order_id,
            "filled_quantity": filled,
            "average_price": value / filled if filled > 0 and priced else None,
            "submitted_at": chain[0].submitted_at,
        }
    )


def _of_intent(intent: Intent, order: BrokerOrder | None) -> Difference:
    where = f"leg {intent.leg} step {intent.step} ({intent.client_order_id})"
    if order is None:
        return Difference(Finding.ABSENT, intent.symbol, f"{where}: the broker does not know it")
    changed = altered(order, symbol=intent.symbol, side=intent.side)
    if changed:
        return Difference(Finding.ALTERED, intent.symbol, f"{where}: {changed}")
    finding = Finding.ENDED if order.status.terminal else Finding.OPEN
    return Difference(finding, intent.symbol, f"{where}: {order.status.value}, {order.filled_quantity} filled")


def _resumed(state: LegState, intents: Sequence[Intent], orders: Mapping[str, BrokerOrder], now: datetime) -> LegState:
    if not intents:
        return state
    last = intents[-1]
    earlier = [orders[intent.client_order_id] for intent in intents[:-1] if intent.client_order_id in orders]
    order = orders.get(last.client_order_id)
    ending = order is not None and order.status in {OrderStatus.CANCELLED, OrderStatus.CANCELLING}
    state = replace(
        state,
        intended=last.leg_quantity,
        chain=tuple(earlier),
        order=order,
        pending=Step(last.step, last.quantity, order_type(last.limit_price), last.cost_price),
        steps=last.step,
        walked=len(intents) - 1,
        since=now,
        arrival_mid=intents[0].arrival_mid,
        started_at=intents[0].leg_started_at,
    )
    if order is None:
        return replace(state, phase=LegPhase.SENT)
    # Whether this run asked for the cancel is not known any more; that it did is the common case.
    return replace(state, phase=LegPhase.CANCELLING if ending else LegPhase.WORKING)
