"""How long a run took to its last order, stage by stage, against the budget of the settings. Pure.

scheduled ──────► snapshot ──────► decision ──────► last order
          data            strategy          trading              each with the wait before it
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.settings import LatencySettings


@dataclass(frozen=True, slots=True)
class Latency:
    """What a run took, and which parts of the budget it broke."""

    stages: Mapping[Stage, timedelta]
    """Of each stage whose begin and end are known; a wait belongs to the stage that was waited for."""
    to_last_order: timedelta | None
    """From the scheduled time; of a run that sent none to the end of its trading. None if it did not come to that."""
    breaks: tuple[str, ...]
    """What was too much, one sentence each; empty if all was within the budget."""

    @property
    def reason(self) -> str:
        """The breaks as a report says them; empty if there are none."""
        return f"latency budget broken: {', '.join(self.breaks)}" if self.breaks else ""


def latency_of(
    scheduled_at: datetime, trace: Sequence[StageTime], last_order: datetime | None, budget: LatencySettings
) -> Latency:
    """What a run took and broke, from the times of its stages and of its last order (aware), as far as there are any.

    Between two stages of which the first has no times nothing is measured, and nothing is said to be broken.
    """
    ends = {stage: time.finished for stage, time in own_times(trace).items()}
    if last_order is not None:
        ends[Stage.TRADING] = last_order
    stages: dict[Stage, timedelta] = {}
    before: datetime | None = scheduled_at
    for stage in Stage:
        end = ends.get(stage)
        if before is not None and end is not None:
            stages[stage] = end - before
        before = end
    total = ends[Stage.TRADING] - scheduled_at if Stage.TRADING in ends else None
    until = "the end of trading" if last_order is None else "the last order"
    return Latency(stages, total, tuple(_breaks(stages, total, until, budget)))


# A run that died while it traded is delivered again, and may be decided again on the way, hours later. Its trading
# goes on from the journal and began when it first did: a decision that was begun after that is not the one it waited
# for, and when that one was made nothing says any more.
def own_times(trace: Iterable[StageTime]) -> dict[Stage, StageTime]:
    """The last times of each stage, without those of a delivery that came when the next stage was at work already."""
    last, found = {time.stage: time for time in trace}, list[StageTime]()
    for stage in reversed(Stage):
        time = last.get(stage)
        if time is not None and (not found or time.started <= found[-1].started):
            found.append(time)
    return {time.stage: time for time in reversed(found)}


def _breaks(
    stages: Mapping[Stage, timedelta], total: timedelta | None, until: str, budget: LatencySettings
) -> Iterable[str]:
    allowed = timedelta(seconds=budget.budget_seconds)
    if total is not None and total > allowed:
        yield f"{_seconds(total)} to {until}, limit {_seconds(allowed)}"
    for stage, took in stages.items():
        if took > budget.allowed(stage):
            yield f"{stage.value} {_seconds(took)}, limit {_seconds(budget.allowed(stage))}"


def _seconds(time: timedelta) -> str:
    return f"{f'{time.total_seconds():.1f}'.removesuffix('.0')} s"
