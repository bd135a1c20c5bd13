"""Write the captured cases of tests/fixtures again: ``python -m support.write_cases [NAME…]``, after a change that is
meant to change what a stage gives. Each is one cycle on the bundled market, captured by the command.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from alchemiser_cli.cycles import Cycle, cycle_at, cycle_runner, ensure_authority, on_exchange
from alchemiser_cli.simulated import Exchange, Market, embedded_exchange, open_market
from alchemiser_cli.stored_runs import ended_run
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Settings, StrategySettings
from alchemiser_common.settings_files import read_settings
from alchemiser_monolith.bootstrap import decision_service
from alchemiser_simulator.control.faults import PartialFills, When
from alchemiser_simulator.market.changes import SkippedBars
from alchemiser_strategy.registry import built_in_strategies
from alchemiser_trading.account.trading_state import set_trading_state
from support.cases import FOLDER
from support.command import alchemiser

BRANCHES = {name: 0.25 for name in built_in_strategies() if name != "klm-ensemble"}
ENSEMBLE = {"klm-ensemble": 1.0}
TECL = {"tecl": 1.0}
SHIPPED = StrategySettings().allocations
"""Of whoever sets nothing: deploy/events are of this case."""
TECL_READS = tuple(built_in_strategies()["tecl"]().universe)


@dataclass(frozen=True)
class Scene:
    """One cycle, and what is done before it. `before` are sessions that are run first, in the same home."""

    name: str
    day: date
    allocations: Mapping[str, float] = field(default_factory=lambda: BRANCHES)
    before: Sequence[date] = ()
    prepare: Callable[[Exchange], None] = lambda _: None
    variables: Mapping[str, str] = field(default_factory=dict)
    halted: bool = False
    beside: Mapping[str, float] | None = None
    """Allocations of the modular pipeline, if it runs beside the monolith as a shadow; its run is captured, too."""


def _partial_fills(exchange: Exchange) -> None:
    exchange.control.add_fault(
        PartialFills(match=When(method="POST"), fraction=Decimal("0.3"), max_fills=1, then="cancel")
    )


def _holding_before_the_split(exchange: Exchange) -> None:
    exchange.control.set_holding("SOXL", Decimal(100))


def _without_bars(*symbols: str, day: date) -> Callable[[Exchange], None]:
    """The feed has lost the day's bars of these symbols."""

    def prepare(exchange: Exchange) -> None:
        for symbol in symbols:
            exchange.control.change_market(SkippedBars(symbol=symbol, days=(day,)))

    return prepare


SCENES = (
    Scene("as-shipped", date(2020, 6, 3), SHIPPED),
    Scene("calm-bull", date(2017, 10, 19)),
    Scene("after-a-split", date(2018, 6, 12)),
    Scene("thin-dip", date(2018, 10, 10)),
    Scene("deep-dip", date(2018, 10, 29)),
    Scene("volatility-gate", date(2020, 2, 27)),
    Scene("crash", date(2020, 3, 16), before=(date(2020, 3, 13),)),
    Scene("crash-bonds-firm", date(2020, 3, 27)),
    Scene("crash-bonds-weak", date(2020, 4, 2)),
    Scene("crash-after-fall", date(2020, 4, 6)),
    Scene("bear-no-trend", date(2020, 5, 8)),
    Scene("overbought", date(2020, 8, 31)),
    Scene("dip-in-technology", date(2021, 3, 5)),
    Scene("dip-in-semiconductors", date(2020, 2, 25), {"klm": 1.0}),
    Scene("ensemble-bull", date(2017, 10, 19), ENSEMBLE),
    Scene("ensemble-crash", date(2020, 3, 16), ENSEMBLE),
    Scene("early-close", date(2020, 11, 27), TECL, before=(date(2020, 11, 25),)),
    Scene("split-day", date(2018, 6, 11), {"klm": 1.0}, prepare=_holding_before_the_split),
    Scene("partial-fills", date(2020, 2, 3), TECL, prepare=_partial_fills),
    Scene("holiday", date(2020, 2, 17), TECL),
    Scene("halted", date(2020, 2, 4), TECL, before=(date(2020, 2, 3),), halted=True),
    Scene("bars-rejected", date(2020, 2, 3), TECL, prepare=_without_bars(*TECL_READS, day=date(2020, 1, 15))),
    Scene("gap-carried", date(2020, 2, 3), TECL, prepare=_without_bars("XLK", day=date(2020, 1, 15))),
    Scene("unknown-aborts", date(2020, 2, 3), TECL, prepare=_without_bars("XLK", day=date(2020, 1, 31))),
    Scene("provisional-bar", date(2020, 2, 3), TECL, variables={"ALCHEMISER_DATA__BAR_POLICY": "provisional"}),
    Scene("shadow-mismatch", date(2020, 4, 3), {"tecl": 0.6, "klm": 0.4}, beside={"tecl": 0.4, "klm": 0.6}),
)


def main(names: Sequence[str]) -> None:
    market = open_market(None)
    for scene in SCENES:
        if not names or scene.name in names:
            for case in write(scene, market):
                sys.stdout.write(f"{case.name}: {sum(file.stat().st_size for file in case.iterdir()):,} bytes\n")


def write(scene: Scene, market: Market) -> list[Path]:
    """Run the scene and capture it below the fixtures; returns the folders."""
    with tempfile.TemporaryDirectory() as place:
        folder, whole = Path(place), scene.beside is not None
        settings = _settings(scene, scene.allocations, folder, Pipeline.MONOLITH if whole else Pipeline.MODULAR)
        first = min([*scene.before, scene.day]) - timedelta(days=4 if scene.name == "split-day" else 0)
        with embedded_exchange(market, start=first, state=None) as exchange:
            scene.prepare(exchange)
            cycles = [_run(settings, exchange, market, day) for day in scene.before]
            if scene.halted:
                platform = on_exchange(settings, {}, exchange)
                alias, now = settings.account_alias, exchange.clock.now()
                set_trading_state(platform.state, alias, TradingState.HALTED, who="Ann", reason="a look", now=now)
            beside = None
            if scene.beside is not None:  # first: what it reads is not changed yet by the pipeline that trades
                shadow = _settings(scene, scene.beside, folder, Pipeline.MODULAR, shadow=True)
                beside = _run(shadow, exchange, market, scene.day)
            cycles.append(_run(settings, exchange, market, scene.day))
            if beside is not None and scene.beside is not None:
                _judge(settings, exchange, cycles[-1])
                return [
                    _capture(f"{scene.name}-monolith", cycles[-1], scene.allocations, scene, folder),
                    _capture(f"{scene.name}-modular", beside, scene.beside, scene, folder),
                ]
        return [_capture(scene.name, cycles[-1], scene.allocations, scene, folder)]


def _variables(scene: Scene, allocations: Mapping[str, float]) -> dict[str, str]:
    return {"ALCHEMISER_STRATEGIES__ALLOCATIONS": json.dumps(allocations), **scene.variables}


def _settings(
    scene: Scene, allocations: Mapping[str, float], folder: Path, pipeline: Pipeline, *, shadow: bool = False
) -> Settings:
    changes: dict[str, object] = {"home": folder / ".alchemiser", "pipeline": pipeline, "shadow": shadow}
    if shadow:
        changes["execution"] = {"dry_walk_seconds": 0.0}  # it would take time of the exchange that both share
    return read_settings(_variables(scene, allocations), folder, changes).settings


def _run(settings: Settings, exchange: Exchange, market: Market, day: date) -> Cycle:
    """The day's cycle; of a day without session one at the usual time."""
    session = next((session for session in market.calendar.sessions if session.day == day), None)
    usual = datetime.combine(day, time(14, 45), UTC)
    due = usual if session is None else decision_time(market.as_session(session), settings.schedule)
    exchange.clock.move_to(due)
    platform = on_exchange(settings, {}, exchange)
    ensure_authority(settings, platform.state, platform.clock.now())
    cycle = cycle_at(settings, due)
    cycle_runner(platform)(cycle, 1)
    return cycle


def _judge(settings: Settings, exchange: Exchange, cycle: Cycle) -> None:
    """As the function does when a run ends, whose side is the second one."""
    platform = on_exchange(settings, {}, exchange)
    report = ended_run(platform.state, cycle.run_id).report
    if report is None or decision_service(platform).parity(report) is None:
        raise SystemExit(f"cycle of {cycle.trigger.scheduled_at} got no verdict")


def _capture(name: str, cycle: Cycle, allocations: Mapping[str, float], scene: Scene, folder: Path) -> Path:
    target = FOLDER / name
    shutil.rmtree(target, ignore_errors=True)
    run, variables = str(cycle.run_id), _variables(scene, allocations)
    result = alchemiser(folder, "capture", run, "--out", str(target), extra=variables)
    if result.code != 0:
        raise SystemExit(f"{name}: {result.err}")
    return target


if __name__ == "__main__":
    main(sys.argv[1:])
