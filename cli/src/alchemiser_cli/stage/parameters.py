"""The parameters of a deployment: as deployed, as the stage's file says, as asked for, or looked up."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alchemiser_cli.stage.config import StageConfig
from alchemiser_cli.stage.guards import ShadowKey
from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.resolver import Place, Resolver
from alchemiser_cli.stage.stack import DeployedStack
from alchemiser_cli.stage.template import load, parameter_values, section
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import MissingSecret
from alchemiser_common.json_value import Json

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
    """Every parameter, held to the template's own rules; later sources win. Raises TemplateError or MissingSecret."""
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
        own = (
            deployed.get("ShadowSecretArn")
            if deployed and ShadowKey.of(deployed) is ShadowKey.OWN
            else values["BrokerSecretArn"]
        )
        values["ShadowSecretArn"] = _secret(secrets, config.shadow_secret, otherwise=own)
    if "ShadowKey" in declared:
        values["ShadowKey"] = ShadowKey.of(values).value
    return parameter_values(template, values)


def function_variables(
    config: StageConfig, template: Mapping[str, Json], parameters: Mapping[str, str], account: str, service: str
) -> dict[str, str] | None:
    """The environment that a template gives a service's function; None if those parameters' phase has none."""
    place = Place(account, config.region, stack=config.stack)
    return Resolver(template, parameters, place).variables(f"{service.capitalize()}Function")


def exists(client: "SecretsManagerClient", secret: str) -> bool:
    """Whether a secret is there. Raises StoreUnavailable."""
    with Asking(f"secret {secret}", "the deploying role's rights on Secrets Manager"):
        try:
            client.describe_secret(SecretId=secret)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            return False
    return True


def deployed_images(parameters: Mapping[str, str], services: Iterable[str]) -> list[Image]:
    """The images that a stack's parameters name."""
    return [
        Image(service, parameters[f"{service.capitalize()}Tag"], parameters[f"{service.capitalize()}Digest"])
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
