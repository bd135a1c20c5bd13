"""The stacks whose cost is asked for: the template in each phase, with parameters that cost nothing."""

from deploy.expand import Place, Stack, expand

PHASES = ("monolith", "staged", "shadow", "cutover", "modular")
_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alchemiser/prod/alpaca-AbCdEf"  # noqa: S105


def stacks() -> dict[str, Stack]:
    """By phase, with everything at its default."""
    images = {f"{name}Tag": "0" * 7 for name in ("Monolith", "Data", "Strategy", "Trading")}
    images |= {name.replace("Tag", "Digest"): "sha256:" + "0" * 64 for name in images}
    given = {"Stage": "prod", "AccountAlias": "live", "BrokerSecretArn": _SECRET, "ShadowSecretArn": _SECRET}
    given |= {"DataUniverse": '["SPY"]', "DataLookback": "250"}
    given |= {"Registry": "123456789012.dkr.ecr.us-east-1.amazonaws.com/alchemiser", **images}
    place = Place(stack="alchemiser-prod")
    return {phase: expand({**given, "RolloutPhase": phase}, place=place) for phase in PHASES}
