"""The stacks that the phases make of a deployment's parameters."""

from functools import cache

from alchemiser_common.settings import Settings
from alchemiser_common.settings_loading import load_settings
from deploy.expand import Place, Stack, expand
from deploy.sample import BROKER_SECRET, SHADOW_SECRET, sample_parameters
from deploy.template import mapping

__all__ = ["BROKER_SECRET", "PLACE", "SHADOW_SECRET", "environment", "settings_of", "stack"]

PLACE = Place(stack="alchemiser-dev")


@cache
def stack(phase: str, **changes: str) -> Stack:
    """The stack of a phase."""
    return expand(sample_parameters(RolloutPhase=phase, **changes), place=PLACE)


def environment(found: Stack, service: str) -> dict[str, str]:
    """The variables of a service's function."""
    function = found.of_type("AWS::Lambda::Function")[f"{service.capitalize()}Function"]
    variables = mapping(mapping(function["Environment"], "Environment")["Variables"], "Variables")
    return {name: str(value) for name, value in variables.items()}


def settings_of(found: Stack, service: str) -> Settings:
    """What a service's function reads of its variables."""
    return load_settings(environment(found, service)).settings
