"""Writes the events that functions are invoked with by hand, deploy/events, from one captured case.

They are the scheduler's, one from each queue, and the version probe. The same case gives the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from alchemiser_cli.cases.case import Case
from alchemiser_cli.cases.files import read_case
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.wire import encode
from alchemiser_common.ports.queue import Delivery
from alchemiser_monolith.platform import MARKET_DATA_QUEUE, TRADE_DECISION_QUEUE
from images.errors import ImagesError
from images.settings import ROOT

FOLDER = ROOT / "deploy" / "events"
CASE = ROOT / "tests" / "fixtures" / "cases" / "as-shipped"
"""A cycle of the modular pipeline with the allocations of whoever sets none."""
_MESSAGE_ID = "00000000-0000-4000-8000-000000000001"

type Event = Mapping[str, object]


def events_of(case: Case) -> Mapping[str, Event]:
    """The events by file name. Raises ImagesError for a run that came to no decision."""
    if case.snapshot is None or case.decision is None:
        raise ImagesError(f"the case is of a run without snapshot or decision: {case.about.reason}")
    return {
        "scheduled.json": case.trigger.model_dump(mode="json"),
        "sqs-snapshot.json": _delivered(case, case.snapshot, MARKET_DATA_QUEUE),
        "sqs-decision.json": _delivered(case, case.decision, TRADE_DECISION_QUEUE),
        "version.json": {"probe": "version"},
    }


def files() -> Mapping[str, str]:
    """The text of each file by its name. Raises InvalidSettings if the case cannot be read."""
    return {name: json.dumps(event, indent=1) + "\n" for name, event in events_of(read_case(CASE)).items()}


def write(folder: Path = FOLDER) -> list[Path]:
    """Write them; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in files().items():
        path = folder / name
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def _delivered(case: Case, message: Message, queue: str) -> Event:
    """The message as Lambda hands it in, received for the first time."""
    sent = message.trace[-1].finished if message.trace else case.trigger.scheduled_at
    delivery = Delivery(_MESSAGE_ID, "recorded", encode(message), message.account_alias, sent, 1)
    return sqs_event(delivery, f"arn:aws:sqs:us-east-1:000000000000:{queue}.fifo")
