"""The whole line on the simulated exchange, in one process, at a session's decision time; what a run left, and what the
functions counted of it.
"""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from alchemiser_cli.cycles import Cycle, cycle_at, ensure_authority, on_exchange
from alchemiser_cli.simulated import embedded_exchange, open_market
from alchemiser_cli.stored_runs import read_detail, read_run
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline
from alchemiser_common.metrics import Metrics
from alchemiser_common.settings import Settings
from alchemiser_data.handler import DataFunction
from alchemiser_monolith.bootstrap import data_service, decision_service, monolith, portfolio
from alchemiser_monolith.handler import HandedOver, MonolithFunction
from alchemiser_monolith.local_pipeline import DeliveryResult, LocalPipeline
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.service import StrategyService
from alchemiser_trading.handler import TradingFunction
from support.alarms import points_of, read_alarms
from support.deployment import stack

DAY = date(2020, 2, 3)
TECL_ONLY: Mapping[str, object] = {"strategies": {"allocations": {"tecl": 1.0}}}


@contextmanager
def exchange_at(
    folder: Path, day: date = DAY, *, late: timedelta = timedelta(0), changes: Mapping[str, object] | None = None
) -> Iterator[tuple[Platform, Cycle]]:
    """A platform whose exchange stands at the session's decision time, and that session's cycle."""
    settings = Settings.model_validate({"home": folder, **(changes or {})})
    market = open_market(None)
    with embedded_exchange(market, start=day, state=None) as exchange:
        due = decision_time(market.as_session(market.sessions_from(day, 1)[0]), settings.schedule)
        exchange.clock.move_to(due + late)
        platform = on_exchange(settings, {}, exchange)
        ensure_authority(settings, platform.state, platform.clock.now())
        yield platform, cycle_at(settings, due)


def ended(platform: Platform, cycle: Cycle) -> RunDetail:
    summary = read_run(platform.state, cycle.run_id)
    assert summary is not None
    return read_detail(platform.state, platform.archive, summary)


QUARTER_HOUR = timedelta(minutes=15)


class Counted:
    """The pipeline's functions with what they count, which the alarms of its phase are asked about."""

    def __init__(self) -> None:
        self._lines = io.StringIO()

    def run(self, platform: Platform, cycle: Cycle) -> DeliveryResult:
        """One trigger of the cycle, through the handlers of the platform's pipeline."""
        metrics, trading = self._counting(platform)
        manager = portfolio(platform)
        if platform.settings.pipeline is Pipeline.MODULAR:
            return LocalPipeline(
                DataFunction(data_service(platform, manager, Pipeline.MODULAR), platform.market_data_queue, metrics),
                StrategyFunction(StrategyService(manager, platform.clock), platform.trade_decision_queue),
                trading,
                market_data_queue=platform.market_data_queue,
                trade_decision_queue=platform.trade_decision_queue,
                archive=platform.archive,
                clock=platform.clock,
            ).run(cycle.trigger)
        function, event = MonolithFunction(monolith(platform), trading, metrics), cycle.trigger.model_dump(mode="json")
        while True:  # as Lambda invokes it, and the watch again
            ends = platform.clock.now() + QUARTER_HOUR
            if not isinstance(function.handle(event, lambda: ends - platform.clock.now()), HandedOver):  # noqa: B023
                return DeliveryResult(1, ())

    def watch(self, platform: Platform) -> None:
        """The watch's event to whoever trades."""
        _, trading = self._counting(platform)
        trading.handle({"watch": "overdue"}, lambda: QUARTER_HOUR)

    def alarms(self, phase: str) -> set[str]:
        """Those of the phase that have fired on what was counted; absence for 26 hours is not among them."""
        points = [point for line in self._lines.getvalue().splitlines() for point in points_of(json.loads(line))]
        asked = [alarm for alarm in read_alarms(stack(phase)).values() if alarm.missing != "breaching"]
        moments = {point.at + timedelta(seconds=1) for point in points}
        fired = {alarm.name for alarm in asked if any(alarm.fires(points, moment) for moment in moments)}
        return {name.removeprefix("alchemiser-dev-") for name in fired}

    def _counting(self, platform: Platform) -> tuple[Metrics, TradingFunction]:
        metrics = Metrics("dev", platform.clock, self._lines)
        return metrics, TradingFunction(decision_service(platform), metrics)
