"""Parameters of a deployment, and the stacks that the phases make of them."""

from functools import cache

from deploy.expand import Place, Stack, expand

PHASES = ("monolith", "staged", "shadow", "cutover", "modular")
SERVICES = ("monolith", "data", "strategy", "trading")
PLACE = Place(stack="alchemiser-dev")
BROKER_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alchemiser/dev/alpaca-AbCdEf"
SHADOW_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alchemiser/dev/shadow-GhIjKl"


def parameters(**changes: str) -> dict[str, str]:
    """A complete set for stage dev."""
    images = {}
    for number, service in enumerate(SERVICES):
        images[f"{service.capitalize()}Tag"] = f"abcdef{number}"
        images[f"{service.capitalize()}Digest"] = f"sha256:{number:064x}"
    return {
        "Stage": "dev",
        "AccountAlias": "paper",
        "BrokerSecretArn": BROKER_SECRET,
        "ShadowSecretArn": SHADOW_SECRET,
        "Registry": "123456789012.dkr.ecr.us-east-1.amazonaws.com/alchemiser",
        **images,
        **changes,
    }


@cache
def stack(phase: str, **changes: str) -> Stack:
    """The stack of a phase."""
    return expand(parameters(RolloutPhase=phase, **changes), place=PLACE)
