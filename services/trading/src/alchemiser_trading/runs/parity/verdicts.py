"""The verdict on a cycle, and how it is kept: the first one stays."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.errors import Conflict
from alchemiser_common.ids import Pipeline, run_id, scheduled_time
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.ports.state import ABSENT, StateStore, load, put
from alchemiser_common.records.parity import Cause, Difference, Parity, Verdict
from alchemiser_common.text import and_more
from alchemiser_trading.runs.parity.decisions import (
    allocation_differences,
    decision_differences,
    leg_differences,
    setting_differences,
    versions_told,
)
from alchemiser_trading.runs.parity.sides import PipelineRun

_log = logging.getLogger(__name__)
_MOST_KEPT = 40
"""Differences that are stored."""
_MOST_SAID = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison comes to, before it has a time."""

    verdict: Verdict
    detail: str = ""
    cause: Cause | None = None
    differences: Sequence[Difference] = ()

    @classmethod
    def of(cls, verdict: Verdict, cause: Cause | None, differences: Sequence[Difference], *said: str) -> "Found":
        """With the differences in one line, after what else is to be said."""
        named = "; ".join(and_more([str(item) for item in differences], _MOST_SAID))
        return cls(verdict, "; ".join(filter(None, [*said, named])), cause, differences[:_MOST_KEPT])


def on_equal_inputs(monolith: PipelineRun, modular: PipelineRun) -> Found | None:
    """The verdict if both have a plan and saw the same, to the last digit; None if not.

    Then nothing may differ. Decisions that were not read leave the comparison to plans.
    """
    if monolith.plan is None or modular.plan is None:
        return None
    if monolith.snapshot_hash is None or monolith.snapshot_hash != modular.snapshot_hash:
        return None
    if monolith.decision is None or modular.decision is None:
        return Found(Verdict.DIFFERENT, "same data; a decision is not in the archive", Cause.UNPROVEN)
    settings = _settings(monolith, modular)
    if settings:
        return Found.of(Verdict.DIFFERENT, Cause.SETTINGS, settings, "same data, other settings")
    code = decision_differences(monolith.decision, modular.decision, same_inputs=True)
    code += leg_differences(monolith.plan, modular.plan)
    if code:
        builds = versions_told(monolith.decision, modular.decision)
        return Found.of(Verdict.DIFFERENT, Cause.CODE, code, "same data", builds)
    return Found(Verdict.IDENTICAL, versions_told(monolith.decision, modular.decision))


# Why a verdict on unequal inputs is a proof, and no tolerance:
#
#     monolith's snapshot ── monolith's strategies ── monolith's decision
#                                    │
#     modular's snapshot  ───────────┴── `again` ═══ modular's decision ?
#
# The two pipelines fetch minutes apart, so their inputs nearly always differ in some digit, and their decisions may.
# The monolith's strategies on the modular run's own snapshot have its inputs to the last digit. If they decide what it
# decided, by the same steps, what differs between the two runs comes from the inputs alone; if not, the strategies
# differ, however small that looks today.
def on_unequal_inputs(
    monolith: PipelineRun,
    modular: PipelineRun,
    again: TradeDecision | str,
    inputs: Sequence[Difference],
) -> Found:
    """The verdict where each side saw something else.

    `again` is what the monolith's strategies decide on the modular snapshot, or why they cannot; `inputs` is where the
    two snapshots differ. Both sides have a plan.
    """
    if monolith.plan is None or modular.plan is None:
        raise ValueError("a side without a plan is missing, not unequal")
    if monolith.decision is None or modular.decision is None:
        return Found(Verdict.DIFFERENT, "other data; a decision is not in the archive", Cause.UNPROVEN, inputs)
    settings = _settings(monolith, modular)
    if settings:
        return Found.of(Verdict.DIFFERENT, Cause.SETTINGS, [*settings, *inputs], "other settings")
    builds = versions_told(monolith.decision, modular.decision)
    if isinstance(again, str):
        return Found.of(
            Verdict.DIFFERENT, Cause.CODE, inputs, f"on the modular data the monolith decides nothing: {again}", builds
        )
    code = decision_differences(again, modular.decision, same_inputs=True)
    if code:
        return Found.of(Verdict.DIFFERENT, Cause.CODE, [*code, *inputs], "on the same data, the modular one's", builds)
    ways = decision_differences(monolith.decision, modular.decision, same_inputs=False)
    said = "only the data differ" if ways else "other data, same decision"
    return Found.of(Verdict.EQUIVALENT, Cause.DATA, [*ways, *inputs], said, builds)


def on_silence(sides: Sequence[PipelineRun]) -> Found | None:
    """The verdict once nothing more comes of both, if a side came to no plan; None if both have one."""
    lacking = [side.lacking for side in sides if side.lacking is not None]
    return Found(Verdict.MISSING, "; ".join(map(str, lacking))) if lacking else None


def known_verdict(store: StateStore, cycle_id: str) -> Parity | None:
    """The verdict on a cycle if there is one. Raises StoreUnavailable, StateCorrupt."""
    known = load(store, keys.parity_record(run_id(cycle_id, Pipeline.MODULAR)), Parity)
    return None if known is None else known.value


def keep(store: StateStore, cycle_id: str, sides: Sequence[PipelineRun], found: Found, now: datetime) -> Parity | None:
    """Store the verdict and tell it; None if another process has stored one meanwhile, and tells that."""
    lacking = tuple(side.lacking for side in sides if side.lacking is not None)
    parity = Parity(
        cycle_id=cycle_id,
        verdict=found.verdict,
        detail=found.detail,
        at=now,
        cause=found.cause,
        differences=tuple(found.differences),
        lacking=lacking,
    )
    writes = [put(keys.parity_record(run_id(cycle_id, Pipeline.MODULAR)), parity, ABSENT)]
    if not any(side.heard_of for side in sides):
        alias, scheduled = cycle_id.partition(":")[0], scheduled_time(cycle_id)
        writes.append(put(keys.silent_cycle(alias, scheduled), parity, ABSENT))
    try:
        store.write(*writes)
    except Conflict:
        return None
    log = _log.error if found.verdict.broken else _log.info
    cause = None if found.cause is None else found.cause.value
    log("pipelines compared", extra={"verdict": found.verdict.value, "cause": cause, "detail": found.detail})
    return parity


def _settings(monolith: PipelineRun, modular: PipelineRun) -> list[Difference]:
    if monolith.plan is None or modular.plan is None or monolith.decision is None or modular.decision is None:
        return []
    found = allocation_differences(monolith.decision.signals, modular.decision.signals)
    if monolith.decision.bar_policy is not modular.decision.bar_policy:
        policies = monolith.decision.bar_policy.value, modular.decision.bar_policy.value
        found.append(Difference(where="bar policy", monolith=policies[0], modular=policies[1]))
    return found + setting_differences(monolith.plan, modular.plan)
