"""The one loop that drives all legs of a run: read, let each leg decide, act, wait. Nothing sleeps per leg.

Sells go first; buys are set free as confirmed proceeds and the broker's cash cover them. Ends when every leg is done.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from alchemiser_common.errors import BrokerRefused, BrokerThrottled, BrokerUnavailable, OutOfTime, StoreUnavailable
from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderReader
from alchemiser_common.ports.clock import Clock
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import Settings
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.orders.cash import CashBudget, release_buys
from alchemiser_trading.orders.leg_ends import unsent
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, Resend, Step
from alchemiser_trading.orders.order_gateway import OrderGateway, Stop, StopKind
from alchemiser_trading.orders.order_tracker import DaysOrders, OrderTracker
from alchemiser_trading.orders.order_watch import (
    answered,
    checked,
    refused,
    reheard,
    rested,
    settled,
    throttled,
    unheard,
)
from alchemiser_trading.orders.pricing import Prices
from alchemiser_trading.orders.reconcile import foreign_orders, moved
from alchemiser_trading.orders.smart_execution import advance, stop

_log = logging.getLogger(__name__)
_FAULTY_TICKS = 15
"""So many ticks in a row that meet an unreachable broker or store, and nothing new is sent; twice as many, and this
delivery gives up. The next one goes on."""
_LISTED = frozenset({LegPhase.SENT, LegPhase.WORKING, LegPhase.CANCELLING, LegPhase.CHECKING})


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
        broker: OrderReader,
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
        self._faulty = False
        self._account = plan.account

    def run(self, legs: Sequence[LegState], stopped: Stop | None = None) -> Execution:
        """Drive the legs. With `stopped` nothing new is sent: what is open is cancelled and counted.

        Raises OutOfTime when the process must end first, LeaseHeld when another worker took over, BrokerUnavailable
        or StoreUnavailable when either stays away; each leaves a run that the next delivery continues.
        """
        self._legs = list(legs)
        self._stopped(stopped)
        while True:
            self._faulty, asked = False, True
            try:
                asked = self._tick()
            except (BrokerUnavailable, StoreUnavailable) as error:
                self._fault(error)
            if asked and not self._faulty:
                self._faults = 0
            if all(state.phase is LegPhase.DONE for state in self._legs):
                break
            self._clock.sleep(self._rules.poll_seconds)
        self._hand_over()
        return Execution(tuple(self._legs), self._stop)

    def _tick(self) -> bool:
        """Whether there was room in the request budget to ask anything."""
        self._lease.keep()
        self._stopped(self._gateway.stop_by_time())
        if any(not state.stopping and state.phase is not LegPhase.DONE for state in self._legs):
            self._stopped(self._gateway.stop_by_trading_state())
            self._stopped(self._gateway.stop_by_clock())
        if not self._gateway.may_ask():
            return False  # nothing could be acted upon: what the orders do meanwhile is read when there is room again
        self._hear()
        self._check()
        self._journal.move(self._lease, self._phase(), self._clock.now())
        ready = self._ready_legs()
        if ready:
            prices = self._prices([self._legs[index].leg.symbol for index in ready])
            for index in ready:
                if not self._gateway.may_ask():
                    break  # the others at the next tick that has room
                self._order(index, prices)
        return True

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

    # What each leg hears of its order, and from whom. One source may fail or lie without blinding the others:
    #
    #     the day's list     one call for all legs, each tick
    #     a look-up          for a leg that the list does not show, or if there is no list, and for the end of an order
    #     the positions      for a leg whose orders have all ended by either's word (`_check`)
    #
    # A leg that could not be asked for is not told "not found": it learns nothing, and only one that is to end stops
    # waiting after a while. Cancels go out here, orders do not.
    def _hear(self) -> None:
        """Read what became of the orders and let the legs take note."""
        listed = self._listed()
        complete = listed is not None
        for index in range(len(self._legs)):
            complete &= self._heard(index, listed)
            if listed is not None:
                self._late_fills(index, listed)
        if listed is not None:
            for index in self._doubtful():
                self._doubted(index, listed)
        self._legs = [self._tracker.priced(state) if state.unpriced > 0 else state for state in self._legs]
        if listed is not None and complete:
            foreign = foreign_orders(listed.open, self._gateway.sent_ids, self._tracker.order_ids)
            if foreign:
                self._stopped(Stop(StopKind.UNRECONCILED, foreign[0].detail))

    def _heard(self, index: int, listed: DaysOrders | None) -> bool:
        """Whether the leg knows all that can be known of its order now."""
        state = self._legs[index]
        order = None if listed is None else listed.find(self._client_order_id(state))
        match state.phase:
            case LegPhase.HELD:
                self._told(index, None)  # whether it is to end
            case LegPhase.CHECKING if state.stopping:
                self._told(index, None)
            case LegPhase.CHECKING if not state.confirmed:
                return self._gateway.may_ask() and self._looked_up(index)
            case LegPhase.CANCELLING if self._overdue(state) and not _shown_ended(state, order):
                return self._gateway.may_ask() and self._looked_up(index)  # the list may be what is behind
            case LegPhase.SENT | LegPhase.WORKING | LegPhase.CANCELLING if order is not None:
                self._told(index, order)
            case LegPhase.SENT | LegPhase.WORKING | LegPhase.CANCELLING:
                return self._due(state) and self._gateway.may_ask() and self._looked_up(index)
        return True

    def _listed(self) -> DaysOrders | None:
        if not any(state.phase in _LISTED for state in self._legs) and not self._doubtful():
            return None
        try:
            return self._tracker.days_orders()
        except BrokerUnavailable as error:
            self._fault(error)
            return None

    def _looked_up(self, index: int) -> bool:
        """Whether the leg's order could be asked for by its id; what came of it the leg was told."""
        try:
            order = self._tracker.look_up(self._client_order_id(self._legs[index]))
        except BrokerUnavailable as error:
            self._fault(error)
            self._act(index, *unheard(self._legs[index], self._gateway.now(), self._rules))
            return False
        self._told(index, order)
        return True

    def _late_fills(self, index: int, listed: DaysOrders) -> None:
        """Orders of the leg that had ended, seen again: one of them may have filled more, or be open after all."""
        ended = {order.client_order_id for order in self._legs[index].chain}
        for report in listed.orders:
            if report.client_order_id in ended:
                self._legs[index] = reheard(self._legs[index], report, self._gateway.now())

    def _doubtful(self) -> list[int]:
        """Frozen legs to look at again: their orders may have cost something, and other legs wait for it."""
        if not any(state.phase in {LegPhase.HELD, LegPhase.READY} and not state.stopping for state in self._legs):
            return []
        now, pause = self._gateway.now(), timedelta(seconds=self._rules.settle_seconds)
        return [
            index
            for index, state in enumerate(self._legs)
            if state.outcome is LegStatus.FROZEN
            and state.unsettled > 0
            and now - (state.since or state.ended_at or now) >= pause
        ]

    def _doubted(self, index: int, listed: DaysOrders) -> None:
        """Look at a frozen leg again; what cannot be read leaves it as it was."""
        state = self._legs[index] = replace(self._legs[index], since=self._gateway.now())
        if not self._gateway.may_ask():
            return
        order = self._client_order_id(state)
        try:
            found, holdings = self._tracker.look_up(order), self._broker.holdings()
        except BrokerUnavailable as error:
            _log.warning("a frozen leg cannot be read", extra={"symbol": state.leg.symbol, "reason": str(error)})
            return
        shares = moved(self._plan, state.leg, holdings)
        self._legs[index] = settled(state, listed.find(order), found, shares)

    def _overdue(self, state: LegState) -> bool:
        """Whether the end of a cancelled order has been waited for half of what it is given."""
        patience = timedelta(seconds=self._rules.cancel_patience_seconds)
        return self._gateway.now() - (state.since or self._gateway.now()) >= patience / 2

    def _due(self, state: LegState) -> bool:
        return state.phase is not LegPhase.SENT or state.not_before is None or self._gateway.now() >= state.not_before

    def _client_order_id(self, state: LegState) -> str:
        return self._gateway.id_of(state.leg, state.steps)

    def _told(self, index: int, order: BrokerOrder | None) -> None:
        """One leg takes note of its order's newest report."""
        if order is not None:
            self._tracker.order_ids.add(order.order_id)
        self._act(index, *advance(self._legs[index], None, order, self._gateway.now(), self._rules))

    def _check(self) -> None:
        """Let the positions confirm what is reported of the orders that have ended."""
        if not any(state.phase is LegPhase.CHECKING for state in self._legs):
            return
        holdings = self._broker.holdings()
        for index, state in enumerate(self._legs):
            if state.phase is LegPhase.CHECKING:
                shares = moved(self._plan, state.leg, holdings)
                self._act(index, *checked(state, shares, self._gateway.now(), self._rules))

    def _ready_legs(self) -> list[int]:
        """Legs that may place an order now, and those whose order has rested; buys set free as far as cash goes."""
        if any(state.leg.side is Side.BUY and state.phase in {LegPhase.HELD, LegPhase.READY} for state in self._legs):
            self._account = self._gateway.account()
            self._legs = release_buys(
                self._budget(),
                self._allowance,
                self._gateway.now(),
                timedelta(seconds=self._rules.settle_seconds),
                timedelta(seconds=self._rules.cash_patience_seconds),
            )
        now = self._gateway.now()
        return [
            index
            for index, state in enumerate(self._legs)
            if state.phase is LegPhase.READY or rested(state, now, self._rules)
        ]

    def _budget(self) -> CashBudget:
        return CashBudget(self._plan, self._legs, self._account.cash, self._account.buying_power)

    def _prices(self, symbols: Sequence[str]) -> Mapping[str, Prices]:
        """Quotes and last trades, as far as they can be read; legs without wait `quote_patience_seconds`."""
        try:
            quotes = {quote.symbol: quote for quote in self._broker.latest_quotes(symbols)}
        except BrokerUnavailable as error:
            _log.warning("no quotes", extra={"reason": str(error)})
            quotes = {}
        try:
            trades = {trade.symbol: trade for trade in self._broker.latest_trades(symbols)}
        except BrokerUnavailable as error:
            _log.warning("no trades", extra={"reason": str(error)})
            trades = {}
        return {symbol: Prices(quotes.get(symbol), trades.get(symbol)) for symbol in symbols}

    def _order(self, index: int, prices: Mapping[str, Prices]) -> None:
        before = self._legs[index]
        if before.leg.side is Side.BUY:
            budget = self._budget()
            spendable = budget.spendable(without=before)
            before = self._legs[index] = replace(
                before,
                spendable=spendable if before.affordable is None else min(spendable, before.affordable),
                cash_coming=budget.coming(before),
                cash_lags=budget.lags,
            )
        now = self._gateway.now()
        self._act(index, *advance(before, prices[before.leg.symbol], None, now, self._rules))

    def _act(self, index: int, after: LegState, actions: Sequence[Action]) -> None:
        """Do what a leg asks; what the budget or the gate does not allow leaves the leg as it was."""
        for action in actions:
            if not self._gateway.may_ask():
                return
            if isinstance(action, Cancel):
                after = answered(after, taken=self._gateway.cancel(action.order_id), now=self._gateway.now())
            elif self._gate_open(index):
                self._legs[index] = after
                self._send(index, action)
                return
            else:
                return
        self._legs[index] = after

    def _gate_open(self, index: int) -> bool:
        """Time and the account's switch, looked at again before each order."""
        self._stopped(self._gateway.stop_by_time() or self._gateway.stop_by_trading_state())
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
            self._fault(error)
        except BrokerThrottled:
            self._legs[index] = throttled(state, self._gateway.now(), self._rules)
        except BrokerRefused as error:
            _log.warning("order refused", extra={"symbol": state.leg.symbol, "reason": str(error)})
            self._legs[index] = refused(state, error, self._gateway.now(), self._rules)
        else:
            if isinstance(order, Stop):
                self._stopped(order)
                self._legs[index] = unsent(self._legs[index], order.reason, self._gateway.now())
            elif order is not None:
                self._charge(action.step, state.leg.side)
                self._told(index, order)

    # The account was read before this tick's orders. Cash does not change by an order, but buying power is less by it:
    # with the figure as it was read, a second buy of the same tick would be sent for what the first one has taken.
    def _charge(self, step: Step, side: Side) -> None:
        """Take an order that the broker took off the buying power that was read before it."""
        if side is Side.BUY:
            left = self._account.buying_power - step.quantity * step.cost_price
            self._account = self._account.model_copy(update={"buying_power": left})

    # What lasts is met in two stages, so that no order is left behind for as long as anything can be reached:
    #
    #     15 ticks in a row    nothing new is sent; open orders are cancelled and looked up, by whatever still answers
    #     30 ticks in a row    this delivery gives up; every order that may be open has an intent for the next one
    def _fault(self, error: BrokerUnavailable | StoreUnavailable) -> None:
        if not self._faulty:  # one a tick
            self._faulty = True
            self._faults += 1
            _log.warning("tick met a fault", extra={"reason": str(error), "in_a_row": self._faults})
        if self._faults >= _FAULTY_TICKS * (1 if isinstance(error, StoreUnavailable) else 2):
            raise error
        if self._faults >= _FAULTY_TICKS:
            self._stopped(Stop(StopKind.FAULT, str(error)))

    def _hand_over(self) -> None:
        """Legs that only this delivery could not finish are the next one's. Raises OutOfTime, BrokerUnavailable."""
        by = self._stop
        if by is None or by.kind not in {StopKind.HANDOVER, StopKind.FAULT}:
            return
        left = [state.leg.symbol for state in self._legs if state.stopping == by.reason and state.unfinished]
        if not left:
            return
        if by.kind is StopKind.FAULT:
            raise BrokerUnavailable(by.reason)
        raise OutOfTime(f"{len(left)} of {len(self._legs)} legs are left to the next delivery: {', '.join(left)}")


def _shown_ended(state: LegState, listed: BrokerOrder | None) -> bool:
    """Whether the list shows the leg's order as ended, and nothing odd was said of it."""
    return listed is not None and listed.status.terminal and state.odd_since is None
