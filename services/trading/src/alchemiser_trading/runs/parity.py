"""The two pipelines' runs of one cycle side by side: did they see, decide and want the same? Compared by the later one.

`compare` is pure; `compare_stored` reads both runs and keeps the verdict with the modular one. Account and prices of
plans are not compared: the runs look at them minutes apart, and the one that trades changes them. A strategy that holds
is compared by what its targets have drifted to, whether the other pipeline's holds too or has targets.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.errors import Conflict
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.messages.snapshot import StrategyTargets
from alchemiser_common.ports.state import ABSENT, StateStore, load, put
from alchemiser_common.records.parity import Parity, Verdict
from alchemiser_common.records.plan import Plan, StrategyHolding
from alchemiser_common.records.run import RunRecord
from alchemiser_common.text import and_more

_log = logging.getLogger(__name__)
TOLERANCE = 0.01
"""How far a weight may differ, as a fraction of equity, if the two saw different data."""
_MOST_NAMED = 5
_HASH = 12
"""Digits of a content hash that are shown."""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """What one pipeline's run left: its report, the hash of the snapshot it saw, and its plan if it came to one."""

    pipeline: Pipeline
    report: ExecutionReport
    snapshot_hash: str | None
    plan: Plan | None


def compare(one: PipelineRun, other: PipelineRun) -> tuple[Verdict, str]:
    """The verdict, and what differs, in one line."""
    if one.plan is None or other.plan is None:
        lacking = one if one.plan is None else other
        why = f"{lacking.report.status.value}, {lacking.report.reason}"
        return Verdict.MISSING, f"{lacking.pipeline.value} has no plan: {why}"
    rules = _rules(one.plan, other.plan)
    if rules:
        return Verdict.DIFFERENT, _named(rules)
    notes = _weights(one.plan, other.plan, 0.0)
    if one.snapshot_hash == other.snapshot_hash:
        return (Verdict.DIFFERENT, f"same data; {_named(notes)}") if notes else (Verdict.IDENTICAL, "")
    beyond = _weights(one.plan, other.plan, TOLERANCE)
    if beyond:
        return Verdict.DIFFERENT, f"other data; {_named(beyond)}"
    return Verdict.EQUIVALENT, f"other data; {_named(notes) or 'same weights'}"


def compare_stored(store: StateStore, report: ExecutionReport, now: datetime) -> Parity | None:
    """Compare a run that has ended with the other pipeline's of its cycle.

    None as long as that one has not ended, and if neither came to a plan: two failures are no agreement. The first
    verdict on a cycle stays. Raises StoreUnavailable, StateCorrupt.
    """
    sides = [_side(store, report.cycle_id, pipeline) for pipeline in (Pipeline.MONOLITH, Pipeline.MODULAR)]
    one, other = sides
    if one is None or other is None or (one.plan is None and other.plan is None):
        return None
    key = keys.parity_record(run_id(report.cycle_id, Pipeline.MODULAR))
    known = load(store, key, Parity)
    if known is not None:
        return known.value
    verdict, detail = compare(one, other)
    parity = Parity(cycle_id=report.cycle_id, verdict=verdict, detail=detail, at=now)
    try:
        store.write(put(key, parity, ABSENT))
    except Conflict:
        return None  # the other pipeline ended at the same moment, and tells
    log = _log.error if verdict.broken else _log.info
    log("pipelines compared", extra={"verdict": verdict.value, "detail": detail})
    return parity


def _side(store: StateStore, cycle_id: str, pipeline: Pipeline) -> PipelineRun | None:
    run = run_id(cycle_id, pipeline)
    report = load(store, keys.report_record(run), ExecutionReport)
    if report is None:
        return None
    record = load(store, keys.data_record(run), RunRecord)
    plan = load(store, keys.plan_record(run), Plan)
    return PipelineRun(
        pipeline, report.value, record.value.snapshot_hash if record else None, None if plan is None else plan.value
    )


def _weights(one: Plan, other: Plan, tolerance: float) -> list[str]:
    """Where weights differ by more than the tolerance: of the account, then of each strategy."""
    mine, theirs = ({target.symbol: target.weight for target in plan.targets} for plan in (one, other))
    notes = _differing("", mine, theirs, tolerance)
    ours, others = ({item.strategy: item.weights for item in _statements(plan)} for plan in (one, other))
    for name in sorted(ours.keys() | others.keys()):
        mine, theirs = ({item.symbol: item.weight for item in side.get(name, ())} for side in (ours, others))
        notes += _differing(f"{name}: ", mine, theirs, tolerance)
    return notes


def _statements(plan: Plan) -> tuple[StrategyTargets | StrategyHolding, ...]:
    """What every strategy wants to hold or holds."""
    return (*plan.strategy_targets, *plan.holdings)


def _rules(one: Plan, other: Plan) -> list[str]:
    """Strategies that decide by other rules in the other pipeline, as far as both say by which."""
    ours, others = ({item.strategy: item.rules for item in _statements(plan) if item.rules} for plan in (one, other))
    return [
        f"{name}: rules {ours[name][:_HASH]} and {others[name][:_HASH]}"
        for name in sorted(ours.keys() & others.keys())
        if ours[name] != others[name]
    ]


def _differing(of: str, mine: dict[str, float], theirs: dict[str, float], tolerance: float) -> list[str]:
    return [
        f"{of}{symbol} {mine.get(symbol, 0.0):.4f} and {theirs.get(symbol, 0.0):.4f}"
        for symbol in sorted(mine.keys() | theirs.keys())
        if abs(mine.get(symbol, 0.0) - theirs.get(symbol, 0.0)) > tolerance
    ]


def _named(notes: list[str]) -> str:
    return "; ".join(and_more(notes, _MOST_NAMED))
