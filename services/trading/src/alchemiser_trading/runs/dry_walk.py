"""A shadow's plan walked by the order machine that trades, on quotes of now, at a desk that sends nothing.

Executor, gateway, journal and lease are those of a trading run, and so is every rule of price, pace and cash. What is
not theirs: the desk (`DryDesk`) and the store, which are in memory and end with the walk.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from alchemiser_common.embedded.memory_state import MemoryStateStore
from alchemiser_common.errors import AlchemiserError, OutOfTime
from alchemiser_common.messages.report import LegReport, RunStatus
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import SteadyClock, TimeLeft
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.records.journal import JournalHead
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import Settings
from alchemiser_common.telemetry import dry_scope
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal, new_head
from alchemiser_trading.orders.dry_desk import DryDesk
from alchemiser_trading.orders.executor import Executor
from alchemiser_trading.orders.legs import start
from alchemiser_trading.orders.order_gateway import Mandate, OrderGateway
from alchemiser_trading.orders.order_tracker import OrderTracker
from alchemiser_trading.orders.rate_limit import RequestBudget
from alchemiser_trading.runs.checks import check_deadline, check_session, clock_skew
from alchemiser_trading.runs.reporting import leg_reports
from alchemiser_trading.runs.tools import Tools

_log = logging.getLogger(__name__)
_READS_A_MINUTE = 40
"""Of market data, for which the broker has a limit of its own, 200 on the free plan. Whoever trades the account at the
same time looks every `poll_seconds`: two reads, 60 a minute by default.
"""
_QUICKEST_POLL = 5.0
"""Seconds: three reads a tick at most, 36 a minute."""
_LONG = timedelta(days=1)
_HANDOVERS = 2
"""What is left to the process after a walk, in `handover_seconds`: a read that hangs is waited for, too."""
_LATE = timedelta(minutes=1)
"""After its plan a walk that begins later than this says so."""


# How a walk ends, in all cases before its process does and before an order of the cycle could no longer be sent:
#
#     every leg has ended       mostly within a minute or two
#     its time is over          `dry_walk_seconds`, the decision's deadline, the session's margin, or what the process
#                               has left: the machine's own stop by deadline cancels at the desk and counts
#     market data stay away     the machine's own patience, and the reason is kept
#     the process dies          nothing is kept; the message comes again, and the walk begins anew, on quotes of then
def dry_walk(tools: Tools[MarketReader], head: JournalHead, plan: Plan, time_left: TimeLeft) -> DryWalk:
    """Walk the plan; what broker, clock or process do not allow becomes the walk's reason.

    Asks the trading API twice (clock, calendar); from then on only for market data. Raises no AlchemiserError.
    """
    tools = replace(tools, clock=SteadyClock(tools.clock))
    began = tools.clock.now()
    late = began - plan.made_at
    said = [f"begun {late.total_seconds():.0f} s after its plan"] if late > _LATE else []
    legs, reads = tuple[LegReport, ...](), 0
    try:
        mandate = _mandate(tools, head, plan, time_left)
        desk = DryDesk(tools.broker, plan, lambda: tools.clock.now() + mandate.skew, tools.settings.execution)
        try:
            with dry_scope():
                legs = _walked(tools, desk, head, plan, mandate)
        finally:
            reads = desk.requests()
    except AlchemiserError as error:
        said.append(f"{type(error).__name__}: {error}")
    reason = "; ".join(said)
    _log.info("walked dry", extra={"dry_walk": True, "legs": len(legs), "reads": reads, "reason": reason})
    return DryWalk(run_id=head.run_id, began=began, ended=tools.clock.now(), legs=legs, reads=reads, reason=reason)


def _mandate(tools: Tools[MarketReader], head: JournalHead, plan: Plan, time_left: TimeLeft) -> Mandate:
    """Until when the walk may go on. Raises DecisionRefused, BrokerUnavailable, OutOfTime."""
    rules = tools.settings.execution
    skew = clock_skew(tools.broker, tools.clock, tools.settings)
    now = tools.clock.now() + skew
    check_deadline(head.not_after, now)
    last = check_session(tools.broker, plan.session, now, tools.settings)
    left = time_left() - _HANDOVERS * timedelta(seconds=rules.handover_seconds)
    if left <= timedelta(0):
        raise OutOfTime("the process has no time for a walk")
    ends = now + min(timedelta(seconds=rules.dry_walk_seconds), left)
    # With a deadline that the process outlives nothing is ever handed over.
    return Mandate(authority_epoch=0, deadline=min(head.not_after, last, ends), skew=skew, time_left=lambda: _LONG)


def _walked(
    tools: Tools[MarketReader], desk: DryDesk, head: JournalHead, plan: Plan, mandate: Mandate
) -> tuple[LegReport, ...]:
    """What the legs came to. Raises BrokerUnavailable if market data stay away."""
    clock, settings = tools.clock, _gentle(tools.settings)
    store, budget = MemoryStateStore(), RequestBudget(_READS_A_MINUTE, clock, desk)
    lease = AccountLease.acquire(store, clock, head.account_alias, owner="dry walk", duration=_LONG)
    now, run = clock.now(), head.run
    fresh = new_head(run, RunStatus.RECEIVED, now, decision_hash=plan.decision_hash, not_after=head.not_after)
    journal = Journal.open(store, fresh)
    journal.freeze(lease, plan, mandate.authority_epoch, now)
    gateway = OrderGateway(
        store=store,
        broker=desk,
        clock=clock,
        settings=settings,
        journal=journal,
        lease=lease,
        budget=budget,
        mandate=mandate,
    )
    executor = Executor(
        plan=plan,
        broker=desk,
        clock=clock,
        settings=settings,
        journal=journal,
        lease=lease,
        gateway=gateway,
        tracker=OrderTracker(desk, clock, budget, plan.session),
    )
    return leg_reports(plan, executor.run([start(leg) for leg in plan.legs]).legs)


def _gentle(settings: Settings) -> Settings:
    """The settings of a trading run, but that it looks less often."""
    slower = {"poll_seconds": max(settings.execution.poll_seconds, _QUICKEST_POLL)}
    return settings.model_copy(update={"execution": settings.execution.model_copy(update=slower)})
