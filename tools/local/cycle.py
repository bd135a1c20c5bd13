"""One scheduled cycle through the containers: moves the exchange to the decision time, fires, waits, shows."""

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import requests
from pydantic import SecretStr
from rich.console import Console

from alchemiser_cli.history import RunSummary, detail_json, read_detail, read_run
from alchemiser_cli.views import run_view
from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.alpaca.session import RequestPolicy
from alchemiser_common.decision_time import decision_time
from alchemiser_common.embedded.exchange_clock import ExchangeClock
from alchemiser_common.errors import InvalidSettings, StoreUnavailable
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.settings import ScheduleSettings
from local.functions import Answered, Function, post
from local.scheduler import Attempt, Scheduler, cycle_event
from local.stage import SIMULATED_KEY, LocalStage

_DAYS = 10
_GLANCE_SECONDS = 0.2
_CLOCK_SECONDS = 5.0
_DATA_TIMEOUT = timedelta(seconds=30)
_ENDED = {status.value for status in RunStatus if status.final}


@dataclass(frozen=True)
class Exchange:
    """The simulator as the scheduler sees it: its time, and the calendar that the real client reads."""

    url: str

    def now(self) -> datetime:
        """Its time. Raises BrokerUnavailable."""
        return ExchangeClock(self.url).now()

    def move_to(self, moment: datetime) -> None:
        """Move its time on. Raises StoreUnavailable, or InvalidSettings where its data end."""
        try:
            wanted = json.dumps({"now": moment.isoformat()}).encode()
            answer = post(f"{self.url}/control/clock", wanted, read_seconds=_CLOCK_SECONDS)
        except requests.RequestException as error:
            raise StoreUnavailable(f"the exchange at {self.url} does not move its clock: {error}") from error
        if not answer.ok:
            said = answer.content.decode(errors="replace")
            raise InvalidSettings(f"the exchange does not go to {moment:%Y-%m-%d %H:%M}Z: {said}; see `make down`")

    def next_decision(self, schedule: ScheduleSettings) -> datetime:
        """The next session's decision time that has not passed. Raises InvalidSettings if its calendar has none."""
        broker = AlpacaBroker(
            BrokerCredentials(**{name: SecretStr(text) for name, text in SIMULATED_KEY.items()}),
            ExchangeClock(self.url),
            random.Random(0),  # noqa: S311  (spreads retries, decides nothing)
            paper=True,
            trading_url=self.url,
            data_url=self.url,
            policy=RequestPolicy(connect_timeout=3.0, read_timeout=15.0, read_attempts=2),
        )
        now = self.now()
        for ahead in range(_DAYS):
            session = broker.session_on((now + timedelta(days=ahead)).astimezone(EXCHANGE_ZONE).date())
            if session is not None and (due := decision_time(session, schedule)) > now:
                return due
        raise InvalidSettings(f"the exchange knows no session in the {_DAYS} days after {now:%Y-%m-%d}")


def fire(stage: LocalStage, data_url: str, scheduled_at: datetime) -> Attempt:
    """Fire the schedule at the data function, with two more tries and the template's dead letters."""
    sqs = stage.aws.clients.sqs
    function = Function("data", data_url, timeout=_DATA_TIMEOUT)
    dead_letters = sqs.get_queue_url(QueueName=stage.name("TriggerDeadLetters"))["QueueUrl"]
    scheduler = Scheduler(function, sqs, dead_letters, retries=2, pause=lambda: time.sleep(1))
    return scheduler.fire(cycle_event(scheduled_at))


def wait_for_end(
    stage: LocalStage, run: UUID, patience: timedelta, tell: Callable[[str], None] = lambda _: None
) -> RunSummary | None:
    """The run once it has ended, or as it stands after `patience`; None if nothing is known of it."""
    deadline = time.monotonic() + patience.total_seconds()
    known = ""
    while True:
        summary = read_run(stage.state, run)
        status = summary.status if summary is not None else "unknown"
        if status != known:
            tell(status)
            known = status
        if status in _ENDED or time.monotonic() > deadline:
            return summary
        time.sleep(_GLANCE_SECONDS)


# The exchange moves to the decision time first, since the functions read its time and not the machine's. The run's id
# follows from account, scheduled time and pipeline, so it is known before anything has happened, and the store can be
# asked for it while the containers work.
def run_cycle(stage: LocalStage, exchange: Exchange, data_url: str, *, patience: float, as_json: bool) -> int:
    """Run the next cycle and print it; 0 if the run completed or had nothing to do, 1 otherwise."""
    note = Console(stderr=True, style="dim").print
    due = exchange.next_decision(ScheduleSettings())
    run = run_id(cycle_id(stage.account, due), Pipeline.MODULAR)
    note(f"run {run}: the exchange goes to {due:%Y-%m-%d %H:%M}Z, the schedule fires")
    exchange.move_to(due)
    started = time.monotonic()
    attempt = fire(stage, data_url, due)
    if not isinstance(attempt.outcome, Answered):
        note(f"the data function failed {attempt.tries} times: {attempt.outcome}")
        return 1
    summary = wait_for_end(
        stage, run, timedelta(seconds=patience), lambda status: note(f"{time.monotonic() - started:6.1f} s  {status}")
    )
    if summary is None:
        note("nothing is stored about the run; `make logs` shows what the functions say")
        return 1
    detail = read_detail(stage.state, stage.archive, summary)
    if as_json:
        sys.stdout.write(json.dumps(detail_json(detail), indent=2) + "\n")
    else:
        Console().print(run_view(detail))
    return 0 if summary.status in {RunStatus.COMPLETED.value, RunStatus.SKIPPED.value} else 1
