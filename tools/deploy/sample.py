"""Parameters of no real deployment: what a stack is made of where only its shape matters."""

from alchemiser_cli.stage.names import SERVICES

BROKER_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alchemiser/dev/alpaca-AbCdEf"  # noqa: S105
SHADOW_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alchemiser/dev/shadow-GhIjKl"  # noqa: S105


def sample_parameters(**changes: str) -> dict[str, str]:
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
