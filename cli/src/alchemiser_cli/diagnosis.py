"""What is wrong with a deployed stage: one finding a check, each with what to do. Reads only, shows no secret."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from alchemiser_cli.deployment import Deployment, client, open_deployment
from alchemiser_cli.rollout import RolloutPhase
from alchemiser_common.errors import AlchemiserError
from alchemiser_common.settings import AwsSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_sts.client import STSClient

MAX_SKEW = timedelta(minutes=5)
"""AWS refuses signatures that are older or newer."""
_SETTLED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}


class Verdict(StrEnum):
    """How a check came out."""

    GOOD = "good"
    ODD = "odd"
    """Worth knowing, nothing to stop for."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome."""

    check: str
    verdict: Verdict
    text: str


def examine(stage: str, aws: AwsSettings, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Every check that can be made; a check that AWS does not answer is a finding of its own."""
    yield from _tried("account", lambda: _account(aws, now))
    try:
        deployment = open_deployment(stage, aws)
    except AlchemiserError as error:
        yield Finding("stack", Verdict.WRONG, str(error))
        return
    yield _stack(deployment)
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("functions", lambda: _functions(deployment)),
        ("images", lambda: _images(deployment)),
        ("secrets", lambda: _secrets(deployment)),
        ("table", lambda: _table(deployment)),
        ("archive", lambda: _archive(deployment)),
        ("authority", lambda: _authority(deployment)),
        ("dead letters", lambda: _dead_letters(deployment)),
    )
    for name, check in checks:
        yield from _tried(name, check)


def _tried(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    from alchemiser_common.aws.faults import Asking

    try:
        with Asking(name, "the stage"):
            yield from check()
    except AlchemiserError as error:
        yield Finding(name, Verdict.WRONG, str(error))


def _account(aws: AwsSettings, now: Callable[[], datetime]) -> Iterator[Finding]:
    sts = cast("STSClient", client(aws, "sts"))
    answer = sts.get_caller_identity()
    yield Finding(
        "account", Verdict.GOOD, f"{answer['Account']} in {aws.region}, as {answer['Arn'].rpartition(':')[2]}"
    )
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    if told:
        skew = abs(now() - parsedate_to_datetime(told).astimezone(UTC))
        wrong = skew > MAX_SKEW
        advice = "; AWS refuses signatures beyond 5 minutes: set this machine's clock" if wrong else ""
        verdict = Verdict.WRONG if wrong else Verdict.GOOD
        yield Finding("clock", verdict, f"{skew.total_seconds():.0f} s from that of AWS{advice}")


def _stack(deployment: Deployment) -> Finding:
    if deployment.status in _SETTLED:
        return Finding("stack", Verdict.GOOD, f"{deployment.status}, phase {deployment.phase.value}")
    return Finding("stack", Verdict.WRONG, f"{deployment.status}; docs/runbooks/deploy.md says how to get out of it")


def _functions(deployment: Deployment) -> Iterator[Finding]:
    """What answers behind each alias against what the stack says: a rollback by hand, or a change in the console."""
    functions = cast("LambdaClient", client(deployment.aws, "lambda"))
    for service in services(deployment.phase):
        name = deployment.outputs[f"{service.capitalize()}Function"]
        found = functions.get_function(FunctionName=name, Qualifier="live")
        variables = found["Configuration"].get("Environment", {}).get("Variables", {})
        image, wanted = (
            found["Code"].get("ImageUri", ""),
            deployment.parameters.get(f"{service.capitalize()}Digest", ""),
        )
        if wanted and not image.endswith(wanted):
            text = f"live is {image.rpartition('@')[2]}, the stack says {wanted}; deploy again to make them agree"
            yield Finding(f"function {service}", Verdict.WRONG, text)
        elif variables.get("ALCHEMISER_AWS__PHASE") != deployment.phase.value:
            text = f"live was deployed in phase {variables.get('ALCHEMISER_AWS__PHASE')}; deploy again"
            yield Finding(f"function {service}", Verdict.WRONG, text)
        else:
            yield Finding(f"function {service}", Verdict.GOOD, f"version {found['Configuration']['Version']} is live")


def services(phase: RolloutPhase) -> tuple[str, ...]:
    """The functions that a phase has."""
    modular = ("data", "strategy", "trading")
    return {RolloutPhase.MONOLITH: ("monolith",), RolloutPhase.MODULAR: modular}.get(phase, ("monolith", *modular))


def _images(deployment: Deployment) -> Iterator[Finding]:
    from botocore.exceptions import ClientError

    registry = cast("ECRClient", client(deployment.aws, "ecr"))
    prefix = deployment.parameters.get("Registry", "").partition("/")[2]
    for service in services(deployment.phase):
        digest, tag = (deployment.parameters.get(f"{service.capitalize()}{part}", "") for part in ("Digest", "Tag"))
        try:
            (found,) = registry.describe_images(
                repositoryName=f"{prefix}/{service}", imageIds=[{"imageDigest": digest}]
            )["imageDetails"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in {
                "ImageNotFoundException",
                "RepositoryNotFoundException",
            }:
                raise
            text = f"{prefix}/{service}@{digest} is not in the registry; the function fails once Lambda forgets it"
            yield Finding(f"image {service}", Verdict.WRONG, text)
            continue
        tags = found.get("imageTags", [])
        verdict = Verdict.GOOD if tag in tags else Verdict.ODD
        text = f"tag {tag}" if tag in tags else f"the stack says tag {tag}, the registry {', '.join(tags) or 'none'}"
        yield Finding(f"image {service}", verdict, text)


def _secrets(deployment: Deployment) -> Iterator[Finding]:
    from alchemiser_common.aws.clients import AwsClients
    from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets

    store, live = AwsClients(deployment.aws).secrets, deployment.outputs["BrokerEnvironment"] == "live"
    names = {output: deployment.outputs.get(output, "") for output in ("BrokerSecret", "ShadowSecret")}
    for output, secret in names.items():
        key = SecretsManagerSecrets(store, secret).broker_credentials()
        if key.paper == live:
            kinds = ("paper", "live") if live else ("live", "paper")
            text = f"it holds a {kinds[0]} key, the environment is {kinds[1]}; docs/runbooks/key-rotation.md"
            yield Finding(f"secret {output}", Verdict.WRONG, text)
        else:
            yield Finding(f"secret {output}", Verdict.GOOD, "present and well formed")
    if len(set(names.values())) == 1:
        text = "both pipelines use one key; the shadow pipeline's client is read-only all the same"
        yield Finding("secrets", Verdict.ODD, text)


def _table(deployment: Deployment) -> Iterator[Finding]:
    from alchemiser_common.aws.faults import Asking

    tables, name = cast("DynamoDBClient", client(deployment.aws, "dynamodb")), deployment.outputs["Table"]
    with Asking(f"table {name}", "the stack's output Table; docs/runbooks/restore-state.md"):
        table = tables.describe_table(TableName=name)["Table"]
    shape = {item["AttributeName"]: item["KeyType"] for item in table["KeySchema"]}
    if table["TableStatus"] != "ACTIVE" or shape != {"pk": "HASH", "sk": "RANGE"}:
        text = f"{table['TableStatus']} with keys {shape}; it must be ACTIVE with pk and sk"
        yield Finding("table", Verdict.WRONG, text)
        return
    yield Finding("table", Verdict.GOOD, f"{table['TableName']} is active")
    backups = tables.describe_continuous_backups(TableName=table["TableName"])["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus", "DISABLED")
    if recovery != "ENABLED":
        yield Finding("table", Verdict.WRONG, "point-in-time recovery is off; deploy again")


def _archive(deployment: Deployment) -> Iterator[Finding]:
    from alchemiser_common.aws.adapters import AwsAdapters

    AwsAdapters(deployment.settings()).archive().get("doctor/nothing-is-here")
    yield Finding("archive", Verdict.GOOD, f"{deployment.outputs['Bucket']} answers")


def _authority(deployment: Deployment) -> Iterator[Finding]:
    from alchemiser_common.aws.adapters import AwsAdapters
    from alchemiser_trading.authority import read_authority

    settings = deployment.settings()
    known = read_authority(AwsAdapters(settings).state(), settings.account_alias)
    holder, wanted = known.pipeline.value if known else "nobody", deployment.phase.trader.value
    if holder == wanted:
        yield Finding("authority", Verdict.GOOD, f"{holder} trades account {settings.account_alias}")
        return
    text = f"it is {holder}'s, phase {deployment.phase.value} lets {wanted} trade: nobody trades; "
    yield Finding("authority", Verdict.WRONG, text + "docs/runbooks/authority-mismatch.md")


def _dead_letters(deployment: Deployment) -> Iterator[Finding]:
    for name, count in deployment.dead_letters().items():
        if count:
            yield Finding("dead letters", Verdict.WRONG, f"{count} in {name}; docs/runbooks/dead-letters.md")
            return
    yield Finding("dead letters", Verdict.GOOD, "none")
