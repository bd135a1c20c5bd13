"""The rollout's phases as a line of steps: what each takes, and the commands that make it. Pure; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from alchemiser_cli.stage.gate import Blocker, RolloutState, blockers
from alchemiser_cli.stage.guards import require_neighbour, trader_of
from alchemiser_cli.stage.names import PHASES
from alchemiser_common.errors import InvalidSettings


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A step: what must be mended first, and what to do."""

    start: str
    target: str
    blockers: Sequence[Blocker]
    steps: Sequence[str]


def plan(state: RolloutState, target: str) -> PhasePlan:
    """The commands for one step. Raises InvalidSettings if the target is not one step away."""
    require_neighbour(state.phase, target)
    if target == state.phase:
        raise InvalidSettings(f"stage {state.stage} is in phase {target} already")
    return PhasePlan(state.phase, target, blockers(state, target), _steps(state, target))


def neighbours(phase: str) -> tuple[str, ...]:
    """The phases one step away."""
    here = PHASES.index(phase)
    return PHASES[max(here - 1, 0) : here] + PHASES[here + 1 : here + 2]


def next_phase(phase: str) -> str | None:
    """The next one, or None of the last."""
    return PHASES[PHASES.index(phase) + 1] if phase != PHASES[-1] else None


def _steps(state: RolloutState, target: str) -> list[str]:
    """Deployment, then authority, with a look between them: while the two disagree, nobody trades."""
    stage, trader = state.stage, trader_of(target)
    look = f"alchemiser phase status --stage {stage}"
    steps = [f"alchemiser deploy {stage} --phase {target}", look]
    if trader is not trader_of(state.phase):
        change = f'alchemiser authority --set {trader.value} --reason "rollout {state.phase} to {target}"'
        steps += [f'eval "$(alchemiser stage {stage})"', change, look]
    return [*steps, f"alchemiser doctor --stage {stage}"]
