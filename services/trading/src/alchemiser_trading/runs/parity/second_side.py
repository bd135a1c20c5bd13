"""The comparison that whichever side ends second can make: it takes records and decisions, and no strategies."""

from datetime import datetime

from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.state import StateStore
from alchemiser_common.records.parity import Parity
from alchemiser_trading.runs.parity.sides import PipelineRun, read_decision, read_side
from alchemiser_trading.runs.parity.verdicts import keep, known_verdict, on_equal_inputs, on_silence


def read_sides(store: StateStore, archive: Archive, cycle_id: str) -> tuple[PipelineRun, PipelineRun]:
    """The monolith's side and the modular one, with their decisions. Raises StoreUnavailable, StateCorrupt."""
    monolith, modular = (
        PipelineRun(side.pipeline, side.record, side.report, side.plan, read_decision(archive, side))
        for side in (read_side(store, cycle_id, pipeline) for pipeline in (Pipeline.MONOLITH, Pipeline.MODULAR))
    )
    return monolith, modular


def compare_stored(store: StateStore, archive: Archive, cycle_id: str, now: datetime) -> Parity | None:
    """A new verdict on a cycle of which a run has just ended; None if it is not for this process to make one.

    That is if there is one already, as long as the other side may still come to something, and where the two saw
    different data. Raises StoreUnavailable, StateCorrupt.
    """
    if known_verdict(store, cycle_id) is not None:
        return None
    sides = read_sides(store, archive, cycle_id)
    if not all(side.ended(now) for side in sides):
        return None
    found = on_silence(sides) or on_equal_inputs(*sides)
    return None if found is None else keep(store, cycle_id, sides, found, now)
