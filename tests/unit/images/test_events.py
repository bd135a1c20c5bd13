"""The events that functions are invoked with by hand are those of a captured case, and what functions take today."""

import json

import pytest

from alchemiser_cli.cases.files import read_case
from alchemiser_common.lambda_events import handle_batch, is_version_probe, read_trigger
from alchemiser_common.messages.base import SCHEMA_VERSION, Message
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode
from images.errors import ImagesError
from images.events import CASE, FOLDER, events_of, files
from support.cases import FOLDER as CASES
from support.cases import captured
from support.write_cases import SCENES


def event(name: str) -> dict[str, object]:
    return dict(json.loads((FOLDER / name).read_text("utf-8")))


def message(name: str, kind: type[Message]) -> Message:
    """The one that a queue's event carries."""
    messages: list[Message] = []
    handle_batch(event(name), lambda body: messages.append(decode(body, kind)))
    (found,) = messages
    return found


def test_the_events_are_the_cases_to_the_byte() -> None:
    stored = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert stored == files(), "the case was captured again: `make events` writes its events again"


def test_the_case_is_among_those_that_are_replayed_and_captured_again() -> None:
    assert CASE.parent == CASES
    assert CASE.name in {scene.name for scene in SCENES}


def test_the_queues_events_carry_what_the_case_has_in_todays_version() -> None:
    case = read_case(CASE)
    for name, kind, then in (
        ("sqs-snapshot.json", MarketSnapshot, case.snapshot),
        ("sqs-decision.json", TradeDecision, case.decision),
    ):
        found = message(name, kind)
        assert found == then
        assert found.schema_version == SCHEMA_VERSION, "`make cases events` captures it in today's version"
    assert read_trigger(event("scheduled.json")) == case.trigger


def test_the_probe_is_one() -> None:
    assert is_version_probe(event("version.json"))


def test_a_case_without_decision_makes_no_events() -> None:
    with pytest.raises(ImagesError, match="without snapshot or decision: 2020-02-17 is not a trading day"):
        events_of(captured("holiday"))
