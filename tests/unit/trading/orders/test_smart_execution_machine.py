"""SmartExecution against a broker that is adversarial and lies: a leg never trades more than intended.

Lies are of every kind that evidence must stand, see `orders.evidence`; the positions tell the truth, if they are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, OrderStatus, OrderType, Quote
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, start
from alchemiser_trading.orders.order_watch import checked, refused, reheard, throttled, unheard
from alchemiser_trading.orders.pricing import Prices
from alchemiser_trading.orders.smart_execution import advance, release, stop
from support.messages import SCHEDULED

INTENDED = Decimal(100)
ASKED_FOR = frozenset({LegPhase.SENT, LegPhase.WORKING, LegPhase.CANCELLING})
ENDS = [OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.DONE_FOR_DAY]


def _fewer(order: BrokerOrder) -> dict[str, object]:
    return {"filled_quantity": (order.filled_quantity / 2).to_integral_value()}


LIES: Mapping[str, Callable[[BrokerOrder], dict[str, object] | None]] = {
    "filled, with too little": lambda order: {"status": OrderStatus.FILLED},
    "filled, with nothing": lambda order: {"status": OrderStatus.FILLED, "filled_quantity": Decimal(0)},
    "fewer fills": _fewer,
    "ended, with fewer fills": lambda order: {"status": OrderStatus.CANCELLED, **_fewer(order)},
    "rejected, with no fills": lambda order: {"status": OrderStatus.REJECTED, "filled_quantity": Decimal(0)},
    "expired, with fewer fills": lambda order: {"status": OrderStatus.EXPIRED, **_fewer(order)},
    "an open status nobody knows": lambda order: {"status": OrderStatus.OPEN, "raw_status": "in orbit"},
    "more than was asked for": lambda order: {"filled_quantity": (order.quantity or Decimal(0)) + 1},
    "less than nothing": lambda order: {"filled_quantity": Decimal(-1)},
    "of another symbol": lambda order: {"symbol": "BBB", "filled_quantity": order.quantity},
    "of the other side": lambda order: {"side": Side.SELL if order.side is Side.BUY else Side.BUY},
    "of another size": lambda order: {"quantity": (order.quantity or Decimal(0)) - 1, "filled_quantity": Decimal(0)},
    "at another limit": lambda order: {"order_type": LimitOrder(Decimal("9.5"))},
    "ended, though it is open": lambda order: {"status": OrderStatus.CANCELLED},
    "not found": lambda order: None,
}
"""What a report may say instead of the truth. Never that more was filled than was: one source is believed in that."""


def lied(kind: str, order: BrokerOrder, *, confirming: bool = False) -> BrokerOrder | None:
    """The order as the lie shows it; the truth where a second source, `confirming`, would lie as the first one did.

    An order that is open, called ended with the fills that it has: list, look-up and positions would say the same.
    """
    changes = LIES[kind](order)
    if changes is None:
        return order if confirming else None
    told = order.model_copy(update=changes)
    believed = told.filled_quantity == order.filled_quantity and told.status is not OrderStatus.FILLED
    return order if confirming and believed and told.status.terminal and not order.status.terminal else told


@dataclass
class Exchange:
    """One symbol's orders as they truly are; a client order id is taken for ever."""

    orders: dict[int, BrokerOrder] = field(default_factory=dict)

    def accept(self, side: Side, number: int, quantity: Decimal, order_type: OrderType) -> None:
        if number not in self.orders:
            self.orders[number] = BrokerOrder(
                order_id=f"order-{number}",
                client_order_id=f"client-{number}",
                symbol="AAA",
                side=side,
                status=OrderStatus.OPEN,
                quantity=quantity,
                filled_quantity=Decimal(0),
                order_type=order_type,
            )

    def fill(self, number: int, most: Decimal) -> None:
        order = self.orders[number]
        quantity = order.quantity or Decimal(0)
        filled = order.filled_quantity + min(most, quantity - order.filled_quantity)
        status = OrderStatus.FILLED if filled == quantity else order.status
        self.change(number, filled_quantity=filled, average_price=Decimal(10), status=status)

    def change(self, number: int, **changes: object) -> None:
        self.orders[number] = self.orders[number].model_copy(update=changes)

    @property
    def open(self) -> list[int]:
        return [number for number, order in self.orders.items() if not order.status.terminal]

    @property
    def filled(self) -> Decimal:
        return sum((order.filled_quantity for order in self.orders.values()), Decimal(0))


class Walk(RuleBasedStateMachine):
    """Time, quotes, fills, lost answers, late reports and stubborn cancels in any order."""

    @initialize(
        side=st.sampled_from(list(Side)),
        whole=st.booleans(),
        style=st.sampled_from(list(ExecutionStyle)),
    )
    def begin(self, side: Side, whole: bool, style: ExecutionStyle) -> None:
        leg = PlannedLeg(
            number=1, symbol="AAA", side=side, quantity=INTENDED, price=Decimal(10), fractionable=not whole
        )
        self.patience = ExecutionSettings(tight_style=style, normal_style=style, wide_style=style, max_steps=6)
        self.now = SCHEDULED
        self.quote = Quote(symbol="AAA", bid=Decimal("9.99"), ask=Decimal("10.01"), at=self.now)
        self.exchange = Exchange()
        self.late: BrokerOrder | None = None
        self.state: LegState = release(start(leg), INTENDED)
        self.stopped = False
        self.placed: list[int] = []
        self.known = Decimal(0)
        self.in_flight: tuple[int, Decimal, OrderType] | None = None

    def tell(self, order: BrokerOrder | None, prices: Prices | None = None, *, lost: bool = False) -> None:
        self.move(*advance(self.state, prices, order, self.now, self.patience), lost=lost)

    def move(self, after: LegState, actions: tuple[Action, ...], *, lost: bool = False) -> None:
        self.state = after
        for action in actions:
            self.perform(action, lost=lost)

    def perform(self, action: Action, *, lost: bool) -> None:
        if isinstance(action, Cancel):
            number = next(n for n, order in self.exchange.orders.items() if order.order_id == action.order_id)
            if not self.exchange.orders[number].status.terminal:
                self.exchange.change(number, status=OrderStatus.CANCELLING)
            return
        step = action.step
        assert not self.stopped, "an order went out after the stop"
        if isinstance(action, Place):
            assert step.number not in self.placed, "a step was placed twice"
            assert not self.exchange.open, "an order went out beside an open one"
            assert self.in_flight is None, "an order went out while another may still land"
            self.placed.append(step.number)
        assert step.quantity + self.exchange.filled <= INTENDED or step.number in self.exchange.orders
        assert step.quantity > 0
        if lost:
            self.in_flight = (step.number, step.quantity, step.order_type)
        else:
            self.in_flight = None
            self.exchange.accept(self.state.leg.side, step.number, step.quantity, step.order_type)
            self.tell(self.exchange.orders[step.number])

    @rule(seconds=st.sampled_from([1, 3, 11, 31, 70]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.quote = self.quote.model_copy(update={"at": self.now})

    @rule(bid=st.integers(900, 1100), spread=st.integers(-3, 200), fresh=st.booleans())
    def the_market_moves(self, bid: int, spread: int, fresh: bool) -> None:
        at = self.now if fresh else self.now - timedelta(hours=1)
        self.quote = Quote(symbol="AAA", bid=Decimal(bid) / 100, ask=Decimal(bid + spread) / 100, at=at)

    @precondition(lambda self: self.state.phase is not LegPhase.DONE)
    @rule(lie=st.sampled_from([None] * 9 + sorted(LIES)))
    def the_loop_goes_round(self, lie: str | None) -> None:
        """A tick as the executor has it, in a fit market: the list, the positions, the next order."""
        self.time_passes(11)
        self.quote = Quote(symbol="AAA", bid=Decimal("9.99"), ask=Decimal("10.01"), at=self.now)
        for number in range(1, self.state.steps):
            if number in self.exchange.orders:
                self.state = reheard(self.state, self.exchange.orders[number], self.now)
        if self.state.phase in ASKED_FOR:
            truth = self.exchange.orders.get(self.state.steps)
            self.tell(truth if lie is None or truth is None else lied(lie, truth))
        if self.state.phase is LegPhase.CHECKING:
            self.a_look_up_is_to_confirm_its_end(None)
        if self.state.phase is LegPhase.CHECKING:
            self.the_positions_are_read(True)
        if self.state.phase in {LegPhase.READY, LegPhase.WORKING}:
            self.tell(None, Prices(self.quote))

    @precondition(lambda self: self.state.phase in {LegPhase.READY, LegPhase.WORKING})
    @rule(lost=st.booleans())
    def the_loop_lets_it_order(self, lost: bool) -> None:
        self.tell(None, Prices(self.quote), lost=lost)

    @precondition(lambda self: self.state.phase in {LegPhase.WORKING, LegPhase.CANCELLING})
    @rule(late=st.booleans())
    def the_loop_reports(self, late: bool) -> None:
        newest = self.exchange.orders.get(self.state.steps)
        told = self.late if late and newest and self.late and self.late.order_id == newest.order_id else newest
        self.late = newest
        self.tell(told)

    @precondition(lambda self: self.state.phase in ASKED_FOR and self.state.steps in self.exchange.orders)
    @rule(lie=st.sampled_from(sorted(LIES)))
    def the_broker_lies(self, lie: str) -> None:
        self.tell(lied(lie, self.exchange.orders[self.state.steps]))

    @precondition(lambda self: self.state.chain)
    @rule(lie=st.sampled_from(["", *sorted(LIES)]), which=st.integers(0, 5))
    def an_order_that_had_ended_is_listed_again(self, lie: str, which: int) -> None:
        truth = self.exchange.orders[
            int(self.state.chain[which % len(self.state.chain)].order_id.removeprefix("order-"))
        ]
        report = lied(lie, truth, confirming=True) if lie else truth
        if report is not None:
            self.state = reheard(self.state, report, self.now)

    @precondition(lambda self: self.state.phase is LegPhase.CHECKING)
    @rule(readable=st.sampled_from([True, True, True, False]))
    def the_positions_are_read(self, readable: bool) -> None:
        self.move(*checked(self.state, self.exchange.filled if readable else None, self.now, self.patience))

    @precondition(lambda self: self.state.phase in ASKED_FOR)
    @rule()
    def nobody_answers(self) -> None:
        self.move(*unheard(self.state, self.now, self.patience))

    @precondition(lambda self: self.state.phase is LegPhase.SENT)
    @rule(lost=st.booleans())
    def the_loop_looks_it_up(self, lost: bool) -> None:
        self.tell(self.exchange.orders.get(self.state.steps), lost=lost)

    @precondition(lambda self: self.state.phase is LegPhase.CHECKING)
    @rule(lie=st.sampled_from([None] * 5 + sorted(LIES)))
    def a_look_up_is_to_confirm_its_end(self, lie: str | None) -> None:
        truth = self.exchange.orders.get(self.state.steps)
        self.tell(truth if lie is None or truth is None else lied(lie, truth, confirming=True))

    @precondition(lambda self: self.in_flight is not None)
    @rule(lands=st.booleans())
    def the_lost_request_lands_or_is_gone(self, lands: bool) -> None:
        assert self.in_flight is not None
        if lands:
            self.exchange.accept(self.state.leg.side, *self.in_flight)
        self.in_flight = None

    @precondition(lambda self: self.state.phase is LegPhase.SENT and self.in_flight is None)
    @rule(may_pass=st.booleans())
    def the_broker_refuses(self, may_pass: bool) -> None:
        if self.state.steps not in self.exchange.orders:
            error = BrokerRefused("no", status=403, may_pass=may_pass)
            self.state = refused(self.state, error, self.now, self.patience)

    @precondition(lambda self: self.state.phase is LegPhase.READY)
    @rule(may_pass=st.booleans(), accepted=st.booleans())
    def its_next_order_is_refused(self, may_pass: bool, accepted: bool) -> None:
        """In words; the order may be there all the same."""
        self.tell(None, Prices(self.quote), lost=True)
        if self.in_flight is not None:
            if accepted:
                self.exchange.accept(self.state.leg.side, *self.in_flight)
            self.in_flight = None
            error = BrokerRefused("no", status=403, may_pass=may_pass)
            self.state = refused(self.state, error, self.now, self.patience)

    @precondition(lambda self: self.state.phase is LegPhase.SENT and self.in_flight is None)
    @rule()
    def the_broker_throttles(self) -> None:
        if self.state.steps not in self.exchange.orders:
            self.state = throttled(self.state, self.now, self.patience)

    @precondition(lambda self: self.exchange.open)
    @rule(part=st.integers(1, 60))
    def it_fills(self, part: int) -> None:
        self.exchange.fill(self.exchange.open[0], Decimal(part))

    @precondition(lambda self: self.exchange.open)
    @rule(end=st.sampled_from(ENDS + [OrderStatus.CANCELLED] * 3))
    def it_ends(self, end: OrderStatus) -> None:
        self.exchange.change(self.exchange.open[0], status=end)

    @precondition(lambda self: self.placed)
    @rule(now=st.sampled_from([False] * 9 + [True]))
    def it_is_stopped(self, now: bool) -> None:
        if not now:
            return
        self.state = stop(self.state, "the test says so")
        self.stopped = self.state.phase is not LegPhase.DONE

    @invariant()
    def it_never_trades_more_than_intended(self) -> None:
        assert self.exchange.filled <= INTENDED

    @invariant()
    def one_order_is_open_at_most(self) -> None:
        assert len(self.exchange.open) <= 1

    @invariant()
    def it_claims_no_share_that_is_not_there(self) -> None:
        if hasattr(self, "state"):
            assert self.known <= self.state.filled <= self.exchange.filled, "what was known is never taken back"
            self.known = self.state.filled

    @invariant()
    def an_end_says_what_became_of_it(self) -> None:
        if hasattr(self, "state") and self.state.phase is LegPhase.DONE:
            assert self.state.outcome is not None
            assert self.state.outcome is LegStatus.FILLED or self.state.cause is not None

    def teardown(self) -> None:
        """From now on nothing lies, everything answers and all that is open fills: every leg comes to an end."""
        if not hasattr(self, "state"):
            return
        for _ in range(200):
            if self.state.phase is LegPhase.DONE:
                break
            self._honest_tick()
        assert self.state.phase is LegPhase.DONE, f"undone for ever: {self.state}"
        if self.state.outcome is LegStatus.FILLED:
            assert self.state.filled == self.exchange.filled == INTENDED
        self.it_never_trades_more_than_intended()
        self.it_claims_no_share_that_is_not_there()

    def _honest_tick(self) -> None:
        for number in self.exchange.open:
            if self.exchange.orders[number].status is OrderStatus.CANCELLING:
                self.exchange.change(number, status=OrderStatus.CANCELLED)
            else:
                self.exchange.fill(number, INTENDED)
        if self.in_flight is not None:
            self.the_lost_request_lands_or_is_gone(True)
        self.the_loop_goes_round(None)


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
