"""The one place that sends orders: gate, then intent, then request. Nothing else in the project submits or cancels."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from alchemiser_common.errors import AmbiguousOutcome, BrokerRefused, BrokerThrottled, BrokerUnavailable, StateCorrupt
from alchemiser_common.ids import Side, client_order_id
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import BrokerOrder, OrderDesk, OrderReader, OrderRequest, order_type
from alchemiser_common.ports.clock import Clock, TimeLeft
from alchemiser_common.ports.state import StateStore
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Settings
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.account.trading_state import trading_state
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.orders.legs import LegState, Step
from alchemiser_trading.orders.rate_limit import RequestBudget

_log = logging.getLogger(__name__)
_SKEW_EVERY = timedelta(seconds=60)
_QUICK = timedelta(seconds=2)
"""A clock's answer that took longer is too vague to measure by."""


class StopKind(StrEnum):
    """Why no further order may be sent."""

    DEADLINE = "deadline"
    HALTED = "halted"
    REDUCING = "reducing"
    """Stops buys only."""
    HANDOVER = "handover"
    """The process ends before the run: the next delivery goes on."""
    UNRECONCILED = "unreconciled"
    """The broker shows what the journal does not explain."""
    FAULT = "fault"
    """The broker cannot be read for long: what is open is cancelled, and the next delivery goes on."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A reason not to send another order."""

    kind: StopKind
    reason: str
    error: str = ""
    """Name of the error class that told of it, if one did."""

    def concerns(self, side: Side) -> bool:
        """Whether orders of that side are stopped."""
        return self.kind is not StopKind.REDUCING or side is Side.BUY


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a delivery may do, as the checks found it."""

    authority_epoch: int
    deadline: datetime
    """By the broker's clock."""
    skew: timedelta
    """The broker's clock minus this machine's, when the checks were made."""
    time_left: TimeLeft
    """What remains of the process."""


class OrderGateway:
    """Sends the orders of one run on behalf of one delivery."""

    def __init__(
        self,
        *,
        store: StateStore,
        broker: OrderDesk,
        clock: Clock,
        settings: Settings,
        journal: Journal,
        lease: AccountLease,
        budget: RequestBudget,
        mandate: Mandate,
    ) -> None:
        self._store = store
        self._broker = broker
        self._clock = clock
        self._settings = settings
        self._journal = journal
        self._lease = lease
        self._budget = budget
        self._mandate = mandate
        self._skew_read_at = clock.now()
        intents = journal.intents()
        self.sent_ids: set[str] = {intent.client_order_id for intent in intents}
        """Client order ids of every intent of the run."""
        self.last_order: datetime | None = max((intent.written_at for intent in intents), default=None)
        """When the run's last order was asked for, by this delivery or an earlier one."""

    def now(self) -> datetime:
        """The broker's time, aware UTC: this machine's, corrected by the skew that the checks measured."""
        return self._clock.now() + self._mandate.skew

    def stop_by_time(self) -> Stop | None:
        """Whether the deadline has come or the process must end."""
        now = self.now()
        if now >= self._mandate.deadline:
            return Stop(StopKind.DEADLINE, f"no order after {self._mandate.deadline.isoformat(timespec='seconds')}")
        if self._mandate.time_left() < timedelta(seconds=self._settings.execution.handover_seconds):
            return Stop(StopKind.HANDOVER, "this process has no time for another step; the next delivery goes on")
        return None

    # A clock that is set back by an hour would have orders sent an hour after the deadline. The clock in use here does
    # not go back (`SteadyClock`), and now and then the broker's is asked: when the two no longer agree as they did, one
    # of them was changed, and nothing says which.
    def stop_by_clock(self) -> Stop | None:
        """Whether the broker's clock and this machine's have drifted apart since the checks. Raises BrokerUnavailable.

        An answer that was long on its way tells nothing.
        """
        if self._clock.now() - self._skew_read_at < _SKEW_EVERY or not self.may_ask():
            return None
        skew = read_skew(self._broker, self._clock)
        if skew is None:
            return None
        self._skew_read_at = self._clock.now()
        drift = abs((skew - self._mandate.skew).total_seconds())
        limit = self._settings.execution.max_clock_skew_seconds
        if drift <= limit:
            return None
        return Stop(
            StopKind.HALTED, f"this machine's clock and the broker's have come {drift:.1f} s apart; limit {limit} s"
        )

    def stop_by_trading_state(self) -> Stop | None:
        """What the account's switch stops; an unreadable one stops everything. Raises StoreUnavailable."""
        try:
            state = trading_state(self._store, self._settings.account_alias)
        except StateCorrupt as error:
            return Stop(StopKind.HALTED, f"the account's switch cannot be read: {error}")
        if state is TradingState.HALTED:
            return Stop(StopKind.HALTED, "the account was halted during the run")
        if state is TradingState.REDUCING:
            return Stop(StopKind.REDUCING, "the account may only reduce its exposure")
        return None

    def id_of(self, leg: PlannedLeg, step: int) -> str:
        """The client order id of a step: a function of the run, the leg and the step, and of nothing else."""
        return step_id(self._settings, self._journal.head.run_id, leg, step)

    def may_ask(self) -> bool:
        """Whether the request budget has room for another order, cancel or look-up."""
        return self._budget.allows()

    def account(self) -> Account:
        """The account as the broker shows it now, which may lag behind the fills."""
        return self._broker.account()

    def place(self, state: LegState, step: Step) -> BrokerOrder | Stop | None:
        """Write the step's intent, then send it. None: no answer, look it up. A stop: it was surely not sent.

        Raises BrokerRefused, BrokerThrottled, LeaseHeld, StoreUnavailable (the intent may be written, nothing is sent).
        """
        intent = self._intent(state, step)
        self.sent_ids.add(intent.client_order_id)
        self._journal.intend(self._lease, intent)
        self.last_order = intent.written_at
        return self._send(intent)

    def place_again(self, state: LegState, step: Step) -> BrokerOrder | Stop | None:
        """Send a step again under its id, after making sure that its intent is there. As `place`."""
        intent = self._journal.intent(state.leg.number, step.number)
        if intent is None:
            return self.place(state, step)
        self._lease.keep()
        self.last_order = max(self.last_order or intent.written_at, intent.written_at)
        return self._send(intent)

    def cancel(self, order_id: str) -> bool:
        """Ask for a cancel; whether the broker says that it takes it. Reading tells what became of the order."""
        return takes_cancel(self._broker, order_id)

    # The worker may have been paused for minutes since the tick's checks, at the write of the intent or anywhere else.
    # Both questions are asked once more at the last moment, by a clock that has gone on meanwhile. What is left is the
    # time between here and the wire, and the network's: docs/trading.md says what then happens.
    def _send(self, intent: Intent) -> BrokerOrder | Stop | None:
        self._lease.require()
        late = self.stop_by_time()
        if late is not None and late.kind is StopKind.DEADLINE:
            return late
        extra = {"symbol": intent.symbol, "side": intent.side.value, "client_order_id": intent.client_order_id}
        try:
            order = self._broker.submit(request_of(intent))
        except BrokerThrottled:
            self._budget.penalise()
            raise
        except (AmbiguousOutcome, BrokerUnavailable) as error:
            _log.warning("order without an answer", extra={**extra, "reason": str(error)})
            return None
        _log.info("order sent", extra={**extra, "quantity": str(intent.quantity), "limit": str(intent.limit_price)})
        return order

    def _intent(self, state: LegState, step: Step) -> Intent:
        leg = state.leg
        return Intent(
            client_order_id=self.id_of(leg, step.number),
            leg=leg.number,
            step=step.number,
            symbol=leg.symbol,
            side=leg.side,
            quantity=step.quantity,
            limit_price=step.order_type.limit_price,
            cost_price=step.cost_price,
            leg_quantity=state.intended,
            filled_before=state.filled,
            arrival_mid=state.arrival_mid,
            leg_started_at=state.started_at or self.now(),
            authority_epoch=self._mandate.authority_epoch,
            lease_epoch=self._lease.epoch,
            written_at=self._clock.now(),
        )


def takes_cancel(broker: OrderDesk, order_id: str) -> bool:
    """Whether the broker says that it takes a cancel. A fault is only noted: asking is repeated."""
    try:
        broker.cancel(order_id)
    except (BrokerUnavailable, BrokerRefused) as error:
        _log.warning("cancel not taken", extra={"order_id": order_id, "reason": str(error)})
        return False
    return True


def step_id(settings: Settings, run: UUID, leg: PlannedLeg, step: int) -> str:
    """The client order id of a step of a leg of a run."""
    return client_order_id(
        environment=settings.environment.value,
        run=run,
        symbol=leg.symbol,
        side=leg.side,
        leg=leg.number,
        step=step,
    )


def read_skew(broker: OrderReader, clock: Clock) -> timedelta | None:
    """The broker's clock minus this machine's, compared with the middle of the round trip; None if that took long."""
    reading = broker.clock()
    answered = clock.now()
    return None if reading.round_trip > _QUICK else reading.at - (answered - reading.round_trip / 2)


def request_of(intent: Intent) -> OrderRequest:
    """The order to send; the same however often it is sent."""
    return OrderRequest(
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        side=intent.side,
        quantity=intent.quantity,
        order_type=order_type(intent.limit_price),
    )
