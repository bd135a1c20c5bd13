"""Delivering a decision until it is done, as a queue would."""

from collections.abc import Callable
from decimal import Decimal

from alchemiser_common.errors import TransientError
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_trading.service import DecisionService
from support.faulty_ports import Faults, FaultyArchive, FaultyBroker, FaultyStore, Killed
from support.trading_rig import QUARTER_HOUR, Rig

SWITCH = {"AAA": 0.4, "BBB": 0.4}
"""Out of CCC, into two others, with cash to spare."""
SWITCHED = {
    ("CCC", "sell"): Decimal("1000.123456789"),
    ("AAA", "buy"): Decimal("475.209777"),
    ("BBB", "buy"): Decimal("950.419555"),
}
"""What that comes to: 40 % of 99 % of 120,002.47 USD at 100 and at 50."""


def deliver(
    rig: Rig, decision: TradeDecision, service: Callable[[int], DecisionService], *, times: int = 8
) -> ExecutionReport:
    """Deliver again, after the lease has run out, until the run has an end. `service` makes each delivery's process."""
    for delivery in range(times):
        try:
            return service(delivery).execute(decision, time_left=lambda: QUARTER_HOUR)
        except (TransientError, Killed):
            rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    raise AssertionError(f"{times} deliveries did not end the run")


def assert_switched(rig: Rig) -> None:
    """Each leg is traded once, in full, and nothing is left open."""
    assert rig.traded() == SWITCHED, "legs traded other than once and in full"
    ids = [order.client_order_id for order in rig.orders()]
    assert len(ids) == len(set(ids)), "a client order id was used twice"
    assert_no_open_orders(rig)


def assert_no_open_orders(rig: Rig) -> None:
    ended = {"filled", "canceled", "rejected", "expired", "done_for_day", "replaced"}
    still = [order for order in rig.orders() if order.status not in ended]
    assert not still, f"orders are left open: {still}"


def faulty(rig: Rig, faults: Faults) -> DecisionService:
    """A process whose every I/O call passes by `faults`."""
    return rig.service(
        broker=FaultyBroker(rig.broker, faults),
        state=FaultyStore(rig.state, faults),
        archive=FaultyArchive(rig.archive, faults),
    )
