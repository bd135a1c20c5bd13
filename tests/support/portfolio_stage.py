"""One stage of a portfolio's cycle in a process of its own, as a function runs it: what it took, by part.

python -m support.portfolio_stage data|strategy|trading|monolith FOLDER     (FOLDER holds `Scene`, see there)
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

_ENDS = timedelta(minutes=15)
_BORN = time.perf_counter()


@dataclass(frozen=True, slots=True)
class Scene:
    """What a stage's process needs to know. Stages leave what the next one needs in the same folder."""

    settings: str
    """As JSON, the broker's URLs in it."""
    exchange: str
    """URL of the simulator."""
    scheduled_at: str
    universe: dict[str, int]

    def write(self, folder: Path) -> None:
        """For the stages of this cycle."""
        (folder / "scene.json").write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """As `write` left it."""
        return cls(**json.loads((folder / "scene.json").read_text("utf-8")))


class Watch:
    """Seconds by part, in order."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    def timed[R](self, name: str, work: Callable[[], R]) -> R:
        """Do it and note what it took."""
        began = time.perf_counter()
        result = work()
        self.parts[name] = time.perf_counter() - began
        return result


def main(stage: str, folder: Path) -> None:
    """Run one stage and write `STAGE.json` with its seconds by part."""
    scene, watch = Scene.read(folder), Watch()
    {"data": _data, "strategy": _strategy, "trading": _trading, "monolith": _monolith}[stage](scene, watch, folder)
    watch.parts["all"] = time.perf_counter() - _BORN
    (folder / f"{stage}.json").write_text(json.dumps(watch.parts), "utf-8")


def _data(scene: Scene, watch: Watch, folder: Path) -> None:
    platform = watch.timed("start", lambda: _platform(scene))
    from alchemiser_common.ids import Pipeline
    from alchemiser_common.messages.trigger import CycleTrigger
    from alchemiser_common.records.universe import Universe
    from alchemiser_data.provider import UnifiedDataProvider
    from alchemiser_data.service import DataService

    universe = Universe.of(scene.universe)
    settings = platform.settings
    provider = UnifiedDataProvider(platform.broker, platform.clock, lambda: universe, settings.data, platform.archive)
    service = DataService(provider, platform.state, platform.archive, platform.clock, settings, Pipeline.MODULAR)
    trigger = CycleTrigger(scheduled_at=datetime.fromisoformat(scene.scheduled_at))
    outcome = watch.timed("read, check, archive", lambda: service.run(trigger))
    assert outcome.archived is not None, outcome.record.reason
    (folder / "snapshot.json").write_bytes(outcome.archived.body)
    (folder / "message.json").write_text(outcome.archived.message(), "utf-8")


def _strategy(scene: Scene, watch: Watch, folder: Path) -> None:
    from alchemiser_common.messages.report import StageFailure
    from alchemiser_common.messages.snapshot import MarketSnapshot
    from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode, encode
    from alchemiser_common.ports.clock import SystemClock
    from alchemiser_common.settings import Settings
    from alchemiser_strategy.bootstrap import enabled_strategies
    from alchemiser_strategy.service import StrategyService

    watch.parts["start"] = time.perf_counter() - _BORN
    settings = Settings.model_validate_json(scene.settings)
    manager = watch.timed("load strategies", lambda: enabled_strategies(settings.strategies, {}))
    body = (folder / "snapshot.json").read_bytes()
    snapshot = watch.timed("decode", lambda: decode(body, MarketSnapshot, limit=ARCHIVED_LIMIT))
    answer = watch.timed("decide", lambda: StrategyService(manager, SystemClock()).answer(snapshot))
    assert not isinstance(answer, StageFailure), answer
    (folder / "decision.json").write_text(watch.timed("encode", lambda: encode(answer)), "utf-8")


def _trading(scene: Scene, watch: Watch, folder: Path) -> None:
    platform = watch.timed("start", lambda: _platform(scene))
    from alchemiser_common.messages.decision import TradeDecision
    from alchemiser_common.messages.wire import decode
    from alchemiser_monolith.bootstrap import decision_service

    decision = decode((folder / "decision.json").read_bytes(), TradeDecision)
    service, ends = decision_service(platform), platform.clock.now() + _ENDS
    report = watch.timed("trade", lambda: service.execute(decision, time_left=lambda: ends - platform.clock.now()))
    (folder / "report.txt").write_text(f"{report.status.value} {report.reason}", "utf-8")


def _monolith(scene: Scene, watch: Watch, folder: Path) -> None:
    platform = watch.timed("start", lambda: _platform(scene))
    from alchemiser_common.messages.trigger import CycleTrigger
    from alchemiser_monolith.bootstrap import monolith

    whole = watch.timed("load strategies", lambda: monolith(platform))
    trigger = CycleTrigger(scheduled_at=datetime.fromisoformat(scene.scheduled_at))
    ends = platform.clock.now() + _ENDS
    report = watch.timed(
        "read, decide, trade", lambda: whole.run(trigger, time_left=lambda: ends - platform.clock.now())
    )
    (folder / "report.txt").write_text(f"{report.status.value} {report.reason}", "utf-8")


def _platform(scene: Scene):  # type: ignore[no-untyped-def]
    from alchemiser_cli.simulated import SimulatedClock
    from alchemiser_common.settings import Settings
    from alchemiser_monolith.platform import open_platform
    from alchemiser_simulator import SimulatorControl

    settings = Settings.model_validate_json(scene.settings)
    return open_platform(settings, {}, SimulatedClock(SimulatorControl(scene.exchange)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
