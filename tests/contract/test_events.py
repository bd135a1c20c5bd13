"""What every event bus must do, whichever it is: what was published can be read by whoever listens."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alchemiser_common.aws.event_bridge import EventBridgeBus
from alchemiser_common.embedded.archived_events import ArchivedEvents
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.wire import decode
from alchemiser_common.ports.events import EventBus
from support.aws import Aws
from support.messages import make_report

type Heard = Callable[[], list[RunEvent]]


@pytest.fixture(params=["archive", "event bridge"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[EventBus, Heard]:
    if request.param == "archive":
        archive = DirectoryArchive(tmp_path)
        return ArchivedEvents(archive), lambda: [_read(archive, key) for key in archive.keys("events/")]
    aws: Aws = request.getfixturevalue("aws")
    name, url = aws.make_bus()

    def heard() -> list[RunEvent]:
        messages = aws.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        events = [json.loads(message["Body"]) for message in messages]
        assert all(event["detail-type"] == event["detail"]["event"] for event in events), "rules select on the kind"
        return [decode(json.dumps(event["detail"]), RunEvent) for event in events]

    return EventBridgeBus(aws.clients.events, name), heard


def _read(archive: DirectoryArchive, key: str) -> RunEvent:
    body = archive.get(key)
    assert body is not None
    return decode(body, RunEvent)


def test_a_published_event_reaches_a_listener_whole_at_least_once(bus: tuple[EventBus, Heard]) -> None:
    publisher, heard = bus
    event = RunEvent.of(make_report())
    publisher.publish(event)
    publisher.publish(event)
    events = heard()
    assert set(events) == {event}
    assert len({event.event_id for event in events}) == 1, "a consumer drops what it has seen by event id"
