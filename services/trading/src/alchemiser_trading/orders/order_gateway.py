"""The one place that sends orders: gate, then intent, then request. Nothing else in the project submits or cancels."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from alchemiser_common.errors import AmbiguousOutcome, BrokerRefused, BrokerThrottled, BrokerUnavailable, StateCorrupt
from alchemiser_common.ids import Side, client_order_id
from alchemiser_common.ports.broker import Broker, BrokerOrder, OrderRequest, order_type
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
    """The broker's clock minus this machine's."""
    time_left: TimeLeft
    """What remains of the process."""


class OrderGateway:
    """Sends the orders of one run on behalf of one delivery."""

    def __init__(
        self,
        *,
        store: StateStore,
        broker: Broker,
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
        self.sent_ids: set[str] = {intent.client_order_id for intent in journal.intents()}
        """Client order ids of every intent of the run."""

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
        return client_order_id(
            environment=self._settings.environment.value,
            run=self._journal.head.run_id,
            symbol=leg.symbol,
            side=leg.side,
            leg=leg.number,
            step=step,
        )

    def may_ask(self) -> bool:
        """Whether the request budget has room for another order, cancel or look-up."""
        return self._budget.allows()

    def cash(self) -> Decimal:
        """The account's cash in USD as the broker shows it now, which may lag behind the fills."""
        return self._broker.account().cash

    def place(self, state: LegState, step: Step) -> BrokerOrder | None:
        """Write the step's intent, then send it. None: no answer, look it up.

        Raises BrokerRefused, BrokerThrottled, LeaseHeld, StoreUnavailable (the intent may be written, nothing is sent).
        """
        intent = self._intent(state, step)
        self.sent_ids.add(intent.client_order_id)
        self._journal.intend(self._lease, intent)
        return self._send(intent)

    def place_again(self, state: LegState, step: Step) -> BrokerOrder | None:
        """Send a step again under its id, after making sure that its intent is there. As `place`."""
        intent = self._journal.intent(state.leg.number, step.number)
        if intent is None:
            return self.place(state, step)
        self._lease.keep()
        return self._send(intent)

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel. A fault is only noted: reading tells what became of the order, and asking is repeated."""
        try:
            self._broker.cancel(order_id)
        except (BrokerUnavailable, BrokerRefused) as error:
            _log.warning("cancel not taken", extra={"order_id": order_id, "reason": str(error)})

    def _send(self, intent: Intent) -> BrokerOrder | None:
        if self.now() >= self._mandate.deadline:
            return None
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
            arrival_mid=state.arrival_mid,
            leg_started_at=state.started_at or self.now(),
            authority_epoch=self._mandate.authority_epoch,
            lease_epoch=self._lease.epoch,
            written_at=self._clock.now(),
        )


def request_of(intent: Intent) -> OrderRequest:
    """The order to send; the same however often it is sent."""
    return OrderRequest(
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        side=intent.side,
        quantity=intent.quantity,
        order_type=order_type(intent.limit_price),
    )
