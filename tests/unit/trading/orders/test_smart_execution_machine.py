"""SmartExecution against an adversarial broker: whatever happens, a leg never trades more than intended."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus, OrderType, Quote
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, start
from alchemiser_trading.orders.smart_execution import advance, refused, release, stop, throttled
from support.messages import SCHEDULED

INTENDED = Decimal(100)
ENDS = [OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.DONE_FOR_DAY]


@dataclass
class Exchange:
    """One symbol's orders as they truly are; a client order id is taken for ever."""

    orders: dict[int, BrokerOrder] = field(default_factory=dict)

    def accept(self, number: int, quantity: Decimal, order_type: OrderType) -> None:
        if number not in self.orders:
            self.orders[number] = BrokerOrder(
                order_id=f"order-{number}",
                client_order_id=f"client-{number}",
                symbol="AAA",
                side=Side.BUY,
                status=OrderStatus.OPEN,
                quantity=quantity,
                filled_quantity=Decimal(0),
                order_type=order_type,
            )

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
        self.in_flight: tuple[int, Decimal, OrderType] | None = None

    def tell(self, order: BrokerOrder | None, quote: Quote | None = None, *, lost: bool = False) -> None:
        before = self.state
        self.state, actions = advance(self.state, quote, order, self.now, self.patience)
        for action in actions:
            self.perform(before, action, lost=lost)

    def perform(self, before: LegState, action: Action, *, lost: bool) -> None:
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
            self.exchange.accept(step.number, step.quantity, step.order_type)
            self.tell(self.exchange.orders[step.number])

    @rule(seconds=st.sampled_from([1, 3, 11, 31, 70]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.quote = self.quote.model_copy(update={"at": self.now})

    @rule(bid=st.integers(900, 1100), spread=st.integers(-3, 200), fresh=st.booleans())
    def the_market_moves(self, bid: int, spread: int, fresh: bool) -> None:
        at = self.now if fresh else self.now - timedelta(hours=1)
        self.quote = Quote(symbol="AAA", bid=Decimal(bid) / 100, ask=Decimal(bid + spread) / 100, at=at)

    @precondition(lambda self: self.state.phase is LegPhase.READY)
    @rule(lost=st.booleans())
    def the_loop_lets_it_order(self, lost: bool) -> None:
        self.tell(None, self.quote, lost=lost)

    @precondition(lambda self: self.state.phase in {LegPhase.WORKING, LegPhase.CANCELLING})
    @rule(late=st.booleans())
    def the_loop_reports(self, late: bool) -> None:
        newest = self.exchange.orders[self.state.steps]
        told = self.late if late and self.late is not None and self.late.order_id == newest.order_id else newest
        self.late = newest
        self.tell(told)

    @precondition(lambda self: self.state.phase is LegPhase.SENT)
    @rule(lost=st.booleans())
    def the_loop_looks_it_up(self, lost: bool) -> None:
        self.tell(self.exchange.orders.get(self.state.steps), lost=lost)

    @precondition(lambda self: self.in_flight is not None)
    @rule(lands=st.booleans())
    def the_lost_request_lands_or_is_gone(self, lands: bool) -> None:
        assert self.in_flight is not None
        if lands:
            self.exchange.accept(*self.in_flight)
        self.in_flight = None

    @precondition(lambda self: self.state.phase is LegPhase.SENT and self.in_flight is None)
    @rule(may_pass=st.booleans())
    def the_broker_refuses(self, may_pass: bool) -> None:
        if self.state.steps not in self.exchange.orders:
            error = BrokerRefused("no", status=403, may_pass=may_pass)
            self.state = refused(self.state, error, self.now, self.patience)

    @precondition(lambda self: self.state.phase is LegPhase.SENT and self.in_flight is None)
    @rule()
    def the_broker_throttles(self) -> None:
        if self.state.steps not in self.exchange.orders:
            self.state = throttled(self.state, self.now, self.patience)

    @precondition(lambda self: self.exchange.open)
    @rule(part=st.integers(1, 100))
    def it_fills(self, part: int) -> None:
        number = self.exchange.open[0]
        order = self.exchange.orders[number]
        assert order.quantity is not None
        more = min(Decimal(part), order.quantity - order.filled_quantity)
        filled = order.filled_quantity + more
        status = OrderStatus.FILLED if filled == order.quantity else order.status
        self.exchange.change(number, filled_quantity=filled, average_price=Decimal(10), status=status)

    @precondition(lambda self: self.exchange.open)
    @rule(end=st.sampled_from(ENDS))
    def it_ends(self, end: OrderStatus) -> None:
        self.exchange.change(self.exchange.open[0], status=end)

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
    def an_end_says_what_became_of_it(self) -> None:
        if self.state.phase is LegPhase.DONE:
            assert self.state.outcome is not None


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
