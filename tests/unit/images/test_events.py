"""The recorded events are what the functions really send and accept today."""

import json
from pathlib import Path

import pytest

from alchemiser_common.lambda_events import handle_batch, is_version_probe, read_trigger
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode
from images.events import FOLDER, record


def event(name: str) -> dict[str, object]:
    return dict(json.loads((FOLDER / name).read_text("utf-8")))


def test_the_recorded_events_are_current() -> None:
    recorded = {path.name: json.loads(path.read_text("utf-8")) for path in Path(FOLDER).glob("*.json")}
    assert recorded == record(), "a message or a strategy changed: `make events` records them again"


@pytest.mark.parametrize(
    ("name", "kind"), [("sqs-snapshot.json", MarketSnapshot), ("sqs-decision.json", TradeDecision)]
)
def test_the_queues_events_carry_one_readable_message_of_the_cycle(name: str, kind: type[Message]) -> None:
    messages: list[Message] = []
    handle_batch(event(name), lambda body: messages.append(decode(body, kind)))
    (message,) = messages
    scheduled = read_trigger(event("scheduled.json")).scheduled_at
    assert message.cycle_id.endswith(scheduled.strftime(":%Y-%m-%dT%H:%M:%SZ"))


def test_the_probe_is_one() -> None:
    assert is_version_probe(event("version.json"))
