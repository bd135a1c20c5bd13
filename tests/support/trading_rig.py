"""A trading service on a real simulated exchange, through the real Alpaca adapter and real stores."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from pydantic import SecretStr

from alchemiser_common import keys
from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.alpaca.session import RequestPolicy
from alchemiser_common.embedded.archived_events import ArchivedEvents
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.decision import (
    Explanation,
    Signal,
    SignalStatus,
    StrategyShare,
    Target,
    TradeDecision,
)
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.snapshot import BarPolicy, TargetWeight
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import Broker
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.ports.state import ABSENT, StateStore, put
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import ExecutionSettings, Settings, TradingSettings
from alchemiser_simulator import PriceHistory, SimulatorConfig, SimulatorControl, SimulatorServer
from alchemiser_simulator.control.models import MarketState, OrderState
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.bootstrap import Connection, trading_service
from alchemiser_trading.service import DecisionService

DAY = date(2020, 6, 3)
SCHEDULED = datetime(2020, 6, 3, 13, 45, tzinfo=UTC)
QUARTER_HOUR = timedelta(minutes=15)


def sessions(first: date, last: date) -> tuple[date, ...]:
    """Weekdays of a spring and summer without holidays."""
    days, day = [], first
    while day <= last:
        if day.weekday() < 5 and day != date(2020, 5, 25):
            days.append(day)
        day += timedelta(days=1)
    return tuple(days)


def quiet_market(prices: Mapping[str, float], days: tuple[date, ...] = ()) -> PriceHistory:
    """Every symbol at one price, day after day: quotes that do not move, a spread of a cent or a little more."""
    dates = days or sessions(date(2020, 5, 18), date(2020, 6, 12))
    closes = np.tile(np.array(list(prices.values())), (len(dates), 1))
    volume = np.full_like(closes, 50_000_000.0)
    return PriceHistory(
        dates=dates,
        symbols=tuple(prices),
        close=closes.copy(),
        given_open=closes.copy(),
        given_high=closes.copy(),
        given_low=closes.copy(),
        given_volume=volume,
        source="quiet",
    )


class ExchangeClock:
    """The exchange's time, known here without asking since only this clock moves it. `skew` sets it wrong."""

    def __init__(self, control: SimulatorControl, now: datetime) -> None:
        self._control = control
        self._now = now
        self.skew = timedelta(0)

    def restart(self, now: datetime) -> None:
        """The exchange was started over at that moment."""
        self._now = now

    def now(self) -> datetime:
        return self._now + self.skew

    def sleep(self, seconds: float) -> None:
        self._now = self._control.advance(seconds).now

    def move_to(self, moment: datetime) -> None:
        self._now = self._control.set_now(moment).now


@dataclass
class Rig:
    """What a test works with."""

    control: SimulatorControl
    clock: ExchangeClock
    broker: AlpacaBroker
    state: StateStore
    archive: DirectoryArchive
    settings: Settings
    control_url: str = ""
    """Where the exchange answers."""

    def service(
        self,
        *,
        broker: Broker | None = None,
        state: StateStore | None = None,
        archive: Archive | None = None,
        events: EventBus | None = None,
        settings: Settings | None = None,
        worker: str = "bench",
        clock: Clock | None = None,
    ) -> DecisionService:
        chosen = settings or self.settings
        trader = broker or self.broker
        return trading_service(
            Connection(trader, None if chosen.shadow else trader),
            state=state or self.state,
            archive=archive or self.archive,
            events=events or ArchivedEvents(archive or self.archive),
            clock=clock or self.clock,
            settings=chosen,
            worker=worker,
        )

    def trade(self, decision: TradeDecision, **parts: object) -> ExecutionReport:
        """One delivery with plenty of time."""
        return self.service(**parts).execute(decision, time_left=lambda: QUARTER_HOUR)  # type: ignore[arg-type]

    def decision(
        self,
        weights: Mapping[str, float],
        *,
        pipeline: Pipeline = Pipeline.MODULAR,
        scheduled: datetime = SCHEDULED,
        recorded: bool = True,
        **changes: object,
    ) -> TradeDecision:
        """A decision of one strategy, and the data service's record of the snapshot behind it."""
        cycle = cycle_id(self.settings.account_alias, scheduled)
        decision = TradeDecision(
            run_id=run_id(cycle, pipeline),
            cycle_id=cycle,
            pipeline=pipeline,
            account_alias=self.settings.account_alias,
            account_id=self.broker.account().account_id,
            snapshot_hash="5" * 64,
            session=scheduled.date(),
            as_of=scheduled.date() - timedelta(days=1),
            bar_policy=BarPolicy.COMPLETED,
            not_after=scheduled + timedelta(hours=1),
            targets=tuple(
                Target(symbol=symbol, weight=weight, shares=(StrategyShare(strategy="only", weight=weight),))
                for symbol, weight in weights.items()
            ),
            signals=(
                Signal(
                    strategy="only",
                    allocation=1.0,
                    status=SignalStatus.TARGET,
                    weights=tuple(TargetWeight(symbol=symbol, weight=weight) for symbol, weight in weights.items()),
                    explanation=Explanation(summary="as the test says"),
                ),
            ),
        ).model_copy(update=changes)
        key = keys.data_record(decision.run_id)
        if recorded and self.state.get(key) is None:
            record = RunRecord(
                run_id=decision.run_id,
                cycle_id=decision.cycle_id,
                pipeline=pipeline,
                account_alias=self.settings.account_alias,
                scheduled_at=scheduled,
                status=RunStatus.PUBLISHED,
                updated_at=scheduled,
                snapshot_hash=decision.snapshot_hash,
            )
            self.state.write(put(key, record, ABSENT))
        return decision

    def truth(self) -> MarketState:
        """What the exchange has booked, whatever its API says."""
        return self.control.state()

    def orders(self) -> list[OrderState]:
        """Every order that ever reached the exchange."""
        return self.truth().orders

    def held(self) -> dict[str, Decimal]:
        return {holding.symbol: holding.qty for holding in self.truth().holdings}

    def traded(self) -> dict[tuple[str, str], Decimal]:
        """Shares filled by symbol and side."""
        filled: dict[tuple[str, str], Decimal] = {}
        for order in self.orders():
            if order.filled_qty > 0:
                key = (order.symbol, order.side)
                filled[key] = filled.get(key, Decimal(0)) + order.filled_qty
        return filled


def rig_settings(**execution: object) -> Settings:
    """The defaults, on the alias of the tests."""
    return Settings(
        account_alias="bench",
        execution=ExecutionSettings.model_validate(execution),
        trading=TradingSettings(),
    )


@contextmanager
def exchange(
    history: PriceHistory, folder: Path, *, settings: Settings | None = None, **config: object
) -> Iterator[Rig]:
    """A rig at the scheduled moment, with authority for the modular pipeline."""
    start = config.pop("start", SCHEDULED)
    assert isinstance(start, datetime)
    configured = SimulatorConfig(history=history, start=start, **config)  # type: ignore[arg-type]
    with SimulatorServer(configured) as server, SimulatorControl(server.url) as control:
        clock = ExchangeClock(control, control.clock().now)
        broker = AlpacaBroker(
            BrokerCredentials(key_id=SecretStr("PKTEST"), secret_key=SecretStr("test")),
            clock,
            random.Random(7),
            paper=True,
            trading_url=server.url,
            data_url=server.url,
            policy=RequestPolicy(connect_timeout=2.0, read_timeout=2.0, read_attempts=2),
        )
        state = SqliteStateStore(folder / "state.sqlite")
        chosen = settings or rig_settings()
        set_authority(
            state, chosen.account_alias, Pipeline.MODULAR, who="test", reason="the test's start", now=clock.now()
        )
        yield Rig(control, clock, broker, state, DirectoryArchive(folder / "archive"), chosen, server.url)
