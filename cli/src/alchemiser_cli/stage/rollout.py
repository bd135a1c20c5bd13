"""The rollout's phases as a line of steps: what blocks a step, and the commands that make it. Pure; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from alchemiser_cli.history import RunSummary
from alchemiser_cli.stage.guards import require_neighbour, trader_of
from alchemiser_cli.stage.names import PHASES
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline, scheduled_time
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.records.parity import Parity

LATENCY_BUDGET = timedelta(minutes=45)
"""Of the sixty minutes until the deadline; the template's alarm has the same."""


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

    @property
    def parity_streak(self) -> int:
        """The newest cycles in a row that both pipelines decided alike. A cycle that one lacks ends the row.

        Days without session are no cycles.
        """
        verdicts = {parity.cycle_id: parity.verdict for parity in self.parities}
        streak = 0
        for cycle in dict.fromkeys(run.cycle_id for run in self.runs):
            pair = [run for run in self.runs if run.cycle_id == cycle]
            if all(run.status == RunStatus.SKIPPED for run in pair):
                continue
            if cycle not in verdicts or verdicts[cycle].broken:
                return streak
            streak += 1
        return streak

    def last(self, pipeline: Pipeline) -> RunSummary | None:
        """The pipeline's newest run."""
        return next((run for run in self.runs if run.pipeline == pipeline), None)


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A step: what must be mended first, and what to do."""

    start: str
    target: str
    blockers: Sequence[str]
    steps: Sequence[str]


def plan(state: RolloutState, target: str, *, cycles: int) -> PhasePlan:
    """The commands for one step. Raises InvalidSettings if the target is not one step away."""
    require_neighbour(state.phase, target)
    if target == state.phase:
        raise InvalidSettings(f"stage {state.stage} is in phase {target} already")
    return PhasePlan(state.phase, target, blockers(state, target, cycles=cycles), _steps(state, target))


def neighbours(phase: str) -> tuple[str, ...]:
    """The phases one step away."""
    here = PHASES.index(phase)
    return PHASES[max(here - 1, 0) : here] + PHASES[here + 1 : here + 2]


def blockers(state: RolloutState, target: str, *, cycles: int) -> list[str]:
    """What must be mended before the step. Going back waits for a run to end, and for nothing else."""
    found = [state.run_in_progress] if state.run_in_progress else []
    if PHASES.index(target) < PHASES.index(state.phase):
        return found
    trader = trader_of(state.phase)
    if state.authority is not trader:
        holder = state.authority.value if state.authority else "nobody"
        found.append(f"authority is {holder}'s, but phase {state.phase} lets {trader.value} trade")
    if state.trading != "active":
        found.append(f"trading is {state.trading}; `alchemiser resume --reason …` when its cause is mended")
    if state.dead_letters:
        found.append(f"{state.dead_letters} dead letters; docs/runbooks/dead-letters.md")
    found += [f"alarm {name} is firing" for name in state.alarms]
    if target == "cutover":
        if state.parity_streak < cycles:
            found.append(f"{state.parity_streak} of {cycles} cycles in a row were decided alike by both pipelines")
        found += _over_budget(state.runs)
    return found


def _over_budget(runs: Sequence[RunSummary]) -> list[str]:
    found = []
    for run in runs:
        if run.report is None or not run.report.trace or run.pipeline != Pipeline.MODULAR:
            continue
        took = run.report.trace[-1].finished - scheduled_time(run.cycle_id)
        if took > LATENCY_BUDGET:
            found.append(f"run {str(run.run_id)[:8]} took {took}; the budget is {LATENCY_BUDGET}")
    return found


def _steps(state: RolloutState, target: str) -> list[str]:
    """Deployment, then authority, with a look between them: while the two disagree, nobody trades."""
    stage, trader = state.stage, trader_of(target)
    look = f"alchemiser phase status --stage {stage}"
    steps = [f"alchemiser deploy {stage} --phase {target}", look]
    if trader is not trader_of(state.phase):
        change = f'alchemiser authority --set {trader.value} --reason "rollout {state.phase} to {target}"'
        steps += [f'eval "$(alchemiser stage {stage})"', change, look]
    return [*steps, f"alchemiser doctor --stage {stage}"]
