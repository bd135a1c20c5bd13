"""The rollout's phases as a line of steps: what blocks a step, and the commands that make it. Pure; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alchemiser_cli.history import RunSummary
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import RunStatus

LATENCY_BUDGET = timedelta(minutes=45)
"""Of the sixty minutes until the deadline; the template's alarm has the same."""


class RolloutPhase(StrEnum):
    """The phases in their order."""

    MONOLITH = "monolith"
    STAGED = "staged"
    SHADOW = "shadow"
    CUTOVER = "cutover"
    MODULAR = "modular"

    @property
    def trader(self) -> Pipeline:
        """The pipeline that this phase lets trade."""
        later = self in {RolloutPhase.CUTOVER, RolloutPhase.MODULAR}
        return Pipeline.MODULAR if later else Pipeline.MONOLITH

    @property
    def neighbours(self) -> tuple["RolloutPhase", ...]:
        """The phases one step away."""
        line, here = tuple(RolloutPhase), tuple(RolloutPhase).index(self)
        return line[max(here - 1, 0) : here] + line[here + 1 : here + 2]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a deployment when a step is asked for."""

    stage: str
    phase: RolloutPhase
    authority: Pipeline | None
    run_in_progress: str
    """Why nothing may change now; empty if nothing runs."""
    trading: str
    runs: Sequence[RunSummary]
    """Newest first."""
    dead_letters: int
    alarms: Sequence[str]
    """Names of the alarms that are firing."""

    @property
    def parity_streak(self) -> int:
        """The newest cycles in a row that both pipelines decided alike."""
        streak = 0
        for cycle in dict.fromkeys(run.cycle_id for run in self.runs):
            pair = {run.pipeline: run for run in self.runs if run.cycle_id == cycle}
            if all(run.status == RunStatus.SKIPPED for run in pair.values()):
                continue  # a day without session says nothing
            hashes = [run.report.decision_hash if run.report is not None else "" for run in pair.values()]
            if len(pair) < len(Pipeline) or "" in hashes or len(set(hashes)) > 1:
                return streak
            streak += 1
        return streak

    def last(self, pipeline: Pipeline) -> RunSummary | None:
        """The pipeline's newest run."""
        return next((run for run in self.runs if run.pipeline == pipeline), None)


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A step: what must be mended first, and what to do."""

    start: RolloutPhase
    target: RolloutPhase
    blockers: Sequence[str]
    steps: Sequence[str]


def plan(facts: Facts, target: RolloutPhase, *, cycles: int) -> PhasePlan:
    """The commands for one step. Raises InvalidSettings if the target is not one step away."""
    if target is facts.phase:
        raise InvalidSettings(f"stage {facts.stage} is in phase {target.value} already")
    if target not in facts.phase.neighbours:
        near = " or ".join(phase.value for phase in facts.phase.neighbours)
        raise InvalidSettings(
            f"from {facts.phase.value} to {target.value} is more than one step; the next is {near}. "
            "Every phase is a state to stay in, so each is entered and looked at"
        )
    return PhasePlan(facts.phase, target, blockers(facts, target, cycles=cycles), _steps(facts, target))


def blockers(facts: Facts, target: RolloutPhase, *, cycles: int) -> list[str]:
    """What must be mended before the step. Going back waits for a run to end, and for nothing else."""
    found = [facts.run_in_progress] if facts.run_in_progress else []
    if tuple(RolloutPhase).index(target) < tuple(RolloutPhase).index(facts.phase):
        return found
    if facts.authority is not facts.phase.trader:
        holder = facts.authority.value if facts.authority else "nobody"
        found.append(f"authority is {holder}'s, but phase {facts.phase.value} lets {facts.phase.trader.value} trade")
    if facts.trading != "active":
        found.append(f"trading is {facts.trading}; `alchemiser resume --reason …` when its cause is mended")
    if facts.dead_letters:
        found.append(f"{facts.dead_letters} dead letters; docs/runbooks/dead-letters.md")
    found += [f"alarm {name} is firing" for name in facts.alarms]
    if target is RolloutPhase.CUTOVER:
        if facts.parity_streak < cycles:
            found.append(f"{facts.parity_streak} of {cycles} cycles in a row were decided alike by both pipelines")
        found += _late(facts.runs)
    return found


def _late(runs: Sequence[RunSummary]) -> list[str]:
    found = []
    for run in runs:
        if run.report is None or not run.report.trace or run.pipeline != Pipeline.MODULAR:
            continue
        took = run.report.trace[-1].finished - datetime.fromisoformat(run.cycle_id.partition(":")[2])
        if took > LATENCY_BUDGET:
            found.append(f"run {str(run.run_id)[:8]} took {took}; the budget is {LATENCY_BUDGET}")
    return found


def _steps(facts: Facts, target: RolloutPhase) -> list[str]:
    """Deployment, then authority, with a look between them: if they disagree, nobody trades."""
    stage = facts.stage
    steps = [f"make deploy STAGE={stage} PHASE={target.value}", f"alchemiser phase status --stage {stage}"]
    if target.trader is not facts.phase.trader:
        reason = f"rollout {facts.phase.value} to {target.value}"
        steps += [
            f'eval "$(alchemiser phase env --stage {stage})"',
            f'alchemiser authority --set {target.trader.value} --reason "{reason}"',
            f"alchemiser phase status --stage {stage}",
        ]
    steps.append(f"alchemiser doctor --stage {stage}")
    return steps
