"""A build at work beside the deployed function: same role, the settings it will have but in shadow, no trigger, deleted
afterwards.

The alias `live` and the stack are not touched, so that a build that fails its probes leaves nothing behind.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.invoker import LambdaInvoker
from alchemiser_cli.stage.smoke import SmokeFailed
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

ALIAS = "live"
_SECONDS = 120
"""For a cold start and a snapshot of a thousand symbols."""
_POLL_SECONDS = 2.0
_POLLS = 150


KEY = "ALCHEMISER_AWS__BROKER_SECRET"
"""The variable that names the key. A role may read one key only, so that a build on trial has the deployed one's."""


@contextmanager
def candidate(
    client: "LambdaClient", function: str, registry: str, image: Image, clock: Clock, variables: Mapping[str, str]
) -> Iterator[LambdaInvoker]:
    """The build as a function of its own while inside, with those variables.

    Raises SmokeFailed if Lambda cannot run it.
    """
    name = f"{function}-candidate"
    with Asking(f"function {function}", "the stack: a function of it is missing"):
        like = client.get_function_configuration(FunctionName=function, Qualifier=ALIAS)
    deployed = like.get("Environment", {}).get("Variables", {})
    own_key = {KEY: deployed[KEY]} if KEY in deployed else {}
    _delete(client, name)  # one that an interrupted deployment left
    with Asking(f"function {name}", "the deploying role's rights on Lambda"):
        client.create_function(
            FunctionName=name,
            Description=f"Build {image.tag} on trial; may be deleted at any time.",
            PackageType="Image",
            Code={"ImageUri": f"{registry}/{image.service}@{image.digest}"},
            Role=like["Role"],
            Timeout=_SECONDS,
            MemorySize=like["MemorySize"],
            Architectures=like.get("Architectures", ["x86_64"]),
            Environment={"Variables": {**variables, **own_key, "ALCHEMISER_SHADOW": "true"}},
            Tags={"image-tag": image.tag},
            **_logging(like),
        )
    try:
        _wait_until_active(client, name, clock)
        yield LambdaInvoker(client, name)
    finally:
        _delete(client, name)


def _logging(like: Any) -> Any:
    """The live function's log group: the role may write to no other."""
    return {"LoggingConfig": like["LoggingConfig"]} if like.get("LoggingConfig") else {}


def _wait_until_active(client: "LambdaClient", name: str, clock: Clock) -> None:
    for _ in range(_POLLS):
        with Asking(f"function {name}", "Lambda"):
            found = client.get_function_configuration(FunctionName=name)
        match found.get("State", "Active"):
            case "Active":
                return
            case "Failed":
                raise SmokeFailed(f"Lambda cannot run the image as {name}: {found.get('StateReason')}")
        clock.sleep(_POLL_SECONDS)
    raise SmokeFailed(f"function {name} is not ready after {_POLLS * _POLL_SECONDS:.0f} s")


def _delete(client: "LambdaClient", name: str) -> None:
    with Asking(f"function {name}", "the deploying role's rights on Lambda"):
        try:
            client.delete_function(FunctionName=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
