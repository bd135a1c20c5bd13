"""Checks of what a stage is made of: each resource is there and set up as the template and the phase say."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from alchemiser_cli.stage.aliases import live_version
from alchemiser_cli.stage.candidate import ALIAS
from alchemiser_cli.stage.check_result import CheckContext, CheckFailed, Verdict
from alchemiser_cli.stage.guards import ShadowKey
from alchemiser_cli.stage.names import RECEIVES, SERVICES
from alchemiser_cli.stage.parameters import function_variables
from alchemiser_cli.stage.stack import deployed_template
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets
from alchemiser_common.errors import AlchemiserError, MissingSecret
from alchemiser_common.settings import Environment

_KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
_FLOWING = {"shadow", "cutover", "modular"}
_GONE = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "404",
    "NoSuchBucket",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "RepositoryNotFoundException",
}


def secrets(context: CheckContext) -> str:
    """Broker and shadow secret are there and hold a key."""
    stack, client = context.deployed, context.stage.clients.secrets
    names = dict.fromkeys((stack.parameters["BrokerSecretArn"], stack.parameters["ShadowSecretArn"]))
    for name in names:
        try:
            SecretsManagerSecrets(client, name).broker_credentials()
        except MissingSecret as error:
            raise CheckFailed(str(error), "docs/runbooks/key-rotation.md says how") from error
    return f"{len(names)}, each holds a key of the right form"


def shadow_key(context: CheckContext) -> str:
    """The pipeline that only plans has a key that cannot trade; the broker says so itself."""
    stack, stage = context.deployed, context.stage
    if stack.phase not in {"shadow", "cutover"}:
        raise CheckFailed(f"nothing only plans in phase {stack.phase}", "", Verdict.SKIPPED)
    remedy = "give it one that cannot trade: docs/rollout.md"
    if ShadowKey.of(stack.parameters) is ShadowKey.SHARED:
        raise CheckFailed(
            "what only plans works with the key that trades: one of three barriers is absent", remedy, Verdict.WARNING
        )
    from alchemiser_common.alpaca.key_scope import may_trade  # takes pandas along

    key = SecretsManagerSecrets(stage.clients.secrets, stack.parameters["ShadowSecretArn"]).broker_credentials()
    paper = stack.parameters["BrokerEnvironment"] != Environment.LIVE.value
    if may_trade(key, stage.broker, stage.clock, uuid4(), paper=paper):
        raise CheckFailed("the shadow's own key can trade: the broker would take a cancel from it", remedy)
    return "cannot trade: the broker refuses a cancel from it"


def table(context: CheckContext) -> str:
    """The state table has its keys, can be recovered and is protected."""
    name, client = context.deployed.outputs["Table"], context.stage.clients.dynamodb
    found = _existing(
        f"table {name}", "docs/runbooks/restore-state.md", lambda: client.describe_table(TableName=name)["Table"]
    )
    if found["KeySchema"] != _KEYS:
        raise CheckFailed(f"{name} has the keys {found['KeySchema']}, not pk and sk", "docs/runbooks/restore-state.md")
    if found["TableStatus"] != "ACTIVE":
        raise CheckFailed(f"{name} is {found['TableStatus']}", "wait until it is ACTIVE")
    with Asking(f"table {name}", "the role's rights"):
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise CheckFailed(
            f"{name} cannot be restored to a point in time",
            f"aws dynamodb update-continuous-backups --table-name {name} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        )
    if not found.get("DeletionProtectionEnabled"):
        raise CheckFailed(
            f"{name} is not protected against deletion",
            f"aws dynamodb update-table --table-name {name} --deletion-protection-enabled",
        )
    return f"{name}: keys, recovery and protection"


def queues(context: CheckContext) -> str:
    """Each queue hands what fails too often to its dead letters, and none lie there."""
    outputs, waiting = context.deployed.outputs, []
    for name, receives in RECEIVES.items():
        dead = name.replace("Queue", "DeadLetters")
        attributes, letters = (_queue(context, outputs[part]) for part in (name, dead))
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
        known = redrive.get("deadLetterTargetArn"), int(redrive.get("maxReceiveCount", 0))
        if known != (letters["QueueArn"], receives):
            raise CheckFailed(
                f"{name} does not hand what was received {receives} times to {dead}",
                "set the redrive policy by hand: CloudFormation sees no difference, a deployment changes nothing",
            )
    for dead in ("MarketDataDeadLetters", "TradeDecisionDeadLetters", "TriggerDeadLetters"):
        count = _queue(context, outputs[dead])["ApproximateNumberOfMessages"]
        if count != "0":
            waiting.append(f"{count} in {dead}")
    if waiting:
        raise CheckFailed(f"dead letters: {', '.join(waiting)}", "see docs/runbooks/dead-letters.md", Verdict.WARNING)
    return "with their dead letters, none there"


def bucket(context: CheckContext) -> str:
    """The archive keeps versions and is not public."""
    name, client = context.deployed.outputs["Bucket"], context.stage.clients.s3
    remedy = f"docs/runbooks/restore-state.md; aws s3api head-bucket --bucket {name}"
    _existing(f"bucket {name}", remedy, lambda: client.head_bucket(Bucket=name))
    with Asking(f"bucket {name}", "the role's rights"):
        if client.get_bucket_versioning(Bucket=name).get("Status") != "Enabled":
            raise CheckFailed(
                f"{name} does not keep old versions",
                f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled",
            )
        try:
            block = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        except ClientError as error:
            if code_of(error) != "NoSuchPublicAccessBlockConfiguration":
                raise
            block = {}
    if not block or not all(block.values()):
        raise CheckFailed(
            f"{name} does not block public access",
            f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration BlockPublicAcls="
            "true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        )
    return f"{name}: versions, not public"


def functions(context: CheckContext) -> str:
    """Each function of the phase has its alias, which runs the image and settings that the stack names."""
    stack, seen = context.deployed, []
    template = deployed_template(context.stage.clients.cloudformation, stack.name)
    for service in SERVICES:
        name = stack.function(service)
        if name is None:
            continue
        version = _existing(
            f"function {name}:{ALIAS}",
            f"deploy again after removing it from the stack: alchemiser deploy {context.stage.config.name}",
            lambda name=name: live_version(context.stage.clients.functions, name),  # type: ignore[misc]
        )
        digest = stack.parameters[f"{service.capitalize()}Digest"]
        if version.digest != digest:
            raise CheckFailed(
                f"{name}:{ALIAS} runs {version.digest[:19]}…, the stack says {digest[:19]}…: a rollback not finished",
                f"alchemiser rollback {context.stage.config.name} {service}",
            )
        wanted = function_variables(context.stage.config, template, stack.parameters, stack.account, service) or {}
        differ = sorted(key for key in {*wanted, *version.variables} if wanted.get(key) != version.variables.get(key))
        if differ:
            raise CheckFailed(
                f"{name}:{ALIAS} has other settings than the stack says ({', '.join(differ)}): a change not finished",
                f"alchemiser rollback {context.stage.config.name} {service}",
            )
        seen.append(f"{service} version {version.number}")
    return ", ".join(seen)


def sources(context: CheckContext) -> str:
    """The queues feed the functions in the phases in which data flow, and in no other."""
    stack, client = context.deployed, context.stage.clients.functions
    flowing = stack.phase in _FLOWING
    for service, queue in (("strategy", "MarketDataQueue"), ("trading", "TradeDecisionQueue")):
        name = stack.function(service)
        if name is None:
            continue
        arn = _queue(context, stack.outputs[queue])["QueueArn"]
        with Asking(f"sources of {name}", "the role's rights"):
            found = client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        on = [
            item
            for item in found
            if item.get("State") in {"Enabled", "Enabling"} and f":{name}" in item.get("FunctionArn", "")
        ]
        if flowing != bool(on):
            raise CheckFailed(
                f"phase {stack.phase} has {service} {'fed by' if flowing else 'without'} its queue, and it is "
                f"{'fed' if on else 'not fed'}",
                "aws lambda list-event-source-mappings, then update-event-source-mapping --uuid … "
                f"--{'enabled' if flowing else 'no-enabled'}",
            )
    return f"{'on' if flowing else 'none'}, as phase {stack.phase} has it"


def schedules(context: CheckContext) -> str:
    """Those are on that the phase wants on."""
    stack, config = context.deployed, context.stage.config
    group = f"alchemiser-{config.name}"
    with Asking(f"schedule group {group}", "the role's rights"):
        try:
            pages = context.stage.clients.scheduler.get_paginator("list_schedules").paginate(GroupName=group)
            states = {item["Name"]: item["State"] for page in pages for item in page["Schedules"]}
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            states = {}
    wanted = {"monolith": {"monolith"}, "staged": {"monolith"}, "shadow": {"monolith", "modular"}}.get(
        stack.phase, {"modular"}
    )
    wanted |= {"overdue"}
    for name in ("monolith", "modular", "overdue"):
        on = states.get(name) == "ENABLED"
        if on != (name in wanted):
            raise CheckFailed(
                f"phase {stack.phase} has schedule {name} {'on' if name in wanted else 'off'}, and it is "
                f"{states.get(name, 'not there').lower()}",
                f"see docs/runbooks/missed-run.md; aws scheduler get-schedule --group-name {group} --name {name}",
            )
    return f"{', '.join(sorted(wanted))} on, as phase {stack.phase} has it"


def _queue(context: CheckContext, url: str) -> dict[str, str]:
    client, name = context.stage.clients.sqs, url.rpartition("/")[2]
    found: dict[str, str] = _existing(
        f"queue {name}",
        "docs/runbooks/restore-state.md",
        lambda: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"],
    )
    return found


def _existing(what: str, remedy: str, ask: Callable[[], Any]) -> Any:
    """The answer. Raises CheckFailed if what the stack names does not exist any more."""
    try:
        with Asking(what, "the stack"):
            return ask()
    except AlchemiserError as error:
        if isinstance(error.__cause__, ClientError) and code_of(error.__cause__) in _GONE:
            raise CheckFailed(f"{what} does not exist any more, though the stack lists it", f"see {remedy}") from error
        raise
