"""The one loop that drives all legs of a run: read, let each leg decide, act, wait. Nothing sleeps per leg.

Sells go first; buys are set free as confirmed proceeds and the broker's cash cover them. Ends when every leg is done.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from alchemiser_common.errors import BrokerRefused, BrokerThrottled, BrokerUnavailable, OutOfTime, StoreUnavailable
from alchemiser_common.ids import Side
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.broker import Broker, BrokerOrder, Quote
from alchemiser_common.ports.clock import Clock
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import Settings
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.orders.cash import CashBudget, release_buys
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, Resend
from alchemiser_trading.orders.order_gateway import OrderGateway, Stop, StopKind
from alchemiser_trading.orders.order_tracker import DaysOrders, OrderTracker
from alchemiser_trading.orders.reconcile import altered, foreign_orders
from alchemiser_trading.orders.smart_execution import abandoned, advance, refused, stop, throttled

_log = logging.getLogger(__name__)
_FAULTY_TICKS = 15
"""So many ticks in a row that meet an unreachable broker or store, and the delivery gives up; the next one goes on."""
_WATCHED = frozenset({LegPhase.WORKING, LegPhase.CANCELLING})


@dataclass(frozen=True, slots=True)
class Execution:
    """How the legs ended, and what stopped them if something did."""

    legs: tuple[LegState, ...]
    stop: Stop | None


class Executor:
    """Runs the legs of one plan to their end, or to the point where the next delivery must go on."""

    def __init__(
        self,
        *,
        plan: Plan,
        broker: Broker,
        clock: Clock,
        settings: Settings,
        journal: Journal,
        lease: AccountLease,
        gateway: OrderGateway,
        tracker: OrderTracker,
    ) -> None:
        self._plan = plan
        self._broker = broker
        self._clock = clock
        self._rules = settings.execution
        self._allowance = settings.trading.price_allowance
        self._journal = journal
        self._lease = lease
        self._gateway = gateway
        self._tracker = tracker
        self._legs: list[LegState] = []
        self._stop: Stop | None = None
        self._faults = 0
        self._cash = plan.account.cash

    def run(self, legs: Sequence[LegState], stopped: Stop | None = None) -> Execution:
        """Drive the legs. With `stopped` nothing new is sent: what is open is cancelled and counted.

        Raises OutOfTime when the process must end first, LeaseHeld when another worker took over, BrokerUnavailable
        or StoreUnavailable when either stays away; each leaves a run that the next delivery continues.
        """
        self._legs = list(legs)
        self._stopped(stopped)
        while True:
            try:
                self._tick()
                self._faults = 0
            except (BrokerUnavailable, StoreUnavailable) as error:
                self._faulty(error)
            if all(state.phase is LegPhase.DONE for state in self._legs):
                break
            self._clock.sleep(self._rules.poll_seconds)
        if self._stop is not None and self._stop.kind is StopKind.HANDOVER:
            self._hand_over(self._stop)
        return Execution(tuple(self._legs), self._stop)

    def _tick(self) -> None:
        self._lease.keep()
        self._stopped(self._gateway.stop_by_time())
        if any(not state.stopping and state.phase is not LegPhase.DONE for state in self._legs):
            self._stopped(self._gateway.stop_by_trading_state())
        if not self._gateway.may_ask():
            return  # nothing could be acted upon: what the orders do meanwhile is read when there is room again
        self._hear()
        self._journal.move(self._lease, self._phase(), self._clock.now())
        ready = self._ready_legs()
        if ready:
            quotes = self._quotes([self._legs[index].leg.symbol for index in ready])
            for index in ready:
                self._order(index, quotes)

    def _phase(self) -> RunStatus:
        selling = any(state.leg.side is Side.SELL and state.phase is not LegPhase.DONE for state in self._legs)
        return RunStatus.SELLING if selling and self._journal.head.phase is not RunStatus.BUYING else RunStatus.BUYING

    def _stopped(self, by: Stop | None) -> None:
        """Tell the legs. A stop of everything outranks one of buys; among equals the first stays."""
        if by is None:
            return
        if self._stop is None or (self._stop.kind is StopKind.REDUCING and by.kind is not StopKind.REDUCING):
            _log.warning("no further orders", extra={"stop": by.kind.value, "reason": by.reason})
            self._stop = by
        self._legs = [stop(state, by.reason) if by.concerns(state.leg.side) else state for state in self._legs]

    def _hear(self) -> None:
        """Read what became of the orders and let the legs take note: cancels go out here, orders do not."""
        listed: DaysOrders | None = None
        if any(state.phase in _WATCHED for state in self._legs):
            listed = self._tracker.days_orders()
        complete = True
        for index, state in enumerate(self._legs):
            order: BrokerOrder | None = None
            if state.phase in _WATCHED and listed is not None:
                order = listed.find(self._client_order_id(state))
            if order is None and state.phase in _WATCHED | {LegPhase.SENT}:
                if not self._due(state) or not self._gateway.may_ask():
                    complete = False
                    continue
                order = self._tracker.look_up(self._client_order_id(state))
            if state.phase is not LegPhase.READY:
                self._told(index, order)
        self._legs = [self._tracker.priced(state) if state.unpriced > 0 else state for state in self._legs]
        if listed is not None and complete:
            foreign = foreign_orders(listed.open, self._gateway.sent_ids, self._tracker.order_ids)
            if foreign:
                self._stopped(Stop(StopKind.UNRECONCILED, foreign[0].detail))

    def _due(self, state: LegState) -> bool:
        return state.phase is not LegPhase.SENT or state.not_before is None or self._gateway.now() >= state.not_before

    def _client_order_id(self, state: LegState) -> str:
        return self._gateway.id_of(state.leg, state.steps)

    def _told(self, index: int, order: BrokerOrder | None) -> None:
        """One leg takes note of its order's newest report."""
        before = self._legs[index]
        if order is not None:
            self._tracker.order_ids.add(order.order_id)
            wrong = altered(order, symbol=before.leg.symbol, side=before.leg.side)
            if wrong:
                self._legs[index] = abandoned(before, wrong, self._gateway.now())
                self._stopped(Stop(StopKind.UNRECONCILED, wrong))
                return
        after, actions = advance(before, None, order, self._gateway.now(), self._rules)
        self._act(index, after, actions)

    def _ready_legs(self) -> list[int]:
        """Legs that may place an order now, buys set free as far as cash goes."""
        if any(state.leg.side is Side.BUY and state.phase in {LegPhase.HELD, LegPhase.READY} for state in self._legs):
            self._cash = self._gateway.cash()
            budget = CashBudget(self._plan, self._legs, self._cash)
            settle = timedelta(seconds=self._rules.settle_seconds)
            self._legs = release_buys(budget, self._allowance, self._gateway.now(), settle)
        return [index for index, state in enumerate(self._legs) if state.phase is LegPhase.READY]

    def _quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Best bid and ask; empty if they cannot be read: legs then wait `quote_patience_seconds`."""
        try:
            return {quote.symbol: quote for quote in self._broker.latest_quotes(symbols)}
        except BrokerUnavailable as error:
            _log.warning("no quotes", extra={"reason": str(error)})
            return {}

    def _order(self, index: int, quotes: Mapping[str, Quote]) -> None:
        before = self._legs[index]
        if before.leg.side is Side.BUY:
            budget = CashBudget(self._plan, self._legs, self._cash)
            before = self._legs[index] = replace(
                before,
                spendable=budget.spendable(without=before),
                cash_coming=budget.coming(before),
                cash_lags=budget.lags,
            )
        after, actions = advance(before, quotes.get(before.leg.symbol), None, self._gateway.now(), self._rules)
        self._act(index, after, actions)

    def _act(self, index: int, after: LegState, actions: Sequence[Action]) -> None:
        """Do what a leg asks; what the budget or the gate does not allow leaves the leg as it was."""
        for action in actions:
            if not self._gateway.may_ask():
                return
            if isinstance(action, Cancel):
                self._gateway.cancel(action.order_id)
            elif self._gate_open(index):
                self._legs[index] = after
                self._send(index, action)
                return
            else:
                return
        self._legs[index] = after

    def _gate_open(self, index: int) -> bool:
        """The last look before an order, at time and switch."""
        by = self._gateway.stop_by_time() or self._gateway.stop_by_trading_state()
        self._stopped(by)
        return not self._legs[index].stopping

    def _send(self, index: int, action: Place | Resend) -> None:
        state = self._legs[index]
        try:
            if isinstance(action, Resend):
                order = self._gateway.place_again(state, action.step)
            else:
                order = self._gateway.place(state, action.step)
        except StoreUnavailable as error:
            # The intent may or may not be written and nothing is sent: the leg finds out by looking.
            self._faulty(error)
        except BrokerThrottled:
            self._legs[index] = throttled(state, self._gateway.now(), self._rules)
        except BrokerRefused as error:
            _log.warning("order refused", extra={"symbol": state.leg.symbol, "reason": str(error)})
            self._legs[index] = refused(state, error, self._gateway.now(), self._rules)
        else:
            if order is not None:
                self._told(index, order)

    def _faulty(self, error: BrokerUnavailable | StoreUnavailable) -> None:
        self._faults += 1
        _log.warning("tick met a fault", extra={"reason": str(error), "in_a_row": self._faults})
        if self._faults >= _FAULTY_TICKS:
            raise error

    def _hand_over(self, by: Stop) -> None:
        left = [state.leg.symbol for state in self._legs if state.reason == by.reason]
        if left:
            raise OutOfTime(f"{len(left)} of {len(self._legs)} legs are left to the next delivery: {', '.join(left)}")
