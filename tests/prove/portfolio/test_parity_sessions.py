"""Parity over five hundred real sessions: two pipelines that read minutes apart, on provisional bars.

Honest: they differ, and only in their data. Then one bar in a hundred is disturbed for one of them: every difference is
the data's. Then one threshold of one strategy is another: every session is told as code, with the condition where it
decided. What is judged is judged by the functions that judge a stage's cycles; plans, which take a whole run, are one
plan on both sides.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import numpy as np
import pytest

from alchemiser_cli.cycles import on_exchange
from alchemiser_cli.simulated import embedded_exchange, open_market
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.records.parity import Cause, Verdict
from alchemiser_common.records.universe import Universe
from alchemiser_common.settings import Settings
from alchemiser_data.decision_window import DecisionWindow, decision_window
from alchemiser_data.provider import UnifiedDataProvider
from alchemiser_monolith.bootstrap import portfolio
from alchemiser_monolith.snapshot_differences import input_differences
from alchemiser_strategy.manager import Allocated, MultiStrategyManager
from alchemiser_strategy.parsers import parse_symphony, to_symphony
from alchemiser_strategy.strategies.tecl import tecl
from alchemiser_strategy.strategy import TreeStrategy
from alchemiser_trading.runs.parity.sides import PipelineRun
from alchemiser_trading.runs.parity.verdicts import Found, on_equal_inputs, on_unequal_inputs
from support.messages import make_report
from support.plans import planned
from support.price_files import real_tidy

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("ALCHEMISER_MARKET_DATA" not in os.environ, reason="ALCHEMISER_MARKET_DATA is not set"),
]
FILE = Path(os.environ.get("ALCHEMISER_MARKET_DATA", ".")) / "ohlcv_core74_2005_2026.parquet"
FIRST, SESSIONS = date(2022, 1, 3), int(os.environ.get("PROVE_SESSIONS", "500"))
PLAN = planned({"AAA": 0.5}, cash="100000", prices={"AAA": "10"})
SETTINGS: Mapping[str, object] = {
    "strategies": {"allocations": {"tecl": 0.6, "nuclear": 0.4}},
    "data": {"bar_policy": "provisional"},
    "schedule": {"anchor": "close", "offset_minutes": 20},
}


@dataclass(frozen=True)
class Pair:
    """One session as each pipeline read it: the modular one first, the monolith minutes later."""

    modular: MarketSnapshot
    monolith: MarketSnapshot


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> MultiStrategyManager:
    settings = Settings.model_validate({"home": tmp_path_factory.mktemp("home"), **SETTINGS})
    with embedded_exchange(open_market(real_tidy(FILE)), start=FIRST, state=None) as exchange:
        return portfolio(on_exchange(settings, {}, exchange))


@pytest.fixture(scope="module")
def pairs(manager: MultiStrategyManager, tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    return list(read(manager, tmp_path_factory.mktemp("read")))


def read(manager: MultiStrategyManager, folder: Path) -> Iterator[Pair]:
    settings = Settings.model_validate({"home": folder, **SETTINGS})
    market, chance = open_market(real_tidy(FILE)), Random(13)
    with embedded_exchange(market, start=FIRST, state=None) as exchange:
        platform = on_exchange(settings, {}, exchange)
        provider = UnifiedDataProvider(
            platform.broker, platform.clock, lambda: Universe.of(manager.universe), settings.data, platform.archive
        )
        for number in market.sessions_from(FIRST, SESSIONS):
            session = market.as_session(number)
            due = decision_time(session, settings.schedule)
            exchange.clock.move_to(due)
            found = []
            for pipeline in (Pipeline.MODULAR, Pipeline.MONOLITH):
                window = decision_window(
                    session.day, session, settings.schedule, scheduled_at=due, now=platform.clock.now()
                )
                assert isinstance(window, DecisionWindow)
                found.append(provider.read(RunRef.of("demo", due, pipeline), window, previous_targets=()))
                platform.clock.sleep(60 * chance.randint(1, 9))
            yield Pair(*found)


def judged(pair: Pair, monolith: MultiStrategyManager, modular: MultiStrategyManager) -> Found:
    """As the judge of a stage's cycles does it."""
    one, other = monolith.evaluate(pair.monolith), modular.evaluate(pair.modular)
    sides = (
        PipelineRun(Pipeline.MONOLITH, None, make_report(), PLAN, one),
        PipelineRun(Pipeline.MODULAR, None, make_report(), PLAN, other),
    )
    found = on_equal_inputs(*sides)
    if found is not None:
        return found
    again = monolith.evaluate(pair.modular)
    return on_unequal_inputs(*sides, again, input_differences(pair.monolith, pair.modular))


def disturbed(snapshot: MarketSnapshot, chance: np.random.Generator) -> MarketSnapshot:
    """One bar in a hundred is up to a hundredth away."""
    bars = snapshot.bars
    struck = chance.random(bars.closes.shape) < 0.01
    moved = np.where(struck, bars.closes * (1 + chance.uniform(-0.01, 0.01, bars.closes.shape)), bars.closes)
    return snapshot.model_copy(update={"bars": DailyBars.from_closes(bars.dates, bars.symbols, moved)})


def with_another_threshold(manager: MultiStrategyManager) -> MultiStrategyManager:
    """The same portfolio, but for one number of one strategy: 79.5 instead of 79."""
    text = to_symphony(tecl())
    assert text.count(" 79)") == 1
    other = TreeStrategy(parse_symphony(text.replace(" 79)", " 79.5)")), name="tecl")
    return MultiStrategyManager(
        [
            Allocated(other if part.strategy.name == "tecl" else part.strategy, part.fraction)
            for part in manager.portfolio
        ]
    )


def test_honest_sides_differ_in_their_data_only(
    pairs: list[Pair], manager: MultiStrategyManager, figures: dict[str, object]
) -> None:
    found = [judged(pair, manager, manager) for pair in pairs]
    verdicts = Counter(item.verdict for item in found)
    decided = sum(item.detail.startswith("only the data differ") for item in found)
    counts = ", ".join(f"{count} {verdict.value}" for verdict, count in verdicts.items())
    figures["parity: sessions, minutes apart"] = f"{counts}; {decided} by another way or to other weights"
    assert len(found) == SESSIONS
    assert verdicts[Verdict.EQUIVALENT] >= SESSIONS / 10, "the sides do differ"
    assert set(verdicts) <= {Verdict.EQUIVALENT, Verdict.IDENTICAL}
    assert {item.cause for item in found if item.verdict is Verdict.EQUIVALENT} == {Cause.DATA}


def test_disturbed_bars_are_told_as_data(
    pairs: list[Pair], manager: MultiStrategyManager, figures: dict[str, object]
) -> None:
    chance = np.random.default_rng(7)
    found = [judged(Pair(disturbed(pair.modular, chance), pair.monolith), manager, manager) for pair in pairs]
    decided = sum(item.detail.startswith("only the data differ") for item in found)
    figures["parity: one bar in a hundred disturbed"] = (
        f"{len(found)} by data; {decided} by another way or to other weights"
    )
    assert {(item.verdict, item.cause) for item in found} == {(Verdict.EQUIVALENT, Cause.DATA)}
    assert decided > 0, "the disturbance is large enough to be one"


def test_one_other_threshold_is_told_as_code_with_its_condition(
    pairs: list[Pair], manager: MultiStrategyManager, figures: dict[str, object]
) -> None:
    other = with_another_threshold(manager)
    found = [judged(pair, manager, other) for pair in pairs]
    named = [item for item in found if any("79.5" in difference.modular for difference in item.differences)]
    otherwise = [item for item in found if any("weight" in difference.where for difference in item.differences)]
    figures["parity: one other threshold"] = (
        f"{len(found)} by code, {len(named)} name the condition, {len(otherwise)} decide otherwise"
    )
    assert {(item.verdict, item.cause) for item in found} == {(Verdict.DIFFERENT, Cause.CODE)}
    assert all(item.differences[0].where == "tecl rules" for item in found)
    assert named, "the condition is met on some days"
