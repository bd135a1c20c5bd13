"""A run as a line of stages: where it is, where it ended, and how long each took. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.report import RunStatus
from alchemiser_readmodel.waterfall import Stretch, Waterfall

_WAITS = frozenset({Stretch.START, Stretch.QUEUE, Stretch.CALL})
_WHOLE = frozenset({RunStatus.COMPLETED, RunStatus.SHADOWED})


class Standing(StrEnum):
    """How far a run is with one of its stages."""

    DONE = "done"
    WORKING = "working"
    ENDED = "ended here"
    """It is the last that the run came to."""
    AHEAD = "ahead"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class StageProgress:
    """One stage; times are None where no record has them."""

    stage: Stage
    standing: Standing
    started: datetime | None
    took: timedelta | None


def progress(run: Waterfall) -> tuple[StageProgress, ...]:
    """Every stage in its order."""
    return tuple(_of(stage, run) for stage in Stage)


def _of(stage: Stage, run: Waterfall) -> StageProgress:
    spans = [span for span in run.spans if span.stage is stage and span.stretch not in _WAITS]
    started = spans[0].started if spans else None
    took = spans[-1].finished - spans[0].started if spans else None
    return StageProgress(stage, _standing(stage, run), started, took)


def _standing(stage: Stage, run: Waterfall) -> Standing:
    order = list(Stage)
    ended = run.status.final
    if order.index(stage) < order.index(run.stage) or run.status in _WHOLE:
        return Standing.DONE
    if stage is run.stage:
        return Standing.ENDED if ended else Standing.WORKING
    return Standing.NOT_REACHED if ended else Standing.AHEAD
