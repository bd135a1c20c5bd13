"""Waits until the broker's figures agree with the fills: prices come late, positions and cash lag for seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.ports.broker import OrderReader, OtherHolding
from alchemiser_common.ports.clock import Clock, TimeLeft
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import ExecutionSettings
from alchemiser_trading.orders.leg_ends import closed, contradicted, last_report
from alchemiser_trading.orders.legs import LegState
from alchemiser_trading.orders.order_tracker import OrderTracker
from alchemiser_trading.orders.reconcile import Difference, compare_positions, moved

_NEEDED = timedelta(seconds=10)
"""Process time that the report after this needs."""


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What the broker showed when the legs had ended."""

    account: Account
    positions: tuple[Position, ...]
    differences: tuple[Difference, ...] = ()
    """Positions that the fills do not explain."""
    others: tuple[OtherHolding, ...] = ()
    """Holdings that are not managed."""


class Settling:
    """The reads after the legs have ended, and before a resumed run goes on."""

    def __init__(
        self,
        broker: OrderReader,
        tracker: OrderTracker,
        clock: Clock,
        rules: ExecutionSettings,
        time_left: TimeLeft,
        id_of: Callable[[LegState], str],
        heartbeat: Callable[[], None],
    ) -> None:
        self._broker = broker
        self._tracker = tracker
        self._clock = clock
        self._rules = rules
        self._time_left = time_left
        self._id_of = id_of
        self._heartbeat = heartbeat

    def afterwards(self, plan: Plan, legs: Sequence[LegState]) -> tuple[tuple[LegState, ...], Afterwards]:
        """Final legs, account and positions. What still disagrees when patience ends comes back as differences.

        Raises BrokerUnavailable if account and positions cannot be read that long.
        """
        ends = self._clock.now() + timedelta(seconds=self._rules.settle_seconds)
        settled = tuple(legs)
        while True:
            over = self._clock.now() >= ends or self._time_left() < _NEEDED
            settled = tuple(self._newest(state) for state in settled)
            try:
                holdings = self._broker.holdings()
                account = self._broker.account()
            except BrokerUnavailable:
                if over:
                    raise
                self._wait()
                continue
            differences = compare_positions(plan, settled, holdings)
            unpriced = any(state.unpriced > 0 for state in settled)
            if not (differences or unpriced) or over:
                odd = {difference.symbol for difference in differences}
                settled = tuple(
                    contradicted(state, moved(plan, state.leg, holdings)) if state.leg.symbol in odd else closed(state)
                    for state in settled
                )
                return settled, Afterwards(account, holdings.positions, differences, holdings.others)
            self._wait()

    def _wait(self) -> None:
        self._clock.sleep(self._rules.poll_seconds)
        self._heartbeat()

    def _newest(self, state: LegState) -> LegState:
        """The leg with what its order came to if that was not known yet, and with prices that come late."""
        if state.may_have_order:
            try:
                report = self._tracker.look_up(self._id_of(state))
            except BrokerUnavailable:
                report = None
            if report is not None:
                state = last_report(state, report)
        return self._tracker.priced(state) if state.unpriced > 0 else state

    def unexplained(self, plan: Plan, legs: Sequence[LegState]) -> tuple[Difference, ...]:
        """Positions that start and fills do not explain, asked again until they do or patience ends."""
        ends = self._clock.now() + timedelta(seconds=self._rules.settle_seconds)
        while True:
            differences = compare_positions(plan, legs, self._broker.holdings())
            if not differences or self._clock.now() >= ends:
                return differences
            self._wait()
