"""The parameters of a deployment: as deployed, as the stage's file says, as asked for, or looked up."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alchemiser_cli.stage.config import StageConfig
from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.stack import DeployedStack
from alchemiser_cli.stage.template import load, parameter_values, section
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import MissingSecret

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
) -> dict[str, str]:
    """Every parameter, held to the template's own rules; later sources win. Raises InvalidSettings or MissingSecret."""
    template = load(config.template)
    declared = section(template, "Parameters")
    deployed = {} if stack is None else {name: value for name, value in stack.parameters.items() if name in declared}
    values = {**deployed, **config.parameters, **given, "RolloutPhase": phase, "Registry": config.registry(account)}
    for image in images:
        values |= image.parameters()
    if "BrokerSecretArn" not in values:
        values["BrokerSecretArn"] = _secret(secrets, config.broker_secret)
    if "ShadowSecretArn" not in values:
        values["ShadowSecretArn"] = _secret(secrets, config.shadow_secret, otherwise=values["BrokerSecretArn"])
    return parameter_values(template, values)


def deployed_images(stack: DeployedStack, services: Iterable[str]) -> list[Image]:
    """The images that the stack's parameters name."""
    return [
        Image(
            service, stack.parameters[f"{service.capitalize()}Tag"], stack.parameters[f"{service.capitalize()}Digest"]
        )
        for service in services
    ]


def _secret(client: "SecretsManagerClient", name: str, *, otherwise: str | None = None) -> str:
    """ARN of a secret. Raises MissingSecret with the command that makes it."""
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
