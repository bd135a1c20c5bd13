"""Many legs and one account's cash: none spends what another was promised, and one that never fills blocks nobody."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus, Quote
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_common.settings import ExecutionSettings
from alchemiser_trading.orders.cash import CashBudget, release_buys
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, start
from alchemiser_trading.orders.order_watch import checked, rested
from alchemiser_trading.orders.pricing import Prices
from alchemiser_trading.orders.smart_execution import advance
from support.legs import at
from support.reconciling import leg, plan

RULES = ExecutionSettings(max_steps=4)
TICK, ALLOWANCE = 10, Decimal("0.01")


@dataclass
class Account:
    """An account at 10 USD a share whose orders fill at their limit as `fills` says, and not at all if stuck."""

    legs: list[LegState]
    cash: Decimal
    reserve: Decimal
    fills: Iterator[Decimal]
    stuck: Collection[str] = ()
    seconds: float = 0
    orders: dict[str, BrokerOrder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = plan(*(state.leg for state in self.legs), cash=str(self.cash), reserve=str(self.reserve))

    @property
    def power(self) -> Decimal:
        """Cash without what open buys may still cost."""
        return self.cash - sum(
            (
                ((order.quantity or Decimal(0)) - order.filled_quantity) * (order.order_type.limit_price or 0)
                for order in self.orders.values()
                if order.side is Side.BUY and not order.status.terminal
            ),
            Decimal(0),
        )

    def leg(self, symbol: str) -> LegState:
        return next(state for state in self.legs if state.leg.symbol == symbol)

    def tick(self) -> None:
        self.seconds += TICK
        for index, state in enumerate(self.legs):
            order = self.orders.get(_id(state))
            if state.phase in {LegPhase.SENT, LegPhase.WORKING, LegPhase.CANCELLING, LegPhase.CHECKING}:
                self._act(index, *advance(state, None, order, at(self.seconds), RULES))
            after = self.legs[index]
            if after.phase is LegPhase.CHECKING:
                self._act(index, *checked(after, self._moved(after), at(self.seconds), RULES))
        self.legs = release_buys(
            CashBudget(self.plan, self.legs, self.cash, self.power),
            ALLOWANCE,
            at(self.seconds),
            timedelta(seconds=RULES.settle_seconds),
            timedelta(seconds=RULES.cash_patience_seconds),
        )
        for index, state in enumerate(self.legs):
            if state.phase is LegPhase.READY or rested(state, at(self.seconds), RULES):
                budget = CashBudget(self.plan, self.legs, self.cash, self.power)
                ready = replace(
                    state, spendable=budget.spendable(state), cash_coming=budget.coming(state), cash_lags=budget.lags
                )
                self.legs[index] = ready if state.leg.side is Side.BUY else state
                self._act(index, *advance(self.legs[index], self._prices(state), None, at(self.seconds), RULES))
                assert self.power >= self.reserve, "an order may spend what another was promised, or the reserve"

    def market(self) -> None:
        """What the exchange does between two ticks."""
        for name, order in self.orders.items():
            if order.status.terminal:
                continue
            if order.symbol not in self.stuck:
                self._fill(name, order)
            elif order.status is OrderStatus.CANCELLING:
                self.orders[name] = order.model_copy(update={"status": OrderStatus.CANCELLED})

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()
            self.market()
            assert self.cash >= self.reserve
            assert all(state.filled <= state.leg.quantity for state in self.legs)

    def _fill(self, name: str, order: BrokerOrder) -> None:
        price, quantity = order.order_type.limit_price or Decimal(10), order.quantity or Decimal(0)
        more = min((quantity * next(self.fills)).to_integral_value(), quantity - order.filled_quantity)
        if order.status is OrderStatus.OPEN and more == 0 and quantity - order.filled_quantity < 1:
            more = quantity - order.filled_quantity
        filled = order.filled_quantity + more
        status = OrderStatus.CANCELLED if order.status is OrderStatus.CANCELLING else order.status
        status = OrderStatus.FILLED if filled == quantity else status
        self.cash += more * price * (-1 if order.side is Side.BUY else 1)
        told = {"filled_quantity": filled, "average_price": price if filled else None, "status": status}
        self.orders[name] = order.model_copy(update=told)

    def _act(self, index: int, after: LegState, actions: tuple[Action, ...]) -> None:
        self.legs[index] = after
        for action in actions:
            if isinstance(action, Cancel):
                order = self.orders[action.order_id]
                if not order.status.terminal:
                    self.orders[action.order_id] = order.model_copy(update={"status": OrderStatus.CANCELLING})
                continue
            self.orders[_id(after)] = BrokerOrder(
                order_id=_id(after),
                client_order_id=_id(after),
                symbol=after.leg.symbol,
                side=after.leg.side,
                status=OrderStatus.OPEN,
                quantity=action.step.quantity,
                filled_quantity=Decimal(0),
                order_type=action.step.order_type,
            )
            self._act(index, *advance(after, None, self.orders[_id(after)], at(self.seconds), RULES))

    def _moved(self, state: LegState) -> Decimal:
        mine = (order for order in self.orders.values() if order.symbol == state.leg.symbol)
        return sum((order.filled_quantity for order in mine), Decimal(0))

    def _prices(self, state: LegState) -> Prices:
        quote = Quote(symbol=state.leg.symbol, bid=Decimal("9.99"), ask=Decimal("10.01"), at=at(self.seconds))
        return Prices(quote)


def _id(state: LegState) -> str:
    return f"{state.leg.symbol}-{state.steps}"


def account(cash: str, *legs: PlannedLeg, stuck: Collection[str] = (), reserve: str = "0") -> Account:
    return Account([start(item) for item in legs], Decimal(cash), Decimal(reserve), repeat(Decimal(1)), stuck)


SALE, BUY = leg(1, "AAA", Side.SELL, "10"), leg(2, "BBB", Side.BUY, "15")


def test_a_sale_that_never_fills_lets_a_buy_have_what_there_is_and_the_rest_when_it_fills_after_all() -> None:
    line = account("100", SALE, BUY, stuck={"AAA"})
    line.run(29)
    assert (line.leg("BBB").phase, line.leg("BBB").filled) == (LegPhase.HELD, Decimal(0)), "its cash may still come"
    line.run(6)
    for_now = line.leg("BBB")
    assert for_now.phase is LegPhase.HELD
    assert 9 < for_now.filled < 10
    line.run(60)
    assert line.leg("BBB").filled < 10, "there is no more"
    line.stuck = ()
    line.run(10)
    assert [state.outcome for state in line.legs] == [LegStatus.FILLED, LegStatus.FILLED]


def test_a_buy_that_never_fills_keeps_its_own_cash_and_not_everybodys() -> None:
    first, second = leg(1, "AAA", Side.BUY, "10"), leg(2, "BBB", Side.BUY, "15")
    line = account("210", first, second, stuck={"AAA"})
    line.run(40)
    assert line.leg("AAA").phase is LegPhase.WORKING
    assert 9 < line.leg("BBB").filled < 15
    line.stuck = ()
    line.run(60)
    assert [state.outcome for state in line.legs] == [LegStatus.FILLED, LegStatus.PARTIAL]
    assert line.cash < 2, "what the first one kept beyond its price is spent in the end"


@given(
    st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 40)), min_size=1, max_size=5),
    st.integers(0, 600),
    st.integers(0, 50),
    st.sets(st.integers(0, 4)),
    st.lists(st.sampled_from(["0", "0", "0.1", "0.5", "1"]), min_size=1, max_size=8),
)
def test_whatever_fills_nothing_is_promised_twice_and_everything_comes_to_an_end(
    wanted: list[tuple[Side, int]], cash: int, reserve: int, stuck: set[int], parts: list[str]
) -> None:
    names = ["AAA", "BBB", "CCC", "DDD", "EEE"]
    legs = [leg(number + 1, names[number], side, str(shares)) for number, (side, shares) in enumerate(wanted)]
    line = account(str(cash + reserve), *legs, stuck={names[number] for number in stuck}, reserve=str(reserve))
    line.fills = (Decimal(part) for part in [*parts * 10] + ["1"] * 100_000)
    line.run(50)
    line.stuck = ()
    line.run(140)
    assert all(state.phase is LegPhase.DONE for state in line.legs)
    proceeds = sum(shares for side, shares in wanted if side is Side.SELL) * Decimal("9.8")
    if sum(shares for side, shares in wanted if side is Side.BUY) * Decimal("10.4") <= cash + proceeds:
        assert all(state.outcome is LegStatus.FILLED for state in line.legs), "cash was there for all of it"
