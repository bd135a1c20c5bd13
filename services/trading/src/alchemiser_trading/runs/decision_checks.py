"""Does a decision follow from what stands behind it? Pure: the decision, the data service's record and settings in.

A message in the queue is data, not a right. Run id and hashes say which run it belongs to; what is traded and until
when must follow from that run:

    targets      from the signals, by the rule that the strategy service nets them by, exactly
    session      from the cycle: the exchange's date of its scheduled time
    not_after    from the cycle: its scheduled time plus the deadline; an earlier one is allowed, it only trades less
    last bar     from the session: before it by the completed policy, of it by the provisional one
"""

from datetime import timedelta

from alchemiser_common.errors import DecisionRefused
from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.decision import TradeDecision, netted
from alchemiser_common.messages.snapshot import BarPolicy
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import ScheduleSettings
from alchemiser_common.text import named

_MOST_NAMED = 3


def check_origin(decision: TradeDecision, record: RunRecord | None) -> None:
    """The decision was made from the snapshot that the data service recorded for the run. Raises DecisionRefused."""
    if record is None or record.snapshot_hash is None:
        raise DecisionRefused(f"no snapshot is on record for run {decision.run_id}; the decision has no known origin")
    if record.snapshot_hash != decision.snapshot_hash:
        raise DecisionRefused(
            f"the decision was made from snapshot {decision.snapshot_hash[:12]}, the run's is "
            f"{record.snapshot_hash[:12]}"
        )
    if (record.cycle_id, record.scheduled_at) != (decision.cycle_id, scheduled_time(decision.cycle_id)):
        raise DecisionRefused(
            f"the decision is of cycle {decision.cycle_id}, the record of run {decision.run_id} of {record.cycle_id}, "
            f"scheduled at {record.scheduled_at.isoformat()}"
        )


def check_targets(decision: TradeDecision) -> None:
    """Targets are what the signals add up to, to the last bit. Raises DecisionRefused."""
    wanted = {target.symbol: target for target in netted(decision.signals)}
    found = {target.symbol: target for target in decision.targets}
    wrong = sorted(symbol for symbol in {*wanted, *found} if wanted.get(symbol) != found.get(symbol))
    if wrong:
        words = [
            f"{symbol} {found[symbol].weight if symbol in found else 0} for "
            f"{wanted[symbol].weight if symbol in wanted else 0}"
            for symbol in wrong
        ]
        raise DecisionRefused(
            f"targets do not follow from the signals: {named(words, _MOST_NAMED)}; nothing of it is traded"
        )


def check_times(decision: TradeDecision, schedule: ScheduleSettings) -> None:
    """Session, deadline and last bar are those of the decision's cycle. Raises DecisionRefused."""
    scheduled = scheduled_time(decision.cycle_id)
    day = scheduled.astimezone(EXCHANGE_ZONE).date()
    if decision.session != day:
        raise DecisionRefused(f"the decision is for session {decision.session}, its cycle is of {day}")
    latest = scheduled + timedelta(minutes=schedule.deadline_minutes)
    if decision.not_after > latest:
        raise DecisionRefused(
            f"not_after is {decision.not_after.isoformat()}; {schedule.deadline_minutes} minutes "
            f"(schedule.deadline_minutes) after the cycle's scheduled time it is {latest.isoformat()}"
        )
    provisional = decision.bar_policy is BarPolicy.PROVISIONAL
    if decision.as_of > day or (decision.as_of == day) is not provisional:
        raise DecisionRefused(
            f"the last bar is of {decision.as_of}; by the {decision.bar_policy.value} policy that of session {day} "
            f"{'is' if provisional else 'comes after'} the last one"
        )
