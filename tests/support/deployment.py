"""The stacks that the phases make of a deployment's parameters."""

from functools import cache

from deploy.expand import Place, Stack, expand
from deploy.sample import BROKER_SECRET, SERVICES, SHADOW_SECRET, sample_parameters

__all__ = ["BROKER_SECRET", "PHASES", "PLACE", "SERVICES", "SHADOW_SECRET", "stack"]

PHASES = ("monolith", "staged", "shadow", "cutover", "modular")
PLACE = Place(stack="alchemiser-dev")


@cache
def stack(phase: str, **changes: str) -> Stack:
    """The stack of a phase."""
    return expand(sample_parameters(RolloutPhase=phase, **changes), place=PLACE)
