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
from alchemiser_common.ports.broker import BrokerOrder, Holdings, OrderStatus, order_type
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import Plan, PlannedLeg
from alchemiser_common.shares import REPORTED_STEP
from alchemiser_trading.orders.evidence import Asked, Proof, judge
from alchemiser_trading.orders.legs import LegPhase, LegState, Step, start


class Finding(StrEnum):
    """What a difference between journal and broker is, and whether the run may go on with it."""

    ABSENT = "absent"
    """An intent without an order: never sent, refused, or not visible yet. Its leg looks again."""
    OPEN = "open"
    """An intent whose order may still fill. Its leg goes on with it."""
    ENDED = "ended"
    """An intent whose order has ended. Its fills count."""
    ODD = "odd"
    """A report of an intent's order that cannot be true. Its leg asks again."""
    TWICE = "twice"
    """Two orders of one leg are open. Stops the run."""
    FOREIGN = "foreign"
    """An open order that no intent explains: a person or another program trades. Stops the run."""
    POSITION = "position"
    """A position that start and fills do not explain. Stops the run if it does not go away."""


STOPPING = frozenset({Finding.TWICE, Finding.FOREIGN})


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


def compare_positions(plan: Plan, legs: Sequence[LegState], holdings: Holdings) -> tuple[Difference, ...]:
    """Positions that are not the plan's first ones plus the fills. The broker may show fills late: ask again.

    A holding that is not managed counts if the plan knows its symbol: it is the same shares, without a price now.
    """
    expected = expected_positions(plan, legs)
    actual = {position.symbol: position.quantity for position in holdings.positions}
    for other in holdings.others:
        if other.symbol in expected and other.quantity is not None:
            actual[other.symbol] = actual.get(other.symbol, Decimal(0)) + other.quantity
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


def moved(plan: Plan, leg: PlannedLeg, holdings: Holdings) -> Decimal | None:
    """Shares of the leg's symbol that have come (of a buy) or gone (of a sale) since the plan was made.

    None if the holding is there and its quantity cannot be read. An empty list says "none": the caller weighs it
    against the orders' reports.
    """
    start = sum((item.quantity for item in plan.positions if item.symbol == leg.symbol), Decimal(0))
    others = [item.quantity for item in holdings.others if item.symbol == leg.symbol]
    quantities = [*(item.quantity for item in holdings.positions if item.symbol == leg.symbol), *others]
    if any(quantity is None for quantity in quantities):
        return None
    now = sum((quantity for quantity in quantities if quantity is not None), Decimal(0))
    return now - start if leg.side is Side.BUY else start - now


def asked_for(intent: Intent) -> Asked:
    """What an intent's order was to be."""
    return Asked(intent.symbol, intent.side, intent.quantity, order_type(intent.limit_price))


def resume(
    plan: Plan, intents: Sequence[Intent], orders: Mapping[str, BrokerOrder], now: datetime
) -> tuple[LegState, ...]:
    """The legs as journal and broker show them: where another worker, or none, left them."""
    return tuple(
        _resumed(start(leg), [intent for intent in intents if intent.leg == leg.number], orders, now)
        for leg in plan.legs
    )


def fold(chain: Sequence[BrokerOrder]) -> BrokerOrder:
    """A replaced order and its successors as one: the last one's state, everyone's fills, the first one's id.

    Its quantity is all that can be filled of it: what the replaced ones had filled, and what the last one is for.
    """
    filled = sum((order.filled_quantity for order in chain), Decimal(0))
    priced = all(order.average_price is not None for order in chain if order.filled_quantity > 0)
    value = sum((order.filled_quantity * (order.average_price or 0) for order in chain), Decimal(0))
    earlier = sum((order.filled_quantity for order in chain[:-1]), Decimal(0))
    last = chain[-1]
    return last.model_copy(
        update={
            "client_order_id": chain[0].client_order_id,
            "quantity": None if last.quantity is None else last.quantity + earlier,
            "links": len(chain),
            "filled_quantity": filled,
            "average_price": value / filled if filled > 0 and priced else None,
            "submitted_at": chain[0].submitted_at,
        }
    )


def _of_intent(intent: Intent, order: BrokerOrder | None) -> Difference:
    where = f"leg {intent.leg} step {intent.step} ({intent.client_order_id})"
    if order is None:
        return Difference(Finding.ABSENT, intent.symbol, f"{where}: the broker does not know it")
    judged = judge(order, asked_for(intent), Decimal(0))
    if judged.proof is Proof.CONTRADICTION:
        return Difference(Finding.ODD, intent.symbol, f"{where}: {judged.detail}")
    finding = Finding.ENDED if order.status.terminal else Finding.OPEN
    return Difference(finding, intent.symbol, f"{where}: {order.status.value}, {order.filled_quantity} filled")


# Why a resumed leg knows what its earlier steps had filled although the broker does not show them: an intent says what
# the steps before it had filled, by two sources' word, and it was written before its order was sent.
#
#     step 1   written, sent, half filled, cancelled, checked        step 2's intent: 237.6 filled before
#     step 2   written, sent, filled                                  killed here
#     resumed  look-up of step 1: not found     of step 2: 237.6     237.6 + 237.6: done
#
# A buy that was cut may have been cut for now only: it is held again for the rest, and what cash there is decides.
#
# An intent of an older version does not say what was filled. Then what the broker does not show may have been filled
# whole, until the position says otherwise (`order_watch.checked`).
def _resumed(state: LegState, intents: Sequence[Intent], orders: Mapping[str, BrokerOrder], now: datetime) -> LegState:
    if not intents:
        return state
    last = intents[-1]
    chain, unknown = _earlier(intents[:-1], last.filled_before, orders)
    order = orders.get(last.client_order_id)
    state = replace(
        state,
        intended=last.leg_quantity,
        for_now=last.leg_quantity < state.leg.quantity,
        chain=chain,
        proved=last.filled_before or Decimal(0),
        unknown=unknown,
        pending=Step(last.step, last.quantity, order_type(last.limit_price), last.cost_price),
        steps=last.step,
        walked=len(intents) - 1,
        since=now,
        phase=LegPhase.SENT,
        arrival_mid=intents[0].arrival_mid,
        started_at=intents[0].leg_started_at,
    )
    if order is None or judge(order, asked_for(last), Decimal(0)).proof is Proof.CONTRADICTION:
        return state
    # Whether this run asked for the cancel is not known any more; that it did is the common case.
    ending = order.status in {OrderStatus.CANCELLED, OrderStatus.CANCELLING}
    seen = None if order.status.terminal else order
    return replace(state, order=seen, phase=LegPhase.CANCELLING if ending else LegPhase.WORKING)


def _earlier(
    intents: Sequence[Intent], recorded: Decimal | None, orders: Mapping[str, BrokerOrder]
) -> tuple[tuple[BrokerOrder, ...], Decimal]:
    """The orders of earlier steps, with their fills, and how many shares beside those they may have filled."""
    chain: list[BrokerOrder] = []
    unknown = Decimal(0)
    for intent in intents:
        order = orders.get(intent.client_order_id)
        judged = None if order is None else judge(order, asked_for(intent), Decimal(0))
        if order is None or judged is None or judged.proof is Proof.CONTRADICTION:
            unknown += intent.quantity
            continue
        chain.append(order.model_copy(update={"filled_quantity": judged.filled}))
        if judged.proof is Proof.OPEN:
            unknown += intent.quantity - judged.filled
    if recorded is None:
        return tuple(chain), unknown
    shown = sum((order.filled_quantity for order in chain), Decimal(0))
    if recorded > shown:
        chain.append(_as_recorded(intents[-1], recorded - shown))
    return tuple(chain), Decimal(0)


def _as_recorded(intent: Intent, filled: Decimal) -> BrokerOrder:
    """Fills that the journal knows of and the broker does not show, at a price that is not known."""
    return BrokerOrder(
        order_id="",
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        side=intent.side,
        status=OrderStatus.CANCELLED,
        quantity=intent.quantity,
        filled_quantity=filled,
        order_type=order_type(intent.limit_price),
    )
