"""The stacks that the phases make of a deployment's parameters."""

from functools import cache

from deploy.expand import Place, Stack, expand
from deploy.sample import BROKER_SECRET, SHADOW_SECRET, sample_parameters

__all__ = ["BROKER_SECRET", "PLACE", "SHADOW_SECRET", "stack"]

PLACE = Place(stack="alchemiser-dev")


@cache
def stack(phase: str, **changes: str) -> Stack:
    """The stack of a phase."""
    return expand(sample_parameters(RolloutPhase=phase, **changes), place=PLACE)
