"""When the next cycle is due, by the exchange's own calendar; and what a cycle says that cannot begin."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from alchemiser_common.errors import BrokerUnavailable, InvalidSettings
from alchemiser_common.settings import ScheduleSettings
from alchemiser_simulator import SimulatorConfig, SimulatorServer, sample_history
from local.aws import LocalAws
from local.cycle import Exchange, run_cycle
from local.stage import LocalStage
from support.aws import moto_server

WEDNESDAY = datetime(2020, 6, 3, 12, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatorConfig(history=sample_history(), start=WEDNESDAY)) as running:
        yield running


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param("2020-06-03T12:00", "2020-06-03T13:45", id="before the open"),
        pytest.param("2020-06-03T13:45", "2020-06-04T13:45", id="at the time itself: that cycle has been fired"),
        pytest.param("2020-06-05T20:00", "2020-06-08T13:45", id="Friday evening"),
        pytest.param("2020-07-03T00:00", "2020-07-06T13:45", id="a holiday before a weekend"),
        pytest.param("2020-11-01T00:00", "2020-11-02T14:45", id="winter time"),
    ],
)
def test_the_next_decision_follows_the_exchanges_calendar(server: SimulatorServer, now: str, due: str) -> None:
    with server.control as control:
        control.reset(start=datetime.fromisoformat(now).replace(tzinfo=UTC))
    found = Exchange(server.url).next_decision(ScheduleSettings())
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_moving_takes_the_exchange_there(server: SimulatorServer) -> None:
    with server.control as control:
        control.reset(start=WEDNESDAY)
    exchange = Exchange(server.url)
    due = exchange.next_decision(ScheduleSettings())
    exchange.move_to(due)
    assert exchange.now() == due


def test_the_end_of_the_data_is_said(server: SimulatorServer) -> None:
    with server.control as control:
        control.reset(start=datetime(2021, 3, 31, 20, tzinfo=UTC))
    exchange = Exchange(server.url)
    with pytest.raises(InvalidSettings, match=r"does not go to 2021-04-01 13:45Z: .*; see `make down`"):
        exchange.move_to(exchange.next_decision(ScheduleSettings()))


def test_an_exchange_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(BrokerUnavailable, match="does not tell the time"):
        Exchange(NOWHERE).now()


def test_a_data_function_that_is_not_there_ends_the_cycle_with_a_dead_trigger(
    server: SimulatorServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with server.control as control:
        control.reset(start=WEDNESDAY)
    with moto_server() as aws:
        stage = LocalStage(LocalAws(aws.url), "demo", 20.0)
        stage.first_use({"SPY": 1})
        urls = dict.fromkeys(("data", "trading", "monolith"), NOWHERE)
        assert run_cycle(stage, Exchange(server.url), urls, patience=1, as_json=False) == 1
        sqs = stage.aws.clients.sqs
        url = sqs.get_queue_url(QueueName=stage.name("TriggerDeadLetters"))["QueueUrl"]
        (dead,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert "2020-06-03T13:45:00Z" in dead["Body"]
    assert "the data function failed 3 times" in capsys.readouterr().err.replace("\n", " ")
