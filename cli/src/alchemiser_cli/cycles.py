"""Cycles run from the command line: the platform that settings name, its due cycle, and the pipeline that runs it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from alchemiser_cli.console import note
from alchemiser_cli.exchanges import (
    begun_with,
    exchange_file,
    has_own_exchange,
    named_clock,
    remember_data,
    require_begun,
    require_history,
)
from alchemiser_cli.simulated import Exchange, Market, embedded_exchange, open_market
from alchemiser_common.decision_time import decision_time
from alchemiser_common.errors import InvalidSettings, OutOfTime, StoreUnavailable
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Environment, ScheduleSettings, Settings
from alchemiser_common.telemetry import log_to, stop_logging
from alchemiser_monolith.bootstrap import local_pipeline, monolith
from alchemiser_monolith.local_pipeline import DeliveryResult
from alchemiser_monolith.monolith import Monolith
from alchemiser_monolith.platform import Platform, open_platform
from alchemiser_trading.account.authority import read_authority, set_authority

_MONOLITH_TIME = timedelta(minutes=15)
"""What one Lambda invocation has."""

type Prepare = Callable[[Market, Exchange], None]

type RunCycle = Callable[[Cycle, int], DeliveryResult]
"""Runs a cycle, delivering each of its messages that many times."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle to run, and the run it makes."""

    trigger: CycleTrigger
    run_id: UUID


@contextmanager
def logged(home: Path) -> Iterator[None]:
    """Log JSON lines into the home while inside. Raises StoreUnavailable if the home cannot be written."""
    try:
        handler = log_to(home / "log.jsonl", service="alchemiser")
    except OSError as error:
        raise StoreUnavailable(
            f"home {home} cannot be written: {error.strerror}; choose another with ALCHEMISER_HOME"
        ) from error
    try:
        yield
    finally:
        stop_logging(handler)


def on_exchange(settings: Settings, variables: Mapping[str, str], exchange: Exchange) -> Platform:
    """The platform of a simulated environment."""
    broker = settings.broker.model_copy(update={"trading_url": exchange.url, "data_url": exchange.url})
    return open_platform(settings.model_copy(update={"broker": broker}), variables, exchange.clock)


@contextmanager
def connected(
    settings: Settings,
    variables: Mapping[str, str],
    *,
    data: Path | None = None,
    start: date | None = None,
    prepare: Prepare | None = None,
) -> Iterator[Platform]:
    """The platform that the settings name; one with a home's own exchange brings it up, begun by the first.

    `variables` may hold the broker's key. `data`, by default what the exchange was begun with, `start` and `prepare`,
    which is called before anything else, are for that exchange.
    Raises MissingSecret, InvalidSettings, BrokerUnavailable.
    """
    if not has_own_exchange(settings):
        with _on_named(settings, variables) as platform:
            yield platform
        return
    prices = data if data is not None else begun_with(settings.home)
    market = open_market(prices, settings.home)
    require_begun(settings)
    state = exchange_file(settings.home)
    if market.notice and not state.exists():
        note(market.notice)
    with embedded_exchange(market, start=start or market.default_start, state=state) as exchange:
        require_history(settings, exchange)
        remember_data(settings.home, prices)
        if prepare is not None:
            prepare(market, exchange)
        yield on_exchange(settings, variables, exchange)


@contextmanager
def attached(settings: Settings, variables: Mapping[str, str], *, data: Path | None = None) -> Iterator[Platform]:
    """The same for who only looks at what was traded: no exchange is begun and no time is moved.

    `data` is where the prices are now that the home's own exchange was begun with. Raises as `connected`, and
    InvalidSettings where none was begun.
    """
    if has_own_exchange(settings) and not exchange_file(settings.home).is_file():
        require_begun(settings)
        raise InvalidSettings(f"no exchange was begun in home {settings.home.resolve()}: `alchemiser run` does that")
    with connected(settings, variables, data=data) as platform:
        yield platform


@contextmanager
def _on_named(settings: Settings, variables: Mapping[str, str]) -> Iterator[Platform]:
    with named_clock(settings) as clock:
        yield open_platform(settings, variables, clock)


def due_cycle(platform: Platform, *, at_once: bool = False) -> Cycle:
    """The cycle of the session that the clock is in; on a day without session one that the data service will skip.

    `at_once` schedules it for the present minute instead of the schedule's time.
    """
    now = platform.clock.now()
    session = platform.broker.session_on(now.astimezone(EXCHANGE_ZONE).date())
    scheduled = now.replace(second=0, microsecond=0)
    if session is not None and not at_once:
        scheduled = decision_time(session, platform.settings.schedule)
    return cycle_at(platform.settings, scheduled)


def cycle_at(settings: Settings, scheduled: datetime) -> Cycle:
    """The cycle of a scheduled time."""
    run = run_id(cycle_id(settings.account_alias, scheduled), settings.pipeline)
    return Cycle(CycleTrigger(scheduled_at=scheduled), run)


def cycle_runner(platform: Platform) -> RunCycle:
    """How to run cycles through the pipeline that the settings name. Running raises TransientError."""
    if platform.settings.pipeline is Pipeline.MODULAR:
        pipeline = local_pipeline(platform)
        return lambda cycle, deliveries: pipeline.run(cycle.trigger, deliveries=deliveries)
    whole = monolith(platform)

    def run(cycle: Cycle, deliveries: int) -> DeliveryResult:
        for _ in range(deliveries):
            _to_its_end(whole, cycle, platform.clock)
        return DeliveryResult(deliveries, ())

    return run


def _to_its_end(whole: Monolith, cycle: Cycle, clock: Clock) -> None:
    """Invocations as Lambda's, one after the other; a run hands over until its deadline at most."""
    while True:
        with suppress(OutOfTime):
            whole.run(cycle.trigger, time_left=partial(_until, clock, clock.now() + _MONOLITH_TIME))
            return


def _until(clock: Clock, ends: datetime) -> timedelta:
    return ends - clock.now()


def ensure_authority(settings: Settings, state: StateStore, now: datetime) -> None:
    """Give a fresh simulated or paper home's account to the configured pipeline; live is given by hand only.

    A shadow gets nothing: it only plans.
    """
    if settings.shadow or settings.environment is Environment.LIVE:
        return
    if read_authority(state, settings.account_alias) is not None:
        return
    set_authority(
        state,
        settings.account_alias,
        settings.pipeline,
        who="alchemiser run",
        reason=f"first run of a {settings.environment.value} account in this home",
        now=now,
    )


def schedule_now(settings: Settings) -> ScheduleSettings:
    """A decision window that is the whole session: for runs on demand.

    Raises InvalidSettings in a live environment, where only the schedule decides.
    """
    if settings.environment is Environment.LIVE:
        raise InvalidSettings("--now is refused in a live environment: only the schedule decides there")
    return settings.schedule.model_copy(update={"anchor": "open", "offset_minutes": 0, "window_minutes": 390})
