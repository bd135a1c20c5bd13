"""One cycle through the adapters of AWS, against a stand-in of AWS, with every call counted as AWS bills it.

The exchange is the simulated one and its time is virtual, so that the same counts come out on every machine.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from alchemiser_cli.cycles import cycle_at, ensure_authority
from alchemiser_cli.simulated import embedded_exchange, open_market
from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.alpaca.opening import open_broker
from alchemiser_common.aws.clients import AwsClients
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.aws.event_bridge import EventBridgeBus
from alchemiser_common.aws.s3_archive import S3Archive
from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets
from alchemiser_common.aws.sqs_queue import SqsQueue
from alchemiser_common.keys import report_record
from alchemiser_common.messages.base import Frozen, Stage
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.ports.state import load
from alchemiser_common.settings import AwsSettings, Environment, Settings
from alchemiser_common.telemetry import log_to, stop_logging
from alchemiser_data.decision_window import decision_time
from alchemiser_monolith.bootstrap import local_pipeline
from alchemiser_monolith.platform import Platform

DAY = date(2020, 2, 3)
_KEY = '{"key_id": "PKCOST0000000000", "secret_key": "counted", "paper": true}'
_KILOBYTE = 1024


class FifoQueue(Protocol):
    """A queue of the stand-in."""

    @property
    def url(self) -> str:
        """Its address."""
        ...


class Place(Protocol):
    """A stand-in of AWS that makes empty resources."""

    def settings(self) -> AwsSettings:
        """How to reach it."""
        ...

    def make_table(self) -> str:
        """A state table; its name."""
        ...

    def make_bucket(self) -> str:
        """A bucket; its name."""
        ...

    def make_queue(self) -> FifoQueue:
        """A queue."""
        ...

    def make_bus(self) -> tuple[str, str]:
        """An event bus; its name, and where its events go."""
        ...

    def make_secret(self, text: str) -> str:
        """A secret; its name."""
        ...


class Measured(Frozen):
    """What one run that trades asks of AWS and leaves behind, in AWS's units."""

    legs: int
    trading_seconds: float
    """Of the exchange's time, from the decision's arrival to the report."""
    queue_requests: int
    """Sent, received and deleted messages, in chunks of 64 KB."""
    snapshot_bytes: int
    decision_bytes: int
    write_units: int
    read_units: int
    table_bytes: int
    puts: int
    gets: int
    archive_bytes: int
    events: int
    secret_calls: int
    log_bytes: int


def measure(place: Place) -> Measured:
    """Run the cycle: nothing is held, all is bought."""
    count: Counter[str] = Counter()
    clients = AwsClients(place.settings())
    for client in (clients.dynamodb, clients.s3, clients.sqs, clients.events, clients.secrets):
        _watch(client, count)
    state = DynamoStateStore(clients.dynamodb, place.make_table(), lambda: uuid4().hex)
    archive = S3Archive(clients.s3, place.make_bucket())
    events = EventBridgeBus(clients.events, place.make_bus()[0])
    secrets = SecretsManagerSecrets(clients.secrets, place.make_secret(_KEY))
    queues = [SqsQueue(clients.sqs, place.make_queue().url, wait_seconds=0) for _ in range(2)]
    market = open_market(None)
    with tempfile.TemporaryDirectory() as folder, embedded_exchange(market, start=DAY, state=None) as exchange:
        plain = Settings(environment=Environment.SIMULATED)
        broker = plain.broker.model_copy(update={"trading_url": exchange.url, "data_url": exchange.url})
        settings = plain.model_copy(update={"broker": broker})
        due = decision_time(market.as_session(market.sessions_from(DAY, 1)[0]), settings.schedule)
        exchange.clock.move_to(due)
        ensure_authority(settings, state, exchange.clock.now())
        count.clear()
        for _ in ("data", "trading"):  # each function reads its key once
            credentials = secrets.broker_credentials()
        platform = Platform(
            settings=settings,
            variables={},
            clock=exchange.clock,
            state=state,
            archive=archive,
            events=events,
            broker=open_broker(AlpacaBroker, settings, credentials, secrets, exchange.clock),
            paper_key=True,
            market_data_queue=queues[0],
            trade_decision_queue=queues[1],
        )
        log = Path(folder) / "log.jsonl"
        handler = log_to(log, service="alchemiser")
        cycle = cycle_at(settings, due)
        local_pipeline(platform).run(cycle.trigger)
        stop_logging(handler)
        counted = Counter(count)
        return _result(counted, load(state, report_record(cycle.run_id), ExecutionReport), log.stat().st_size)


def _result(count: Counter[str], report: Any, log_bytes: int) -> Measured:
    trace = {span.stage: span for span in report.value.trace}
    span = trace[Stage.TRADING]
    return Measured(
        legs=len(report.value.legs),
        trading_seconds=round((span.finished - span.started).total_seconds(), 1),
        queue_requests=count["queue_requests"],
        snapshot_bytes=count["largest_message"],
        decision_bytes=count["smallest_message"],
        write_units=count["write_units"],
        read_units=count["read_units"],
        table_bytes=count["table_bytes"],
        puts=count["puts"],
        gets=count["gets"],
        archive_bytes=count["archive_bytes"],
        events=count["events"],
        secret_calls=count["secret_calls"],
        log_bytes=log_bytes,
    )


def _watch(client: Any, count: Counter[str]) -> None:
    """Count each call of a client: what is sent by its arguments, what is read by its answer."""

    def asked(params: Mapping[str, Any], model: Any, **_: object) -> None:
        _count_asked(count, str(model.name), params)

    def told(parsed: Mapping[str, Any], model: Any, **_: object) -> None:
        _count_told(count, str(model.name), parsed)

    client.meta.events.register("provide-client-params.*.*", asked)
    client.meta.events.register("after-call.*.*", told)


def _count_asked(count: Counter[str], operation: str, params: Mapping[str, Any]) -> None:
    match operation:
        case "PutItem":
            _count_write(count, params["Item"], factor=1)
        case "TransactWriteItems":
            for item in params["TransactItems"]:
                _count_write(count, item["Put"]["Item"], factor=2)
        case "PutObject":
            count["puts"] += 1
            count["archive_bytes"] += len(params["Body"])
        case "GetObject" | "HeadObject":
            count["gets"] += 1
        case "ListObjectsV2":
            count["puts"] += 1
        case "PutEvents":
            count["events"] += len(params["Entries"])
        case "GetSecretValue":
            count["secret_calls"] += 1
        case "SendMessage":
            size = len(params["MessageBody"].encode())
            count["queue_requests"] += 2 * math.ceil(size / (64 * _KILOBYTE)) + 1  # sent, received, deleted
            count["largest_message"] = max(count["largest_message"], size)
            count["smallest_message"] = min(count["smallest_message"] or size, size)


def _count_write(count: Counter[str], item: Mapping[str, Mapping[str, str]], *, factor: int) -> None:
    size = _item_bytes(item)
    count["write_units"] += factor * math.ceil(size / _KILOBYTE)
    count["table_bytes"] += size


def _count_told(count: Counter[str], operation: str, parsed: Mapping[str, Any]) -> None:
    """A strongly consistent read takes a unit for each 4 KB, and one if nothing is found."""
    match operation:
        case "GetItem":
            size = _item_bytes(parsed.get("Item", {}))
        case "Query":
            size = sum(_item_bytes(item) for item in parsed["Items"])
        case _:
            return
    count["read_units"] += max(1, math.ceil(size / (4 * _KILOBYTE)))


def _item_bytes(item: Mapping[str, Mapping[str, str]]) -> int:
    return sum(len(name) + sum(len(str(part)) for part in value.values()) for name, value in item.items())
