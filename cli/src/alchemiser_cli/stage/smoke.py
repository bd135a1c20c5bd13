"""Is a build fit to go live? It says which build it is, what it is made of, and what it decides on a snapshot.

Nothing here has an effect: no message, no record, no order.
"""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ValidationError

from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.invoker import Invoker
from alchemiser_cli.stage.stack import DeploymentFailed
from alchemiser_common.build_tag import same_build
from alchemiser_common.errors import InvalidMessage, InvalidSettings
from alchemiser_common.lambda_events import Event, VersionAnswer
from alchemiser_common.messages.base import SCHEMA_VERSION
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode
from alchemiser_common.probes import CompositionAnswer, Probe, ProbeFailure, SnapshotAnswer
from alchemiser_common.records.plan import Plan


class SmokeFailed(DeploymentFailed):
    """Raised when a build does not answer as it must; nothing was changed for it."""


def require_version(function: Invoker, image: Image) -> VersionAnswer:
    """The function is this build of this service, and speaks our messages. Raises SmokeFailed or StoreUnavailable."""
    answer = _read(function, {"probe": Probe.VERSION}, VersionAnswer)
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


def require_composition(function: Invoker, universe: Mapping[str, int] | None = None) -> CompositionAnswer:
    """The function starts with its settings, and says what it is made of; of `universe` what the broker lacks.

    Raises SmokeFailed with the whole reason, or StoreUnavailable.
    """
    asked = {} if universe is None else {"universe": dict(universe)}
    return _read(function, {"probe": Probe.COMPOSITION, **asked}, CompositionAnswer)


def require_snapshot(function: Invoker, universe: Mapping[str, int], day: date | None = None) -> SnapshotAnswer:
    """A snapshot of that day's session for that universe, by default of the last one.

    Raises SmokeFailed with the whole reason.
    """
    return _read(function, _snapshot_probe(universe, day), SnapshotAnswer)


def asked_snapshot(function: Invoker, universe: Mapping[str, int], day: date) -> SnapshotAnswer | ProbeFailure:
    """A snapshot of that day's session for that universe, or why there is none.

    Raises SmokeFailed for what is neither, StoreUnavailable.
    """
    event = _snapshot_probe(universe, day)
    answer = function.invoke(event)
    return _failure(answer) or _understood(function, event, answer, SnapshotAnswer)


def require_decision(function: Invoker, snapshot: Event, wanted: str | None = None) -> TradeDecision:
    """The function decides on the snapshot that `snapshot` holds or names, whose hash is `wanted` if that is known.

    Raises SmokeFailed with the whole reason, or StoreUnavailable.
    """
    decision = asked_decision(function, snapshot)
    if isinstance(decision, StageFailure):
        raise SmokeFailed(f"{function.name} decides nothing: {decision.error}: {decision.reason}")
    if wanted is not None and decision.snapshot_hash != wanted:
        raise SmokeFailed(f"{function.name} decided on snapshot {decision.snapshot_hash}, and was given {wanted}")
    return decision


def asked_decision(function: Invoker, snapshot: Event) -> TradeDecision | StageFailure:
    """What the function answers to the snapshot that `snapshot` holds or names: a decision, or why there is none.

    Raises SmokeFailed with the whole reason, or StoreUnavailable.
    """
    event = {"probe": Probe.DECISION, **snapshot}
    answer = function.invoke(event)
    _require_no_failure(function, event, answer)
    try:
        said = decode(answer, TradeDecision, StageFailure, limit=ARCHIVED_LIMIT)
    except InvalidMessage as error:
        raise SmokeFailed(f"{function.name} answers probe 'decision' with what is no decision: {error}") from error
    assert isinstance(said, TradeDecision | StageFailure)  # noqa: S101  (decode gives one of the two)
    return said


def asked_plan(function: Invoker, made_from: Event) -> Plan:
    """What the function plans for a decision, from an account that comes with it.

    Raises SmokeFailed with the whole reason, or StoreUnavailable.
    """
    return _read(function, {"probe": Probe.PLAN, **made_from}, Plan)


def recorded_snapshot(events: Path) -> MarketSnapshot:
    """The snapshot among the recorded events."""
    return decode(_recorded(events / "sqs-snapshot.json"), MarketSnapshot)


def recorded_decision(events: Path) -> TradeDecision:
    """The decision that was recorded with it."""
    return decode(_recorded(events / "sqs-decision.json"), TradeDecision)


def _snapshot_probe(universe: Mapping[str, int], day: date | None) -> Event:
    asked = {} if day is None else {"session": day.isoformat()}
    return {"probe": Probe.SNAPSHOT, "universe": dict(universe), **asked}


def _read[M: BaseModel](function: Invoker, event: Event, model: type[M]) -> M:
    answer = function.invoke(event)
    _require_no_failure(function, event, answer)
    return _understood(function, event, answer, model)


def _understood[M: BaseModel](function: Invoker, event: Event, answer: bytes, model: type[M]) -> M:
    try:
        return model.model_validate_json(answer)
    except ValidationError:
        said = answer.decode(errors="replace")
        raise SmokeFailed(f"{function.name} answers probe {_name(event)} with: {said}") from None


def _failure(answer: bytes) -> ProbeFailure | None:
    """What the function says of why it cannot answer, if it does."""
    try:
        return ProbeFailure.model_validate_json(answer)
    except ValidationError:
        return None


def _require_no_failure(function: Invoker, event: Event, answer: bytes) -> None:
    """Raises SmokeFailed for what a function or Lambda itself says of an error, whole."""
    failure = _failure(answer)
    if failure is not None:
        raise SmokeFailed(f"{function.name} cannot answer probe {_name(event)}: {failure.error}: {failure.reason}")
    try:
        said = json.loads(answer)
    except ValueError:
        return
    if isinstance(said, dict) and "errorType" in said:
        why = f"{said['errorType']}: {said.get('errorMessage', '')}"
        raise SmokeFailed(f"{function.name} answers probe {_name(event)} with: {why}")


def _name(event: Event) -> str:
    return repr(str(event["probe"]))


def _recorded(file: Path) -> str:
    try:
        return str(json.loads(file.read_text("utf-8"))["Records"][0]["body"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InvalidSettings(f"{file.name} in deploy/events is no recorded event ({error}): make events") from error
