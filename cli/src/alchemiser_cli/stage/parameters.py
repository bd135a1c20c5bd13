"""The parameters of a deployment: as deployed, as the stage's file says, as asked for, or looked up."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alchemiser_cli.stage.config import StageConfig
from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.stack import DeployedStack
from alchemiser_cli.stage.template import load, parameter_values, section
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import InvalidSettings, MissingSecret
from alchemiser_common.settings import StrategySettings
from alchemiser_strategy.bootstrap import enabled_strategies

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient


def deployment_parameters(
    config: StageConfig,
    stack: DeployedStack | None,
    secrets: "SecretsManagerClient",
    *,
    account: str,
    phase: str,
    images: Iterable[Image],
    given: Mapping[str, str],
    strategies: Path | None = None,
) -> dict[str, str]:
    """Every parameter, held to the template's own rules; later sources win. Raises InvalidSettings or MissingSecret."""
    template = load(config.template)
    declared = section(template, "Parameters")
    deployed = {} if stack is None else {name: value for name, value in stack.parameters.items() if name in declared}
    values = {**deployed, **config.parameters, **given, "RolloutPhase": phase, "Registry": config.registry(account)}
    for image in images:
        values |= image.parameters()
    chosen = {**config.parameters, **given}
    if "BrokerSecretArn" not in chosen:
        values["BrokerSecretArn"] = _secret(secrets, config.broker_secret, otherwise=values.get("BrokerSecretArn"))
    if "ShadowSecretArn" not in chosen:
        own = deployed.get("ShadowSecretArn") if _has_shadow_secret(deployed) else values["BrokerSecretArn"]
        values["ShadowSecretArn"] = _secret(secrets, config.shadow_secret, otherwise=own)
    shares = parameter_values(
        {"Parameters": {"StrategyAllocations": declared["StrategyAllocations"]}},
        {name: value for name, value in values.items() if name == "StrategyAllocations"},
    )
    values |= {**universe(shares["StrategyAllocations"], strategies), **given}
    return parameter_values(template, values)


def _has_shadow_secret(deployed: Mapping[str, str]) -> bool:
    """Whether the pipeline that only plans has a key of its own."""
    return deployed.get("ShadowSecretArn") != deployed.get("BrokerSecretArn")


def universe(allocations: str, folder: Path | None) -> dict[str, str]:
    """What the data function must read for those strategies of this checkout. Raises InvalidSettings."""
    try:
        settings = StrategySettings(allocations=json.loads(allocations), folder=folder)
    except ValueError as error:
        raise InvalidSettings(f"parameter StrategyAllocations is {allocations!r}: {error}") from error
    manager = enabled_strategies(settings, {})
    symbols = json.dumps(manager.symbols, separators=(",", ":"))
    return {"DataUniverse": symbols, "DataLookback": str(manager.lookback)}


def deployed_images(stack: DeployedStack, services: Iterable[str]) -> list[Image]:
    """The images that the stack's parameters name."""
    return [
        Image(
            service, stack.parameters[f"{service.capitalize()}Tag"], stack.parameters[f"{service.capitalize()}Digest"]
        )
        for service in services
    ]


def _secret(client: "SecretsManagerClient", name: str, *, otherwise: str | None) -> str:
    """ARN of a secret as it is now; one that is made again has another. Raises MissingSecret."""
    with Asking(f"secret {name}", "the deploying role's rights on Secrets Manager"):
        try:
            return client.describe_secret(SecretId=name)["ARN"]
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            if otherwise is not None:
                return otherwise
            raise MissingSecret(
                f"secret {name} does not exist: aws secretsmanager create-secret --name {name} --secret-string "
                'file://key.json, where key.json is {"key_id": …, "secret_key": …}'
            ) from error
