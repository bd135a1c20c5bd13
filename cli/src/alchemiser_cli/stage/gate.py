"""The gate before each step of the rollout: one list of conditions, for whoever looks, plans or deploys. Pure.

A step back waits for a run to end and for nothing else. A step forward meets every condition here, or goes past those
that a person answers for (`--override REASON`); past an unfinished run and a wrong authority nobody goes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from alchemiser_cli.stage.guards import ShadowKey, trader_of
from alchemiser_cli.stage.names import PHASES
from alchemiser_cli.stage.stack import Refused
from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.parity import Parity
from alchemiser_common.settings import LatencySettings
from alchemiser_readmodel.runs import RunSummary
from alchemiser_readmodel.verdicts import days_alike
from alchemiser_readmodel.waterfall import RunTimes, over_budget


@dataclass(frozen=True, slots=True)
class RolloutState:
    """What is known of a deployment when a step is asked for."""

    stage: str
    phase: str
    authority: Pipeline | None
    run_in_progress: str
    """Why nothing may change now; empty if nothing runs."""
    trading: str
    runs: Sequence[RunSummary]
    """Newest first."""
    parities: Sequence[Parity]
    """The cycles that both pipelines have ended, newest first."""
    dead_letters: int
    alarms: Sequence[str]
    """Names of the alarms that are firing."""
    days_alike: int
    """Trading days in a row that cutover takes; the stage's file may say another number than the default."""
    shadow_key: ShadowKey
    latency: LatencySettings = field(default_factory=LatencySettings)
    """The budget of each run."""
    unwell: Sequence[str] = ()
    """What doctor finds wrong, or cannot find out; looked at where the next step forward is cutover."""

    def days_in_a_row(self) -> int:
        """The newest trading days in a row on which every cycle was decided alike by both pipelines."""
        return days_alike(self.parities, self.runs, EXCHANGE_ZONE)

    def last(self, pipeline: Pipeline) -> RunSummary | None:
        """The pipeline's newest run."""
        return next((run for run in self.runs if run.pipeline == pipeline), None)


@dataclass(frozen=True, slots=True)
class Blocker:
    """A condition that is not met. `final`: no override goes past it."""

    says: str
    final: bool = False

    def __str__(self) -> str:
        return self.says


def blockers(state: RolloutState, target: str, *, images: Sequence[str] = ()) -> list[Blocker]:
    """Every condition of the step that is not met; `images` are the services that get another build with it."""
    found = [Blocker(state.run_in_progress, final=True)] if state.run_in_progress else []
    if PHASES.index(target) <= PHASES.index(state.phase):
        return found
    trader = trader_of(state.phase)
    if state.authority is not trader:
        holder = state.authority.value if state.authority else "nobody"
        says = f"authority is {holder}'s, but phase {state.phase} lets {trader.value} trade"
        found.append(Blocker(says, final=True))
    if state.trading != "active":
        found.append(Blocker(f"trading is {state.trading}; `alchemiser resume --reason …` when its cause is mended"))
    if state.dead_letters:
        found.append(Blocker(f"{state.dead_letters} dead letters; docs/runbooks/dead-letters.md"))
    found += [Blocker(f"alarm {name} is firing") for name in state.alarms]
    return [*found, *_of_cutover(state, images)] if target == "cutover" else found


def _of_cutover(state: RolloutState, images: Sequence[str]) -> Iterator[Blocker]:
    days = state.days_in_a_row()
    if days < state.days_alike:
        yield Blocker(f"{days} of {state.days_alike} trading days in a row were decided alike by both pipelines")
    if images:
        yield Blocker(
            f"another build of {', '.join(images)} would come with the step, and the shadow has compared the one that "
            "is live: deploy it in phase shadow first"
        )
    for run in state.runs:
        if run.report is not None and run.pipeline == Pipeline.MODULAR:
            broken = over_budget(RunTimes(record=run.record, head=run.head, report=run.report), state.latency)
            if broken:
                yield Blocker(f"run {str(run.run_id)[:8]} broke its latency budget: {', '.join(broken)}")
    if state.shadow_key is ShadowKey.SHARED:
        yield Blocker(
            "the shadow works with the key that trades (ShadowKey=shared), so the broker would take its orders: give "
            "it a key of its own that cannot trade (docs/rollout.md), or answer for it with --override"
        )
    for line in state.unwell:
        yield Blocker(f"doctor: {line}")


def require_open(state: RolloutState, target: str, found: Sequence[Blocker], *, override: bool) -> None:
    """The step may be made. Raises Refused with everything that stands against it."""
    final = [str(blocker) for blocker in found if blocker.final]
    step = f"the step from {state.phase} to {target} of stage {state.stage} is blocked"
    if final:
        raise Refused(f"{step}, and no override goes past it: {'; '.join(final)}")
    if found and not override:
        raise Refused(
            f"{step}: {'; '.join(map(str, found))}. Mend that, or answer for it: --override REASON is kept in the audit"
        )
