"""Is a build fit to go live? It says which build it is, and the strategy service decides on a recorded snapshot.

Nothing here has an effect: no queue, no store, no broker.
"""

import json
from pathlib import Path

from pydantic import BaseModel, ValidationError

from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.invoker import Invoker
from alchemiser_cli.stage.stack import DeploymentFailed
from alchemiser_common.build_tag import same_build
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.lambda_events import VersionAnswer
from alchemiser_common.messages.base import SCHEMA_VERSION
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode

_SHOWN = 300


class SmokeFailed(DeploymentFailed):
    """Raised when a build does not answer as it must; nothing was changed for it."""


def require_version(function: Invoker, image: Image) -> VersionAnswer:
    """The function is this build of this service, and speaks our messages. Raises SmokeFailed or StoreUnavailable."""
    answer = _read(function, {"probe": "version"}, VersionAnswer)
    if answer.service != image.service:
        raise SmokeFailed(f"{function.name} says it is {answer.service}, not {image.service}: the image is of another")
    if not same_build(answer.git_sha, image.tag):
        raise SmokeFailed(f"{function.name} says it is build {answer.git_sha}, not {image.tag}")
    if answer.schema_version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise SmokeFailed(
            f"{function.name} speaks messages of version {answer.schema_version}, this checkout {SCHEMA_VERSION}: "
            "deploy from the commit of the image"
        )
    return answer


def require_decision(function: Invoker, events: Path) -> TradeDecision:
    """The strategy service decides on the recorded snapshot, in dry-run. Raises SmokeFailed or StoreUnavailable."""
    snapshot = _recorded(events / "sqs-snapshot.json")
    decision = _read(function, {"probe": "decision", "snapshot": snapshot}, TradeDecision)
    wanted = decode(snapshot, MarketSnapshot).content_hash()
    if decision.snapshot_hash != wanted:
        raise SmokeFailed(f"{function.name} decided on snapshot {decision.snapshot_hash}, and was given {wanted}")
    return decision


def recorded_decision(events: Path) -> TradeDecision:
    """The decision that was recorded with the snapshot."""
    return decode(_recorded(events / "sqs-decision.json"), TradeDecision)


def _read[M: BaseModel](function: Invoker, event: dict[str, object], model: type[M]) -> M:
    answer = function.invoke(event)
    try:
        return model.model_validate_json(answer)
    except ValidationError:
        said = answer.decode(errors="replace")[:_SHOWN]
        raise SmokeFailed(f"{function.name} answers probe {event['probe']!r} with: {said}") from None


def _recorded(file: Path) -> str:
    try:
        return str(json.loads(file.read_text("utf-8"))["Records"][0]["body"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InvalidSettings(f"{file.name} in deploy/events is no recorded event ({error}): make events") from error
