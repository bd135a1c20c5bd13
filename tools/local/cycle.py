"""One scheduled cycle through the containers: moves the exchange to the decision time, fires, waits, shows.

Fired is what the phase schedules: in shadow both pipelines at the same scheduled time, whose ends are compared.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

import requests
from pydantic import SecretStr
from rich.console import Console
from rich.markup import escape

from alchemiser_cli.stored_runs import detail_json, read_detail, read_run
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
from alchemiser_common.records.parity import Parity
from alchemiser_common.settings import ScheduleSettings
from alchemiser_readmodel.runs import RunDetail, RunSummary
from alchemiser_trading.runs.parity.verdicts import known_verdict
from local.functions import Answered, Function, post
from local.scheduler import Attempt, Scheduler, cycle_event
from local.stage import SIMULATED_KEY, LocalStage

_DAYS = 10
_GLANCE_SECONDS = 0.2
_CLOCK_SECONDS = 5.0
_TIMEOUTS = {"data": timedelta(seconds=30), "monolith": timedelta(seconds=45), "trading": timedelta(seconds=45)}
"""As compose.yaml gives them."""
_PIPELINES = {"monolith": Pipeline.MONOLITH, "data": Pipeline.MODULAR}
"""Whose cycle begins where."""
_WELL = {RunStatus.COMPLETED.value, RunStatus.SKIPPED.value, RunStatus.SHADOWED.value}
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

    @cached_property
    def broker(self) -> AlpacaBroker:
        """The account, through the client that the functions have."""
        return AlpacaBroker(
            BrokerCredentials(**{name: SecretStr(text) for name, text in SIMULATED_KEY.items()}),
            ExchangeClock(self.url),
            random.Random(0),  # noqa: S311  (spreads retries, decides nothing)
            paper=True,
            trading_url=self.url,
            data_url=self.url,
            policy=RequestPolicy(connect_timeout=3.0, read_timeout=15.0, read_attempts=2),
        )

    def next_decision(self, schedule: ScheduleSettings) -> datetime:
        """The next session's decision time that has not passed. Raises InvalidSettings if its calendar has none."""
        now = self.now()
        for ahead in range(_DAYS):
            session = self.broker.session_on((now + timedelta(days=ahead)).astimezone(EXCHANGE_ZONE).date())
            if session is not None and (due := decision_time(session, schedule)) > now:
                return due
        raise InvalidSettings(f"the exchange knows no session in the {_DAYS} days after {now:%Y-%m-%d}")


type Urls = Mapping[str, str]
"""Where each function answers."""


def fire(stage: LocalStage, service: str, url: str, scheduled_at: datetime) -> Attempt:
    """Fire the schedule at a function, with two more tries and the template's dead letters."""
    return _scheduler(stage, service, url).fire(cycle_event(scheduled_at))


def watch(stage: LocalStage, service: str, url: str) -> Attempt:
    """Ask a function to go on with what nobody works on and, in shadow, to judge what is due."""
    return _scheduler(stage, service, url).fire({"watch": "overdue"})


def _scheduler(stage: LocalStage, service: str, url: str) -> Scheduler:
    sqs = stage.aws.clients.sqs
    function = Function(service, url, timeout=_TIMEOUTS[service])
    dead_letters = sqs.get_queue_url(QueueName=stage.name("TriggerDeadLetters"))["QueueUrl"]
    return Scheduler(function, sqs, dead_letters, retries=2, pause=lambda: time.sleep(1))


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


# The exchange moves to the decision time first, since the functions read its time and not the machine's. A run's id
# follows from account, scheduled time and pipeline, so it is known before anything has happened, and the store can be
# asked for it while the containers work.
def run_cycle(stage: LocalStage, exchange: Exchange, urls: Urls, *, patience: float, as_json: bool) -> int:
    """Run the next cycle of the stage's phase and print it.

    0 if every run completed or had nothing to do and, in shadow, the pipelines agree; 1 otherwise.
    """
    note = Console(stderr=True, style="dim").print
    phase = stage.phase()
    due = exchange.next_decision(ScheduleSettings())
    cycle = cycle_id(stage.account, due)
    note(
        f"cycle {cycle}: the exchange goes to {due:%Y-%m-%d %H:%M}Z, the schedule fires {' and '.join(phase.scheduled)}"
    )
    exchange.move_to(due)
    started = time.monotonic()

    def one(service: str) -> RunSummary | None:
        """The pipeline that begins with this function, to its run's end; None if it left nothing."""
        attempt = fire(stage, service, urls[service], due)
        if not isinstance(attempt.outcome, Answered):
            note(f"the {service} function failed {attempt.tries} times: {attempt.outcome}")
            return None
        pipeline = _PIPELINES[service]
        return wait_for_end(
            stage,
            run_id(cycle, pipeline),
            timedelta(seconds=patience),
            lambda status: note(f"{time.monotonic() - started:6.1f} s  {pipeline.value} {status}"),
        )

    with ThreadPoolExecutor(len(phase.scheduled)) as pool:
        summaries = [summary for summary in pool.map(one, phase.scheduled) if summary is not None]
    if len(summaries) < len(phase.scheduled):
        note("nothing is stored about a run; `make logs` shows what the functions say")
    if phase.watched in phase.scheduled:  # otherwise it is the event source's to invoke
        watched = watch(stage, phase.watched, urls[phase.watched])
        if not isinstance(watched.outcome, Answered):
            note(f"the watch of {phase.watched} failed: {watched.outcome}")
    details = [read_detail(stage.state, stage.archive, summary) for summary in summaries]
    verdict = known_verdict(stage.state, cycle)
    _show(details, verdict, as_json=as_json)
    well = len(summaries) == len(phase.scheduled) and all(summary.status in _WELL for summary in summaries)
    if len(phase.scheduled) > 1:
        well = well and _agree(summaries, verdict)
    return 0 if well else 1


def _agree(summaries: Sequence[RunSummary], verdict: Parity | None) -> bool:
    """The verdict needs no person; or there was nothing to decide, and both say so."""
    if verdict is not None:
        return not verdict.verdict.broken
    return all(summary.status == RunStatus.SKIPPED.value for summary in summaries)


def _show(details: Sequence[RunDetail], verdict: Parity | None, *, as_json: bool) -> None:
    """One run as it always was; of both pipelines their runs under their names, and the verdict."""
    if as_json:
        shown: object = [detail_json(detail) for detail in details]
        if len(details) == 1:
            shown = detail_json(details[0])
        elif len(details) > 1:
            parity = None if verdict is None else verdict.model_dump(mode="json")
            shown = {"runs": shown, "parity": parity}
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    out = Console()
    for detail in details:
        if len(details) > 1:
            out.rule(detail.summary.pipeline)
        out.print(run_view(detail))
    if verdict is not None:
        cause = f", by {verdict.cause.value}" if verdict.cause is not None else ""
        out.print(
            f"parity: [bold]{verdict.verdict.value}[/]{cause}" + escape(f": {verdict.detail}" if verdict.detail else "")
        )
    elif len(details) > 1:
        out.print("parity: [bold]no verdict[/]")
