"""A stage in one process, and what comes of a due cycle on it: functions as their composition roots make them.

Real: the functions with their settings as the template gives them, their schedules, the services, the Alpaca client and
the exchange behind it, the template's alarms. Stand-ins: AWS's stores (in memory) and the wire (a call). Who delivers
and how often is what AWS and the scheduler do.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import requests

import alchemiser_data.bootstrap
import alchemiser_monolith.bootstrap
import alchemiser_strategy.bootstrap
import alchemiser_trading.bootstrap
from alchemiser_cli.simulated import open_market
from alchemiser_cli.stage.universe_record import settle
from alchemiser_common import keys
from alchemiser_common.alpaca.broker import AlpacaReader
from alchemiser_common.decision_time import decision_time
from alchemiser_common.embedded.environment_secrets import simulated_secrets
from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.embedded.memory_state import MemoryStateStore
from alchemiser_common.errors import StateCorrupt
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.lambda_events import BatchResponse, Event, sqs_event
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.ports.queue import Delivery, Queue
from alchemiser_common.ports.secrets import Secrets
from alchemiser_common.ports.state import ABSENT, Key, Put, Record, StateStore, load, load_all, put_over
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.parity import Parity
from alchemiser_common.settings import Settings
from alchemiser_common.settings_loading import load_settings
from alchemiser_simulator import SimulatorConfig, SimulatorControl, build
from alchemiser_strategy.bootstrap import enabled_strategies
from deploy.template import mapping
from support.alarms import Alarm, Point, points_of
from support.deployment import environment, stack
from support.faulty_ports import Killed
from support.functions import BUILDS
from support.liar.memory import MemoryArchive, Unheard
from support.liar.transport import Answer, Asked, ToldAdapter
from support.one_trader.combinations import Combination, Crash, Outcome, Sent, Standing
from support.one_trader.phases import (
    TRADING,
    alarms_of,
    errors_of,
    pipeline_of,
    scheduled,
    trader_of,
    watched,
)
from support.trading_rig import ExchangeClock

URL = "https://exchange.test"
DAY = date(2020, 2, 3)
INVOCATION, HANDING_OVER = timedelta(minutes=15), timedelta(seconds=10)
TRIGGERED_AGAIN = (60.0, 180.0)
"""Seconds: AWS's two retries of an asynchronous invocation that failed."""
DELIVERED_AGAIN = tuple(16.0 * 60 * number for number in range(1, 7))
"""A message that failed, by the queue's visibility; after the last it is a dead letter."""
WATCHED = tuple(60.0 * minutes for minutes in range(5, 80, 10))
"""The watch, every ten minutes, until the last look at a cycle's deadline."""


class Memory:
    """What AWS keeps for all functions of a stage, as one process sees it."""

    def __init__(self, stage: "Stage", settings: Settings) -> None:
        self._stage = stage

    def state(self) -> StateStore:
        return Mortal(self._stage)

    def archive(self) -> MemoryArchive:
        return self._stage.archive

    def events(self) -> Unheard:
        return Unheard()

    def secrets(self) -> Secrets:
        return simulated_secrets()

    def market_data_queue(self) -> Queue:
        return self._stage.market_data

    def trade_decision_queue(self) -> Queue:
        return self._stage.decisions


class Mortal:
    """The stage's state as seen by a process that may die at a write."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage

    def get(self, key: Key) -> Record | None:
        return self._stage.state.get(key)

    def list(
        self, partition: str, *, prefix: str = "", limit: int | None = None, descending: bool = False
    ) -> tuple[Record, ...]:
        return self._stage.state.list(partition, prefix=prefix, limit=limit, descending=descending)

    def write(self, *puts: Put) -> None:
        lease = any(item.key.sort == "LEASE" for item in puts)
        if lease:
            self._stage.reached(Crash.BEFORE_LEASE)
        self._stage.state.write(*puts)
        if lease:
            self._stage.reached(Crash.AFTER_LEASE)
        if any(item.key.sort.startswith(keys.INTENT_PREFIX) for item in puts):
            self._stage.reached(Crash.BEFORE_POST)


class Stage:
    """One exchange and one set of stores, begun anew for each combination."""

    def __init__(self) -> None:
        market = open_market(None)
        self.due = decision_time(market.as_session(market.sessions_from(DAY, 1)[0]), Settings().schedule)
        self._simulator = build(SimulatorConfig(history=market.history, start=self.due))
        session = requests.Session()
        session.mount(URL, ToldAdapter(self._simulator, self))
        self.control = SimulatorControl(URL, session=session)
        self.clock = ExchangeClock(self.control, self.due)
        self.state, self.archive = MemoryStateStore(), MemoryArchive()
        self.market_data, self.decisions = self._queue("MarketDataQueue"), self._queue("TradeDecisionQueue")
        self._first = False
        self._dies: Crash | None = None
        self._hands_over = False
        self._handed_over = False
        self._outcome = Outcome()
        self._before: list[Record] = []
        self._snapshots: dict[str, bytes] = {}
        self._decision = ""

    def _queue(self, name: str) -> MemoryQueue:
        return MemoryQueue(name, self.clock, visibility=timedelta(minutes=5))

    # ---------------------------------------------------------------------------------------------- what happens
    def prepare(self) -> None:
        """Both pipelines up to their decision, once: snapshots and decision are the same in every combination."""
        phase = "shadow"
        settings = self.settings(phase, "data", shadow=True)
        settle(self.state, settings.account_alias, enabled_strategies(settings.strategies, {}).universe)
        trigger = {"scheduled_at": self.due.isoformat()}
        self._made(phase, "data")(trigger, lambda: INVOCATION)
        (snapshot,) = self.market_data.receive()
        self._made(phase, "strategy")(sqs_event(snapshot, "arn:aws:sqs:x:0:q.fifo"), lambda: INVOCATION)
        (decision,) = self.decisions.receive()
        self._decision = decision.body
        self._made(phase, "monolith")(trigger, lambda: INVOCATION)
        alias = settings.account_alias
        kept = [Key(keys.run_partition(self.run(pipeline)), keys.DATA_SORT) for pipeline in Pipeline]
        found = [self.state.get(key) for key in (*kept, keys.universe_record(alias))]
        self._before = [item for item in (*found, *self.state.list(keys.runs_partition(alias))) if item is not None]
        assert len(self._before) == 5, self._before
        self._snapshots = {key: self.archive.get(key) or b"" for key in self.archive.keys("snapshots/")}

    def play(self, row: Combination) -> Outcome:
        """A due cycle from its schedule to the last look at its deadline."""
        self._begin(row)
        found, printed = self._outcome, io.StringIO()
        alarms = alarms_of(row.phase)
        made: dict[str, Handle] = {}
        events = sorted(self._events(row), key=lambda event: event.at)
        changed = row.authority is not Standing.CHANGED
        while events:
            event = events.pop(0)
            if not changed and event.at > 0:
                self._take_and_give_back(row.phase)
                changed = True
            self._move_to(event.at)
            first = self._first = event.at == 0
            self._dies = row.crash if first and row.crash is not Crash.NOWHERE else None
            self._hands_over = first and row.authority is Standing.CHANGED and row.crash is Crash.NOWHERE
            self._handed_over = False
            with redirect_stdout(printed):  # one for all: a function that is kept warm prints where it began to
                done = self._invoked(row, event, made, alarms)
            if not done and event.again:
                events.append(
                    _Event(event.begun + event.again[0], event.service, event.event, event.again[1:], event.begun)
                )
                events.sort(key=lambda item: item.at)
            elif not done and event.dead_letters and event.dead_letters in alarms:
                found.points.append(Point(alarms[event.dead_letters].series, self.clock.now(), 1.0))
        lines = (json.loads(line) for line in printed.getvalue().splitlines() if line.startswith("{"))
        found.points += [point for line in lines if "_aws" in line for point in points_of(line)]
        found.alarms = tuple(
            name
            for name, alarm in alarms.items()
            if any(alarm.fires(found.points, point.at + timedelta(minutes=1)) for point in found.points)
        )
        found.verdict, found.completed = self._verdict(), self._completed()
        found.left_open = sum(
            order.status in {"new", "accepted", "partially_filled"} for order in self.control.state().orders
        )
        return found

    def _begin(self, row: Combination) -> None:
        self._outcome = Outcome()
        self.control.reset(start=self.due)
        self.clock.restart(self.due)
        self.state, self.archive = MemoryStateStore(), MemoryArchive()
        for name, body in self._snapshots.items():
            self.archive.put(name, body)
        self.state.write(*(Put(item.key, item.body, ABSENT) for item in self._before))
        key = keys.authority_record(self._alias)
        match row.authority:
            case Standing.NONE:
                return
            case Standing.UNREADABLE:
                self.state.write(Put(key, '{"pipeline": "both"}', ABSENT))
            case Standing.CHANGED:
                self._give(trader_of(row.phase))
            case Standing.MONOLITH | Standing.MODULAR:
                self._give(Pipeline(row.authority.value))

    def _give(self, pipeline: Pipeline) -> None:
        """As a person with the store's own tools: `set_authority` refuses while a run is in progress."""
        key = keys.authority_record(self._alias)
        known = load(self.state, key, Authority)
        epoch = 1 if known is None else known.value.epoch + 1
        given = Authority(pipeline=pipeline, epoch=epoch, set_by="test", reason="test", set_at=self.clock.now())
        self.state.write(put_over(known, key, given))

    def _take_and_give_back(self, phase: str) -> None:
        trader = trader_of(phase)
        self._give(next(pipeline for pipeline in Pipeline if pipeline is not trader))
        self._give(trader)

    def _events(self, row: Combination) -> Iterator["_Event"]:
        trigger = {"scheduled_at": self.due.isoformat()}
        if scheduled(row.phase, Pipeline.MONOLITH):
            yield _Event(0, "monolith", trigger, TRIGGERED_AGAIN, dead_letters="TriggerDeadLettersAlarm")
        if scheduled(row.phase, Pipeline.MODULAR):
            message = Delivery("1", "1", self._decision, self._alias, self.due, 1)
            event = sqs_event(message, "arn:aws:sqs:us-east-1:0:TradeDecisionQueue.fifo")
            yield _Event(0, TRADING, event, DELIVERED_AGAIN, dead_letters="TradeDecisionDeadLettersAlarm")
        for at in WATCHED:
            yield _Event(at, watched(row.phase), {"watch": "overdue"})

    def _invoked(self, row: Combination, event: "_Event", made: dict[str, Handle], alarms: Mapping[str, Alarm]) -> bool:
        """Whether nobody hands it in again; what AWS counts is kept."""
        service = event.service
        try:
            if service not in made:
                made[service] = self._made(row.phase, service, shadow=not row.on[pipeline_of(service)])
            answer = made[service](event.event, self._time_left)
        except Killed:
            del made[service]  # a cold start comes next; what AWS counts of a death is left out, to be strict
        except Exception:  # noqa: BLE001  (whatever it is, AWS counts it)
            self._outcome.points.append(Point(errors_of(service, alarms), self.clock.now(), 1.0))
        else:
            return not (isinstance(answer, BatchResponse) and answer.batchItemFailures)
        return False

    def _move_to(self, seconds: float) -> None:
        moment = self.due + timedelta(seconds=seconds)
        if self.clock.now() < moment:
            self.clock.move_to(moment)

    # ------------------------------------------------------------------------------------------------- processes
    def adapters(self, settings: Settings) -> Memory:
        """In place of `AwsAdapters`."""
        return Memory(self, settings)

    def settings(self, phase: str, service: str, *, shadow: bool) -> Settings:
        """What the template gives the function, with the exchange's address, and its flag as told."""
        return load_settings(self._variables(phase, service, shadow=shadow)).settings

    def _variables(self, phase: str, service: str, *, shadow: bool) -> dict[str, str]:
        own = environment(stack(phase), service)
        flag = {"ALCHEMISER_SHADOW": str(shadow).lower()} if "ALCHEMISER_SHADOW" in own else {}
        return {
            **own,
            **flag,
            "ALCHEMISER_BROKER__TRADING_URL": URL,
            "ALCHEMISER_BROKER__DATA_URL": URL,
            "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl":1.0}',
            # Fewer looks for the same orders.
            "ALCHEMISER_EXECUTION__POLL_SECONDS": "10",
            "ALCHEMISER_EXECUTION__DRY_WALK_SECONDS": "30",
        }

    def _made(self, phase: str, service: str, *, shadow: bool = True) -> Handle:
        """The function as its own composition root makes it."""
        variables = self._variables(phase, service, shadow=shadow)
        return BUILDS[service](load_settings(variables).settings, variables)

    def _time_left(self) -> timedelta:
        return HANDING_OVER if self._handed_over else INVOCATION

    def reached(self, point: Crash) -> None:
        """The process at work has come there; it may be its end."""
        if self._first:
            self._outcome.come_to |= {point}
        if self._dies is point:
            self._dies = None
            raise Killed

    def mount(self, reader: AlpacaReader) -> None:
        """Every client of every function asks this exchange."""
        for client in (reader._trading, *reader._market_data.clients):
            client._session.mount(URL, ToldAdapter(self._simulator, self))

    def tell(self, asked: Asked, ask: Callable[[Asked], Answer]) -> Answer:
        """The exchange's answer; of an order is noted whose it is, and what the record of authority says just then."""
        order = asked.method == "POST" and asked.path == "/v2/orders"
        if order:
            self._outcome.sent.append(self._sent(str(mapping(asked.json, "order")["client_order_id"])))
        answer = ask(asked)
        if order:
            self._handed_over = self._hands_over
            self.reached(Crash.AFTER_POST)
        return answer

    # --------------------------------------------------------------------------------------------- what is on record
    @property
    def _alias(self) -> str:
        return environment(stack("shadow"), "monolith")["ALCHEMISER_ACCOUNT_ALIAS"]

    def run(self, pipeline: Pipeline) -> UUID:
        """Id of the pipeline's run."""
        return run_id(cycle_id(self._alias, self.due), pipeline)

    def _sent(self, client_order_id: str) -> Sent:
        for pipeline in Pipeline:
            partition = keys.run_partition(self.run(pipeline))
            for intent in load_all(self.state, partition, Intent, prefix=keys.INTENT_PREFIX):
                if intent.value.client_order_id == client_order_id:
                    return Sent(pipeline, self._may(pipeline, intent.value.authority_epoch))
        return Sent(None, authorised=False)

    def _may(self, pipeline: Pipeline, epoch: int) -> bool:
        try:
            known = load(self.state, keys.authority_record(self._alias), Authority)
        except StateCorrupt:
            return False
        return known is not None and (known.value.pipeline, known.value.epoch) == (pipeline, epoch)

    def _verdict(self) -> str:
        found = load(self.state, keys.parity_record(self.run(Pipeline.MODULAR)), Parity)
        return "" if found is None else found.value.verdict.value

    def _completed(self) -> bool:
        reports = (load(self.state, keys.report_record(self.run(pipeline)), ExecutionReport) for pipeline in Pipeline)
        return any(report is not None and report.value.status.value == "completed" for report in reports)


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that calls a function, seconds after the scheduled time; and when it calls again if that fails."""

    at: float
    service: str
    event: Event
    again: tuple[float, ...] = ()
    begun: float = 0.0
    dead_letters: str = ""
    """The alarm on what is given up."""


@contextmanager
def staged(patch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage on which every function that is composed here works."""
    stage = Stage()
    for module in (
        alchemiser_data.bootstrap,
        alchemiser_strategy.bootstrap,
        alchemiser_trading.bootstrap,
        alchemiser_monolith.bootstrap,
    ):
        patch.setattr(module, "AwsAdapters", stage.adapters)
        patch.setattr(module, "open_clock", lambda _: stage.clock)
    plain = AlpacaReader.__init__

    def mounted(reader: AlpacaReader, *args: Any, **kwargs: Any) -> None:
        plain(reader, *args, **kwargs)
        stage.mount(reader)

    patch.setattr(AlpacaReader, "__init__", mounted)
    with redirect_stdout(io.StringIO()):
        stage.prepare()
    yield stage
