"""What the portfolio costs: bytes of its messages, seconds and peak memory of each stage; and what growth would."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.wire import MESSAGE_LIMIT
from alchemiser_simulator import PriceHistory
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_trading.account.authority import set_authority
from benchmarks import market, portfolio
from benchmarks.figures import Process
from benchmarks.symphony_generator import symphony_of_size
from deploy.template import ROOT, TEMPLATE, load, mapping, section
from support.command import environment
from support.portfolio_line import Line, Stock, open_line
from support.portfolio_stage import Scene
from support.portfolio_tally import Tally

_LAUNCHER = ROOT / "tests/benchmarks/launch.py"
_STAGES = ("data", "strategy", "trading")
_SESSION = portfolio.SESSIONS - 1
_GROWN = (1_000, 50, 60_000, 1_000)
"""Symbols, strategies, bytes of each file, and days of the panel."""


def cool(folder: Path) -> None:
    """Let the machine forget the folder's files, as far as no process has them mapped."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run_stage(stage: str, folder: Path) -> tuple[Process, dict[str, float]]:
    """The stage in a new process: what the whole of it took, and its seconds by part."""
    paths = os.pathsep.join([str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-I", "-S", _LAUNCHER, sys.executable, "-m", "support.portfolio_stage", stage, folder],
        env=environment({"PYTHONPATH": paths}),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return Process(**json.loads(done.stdout)), json.loads((folder / f"{stage}.json").read_text("utf-8"))


@contextmanager
def scene_of(folder: Path, stock: Stock, session_number: int, pipeline: Pipeline) -> Iterator[Line]:
    """An exchange at a session's decision time, its account with that pipeline, and the scene's file."""
    with open_line(folder, stock, portfolio.span()[session_number], {"pipeline": pipeline}) as line:
        settings = line.trader.settings
        session = line.market.as_session(line.market.sessions_from(portfolio.span()[session_number], 1)[0])
        due = decision_time(session, settings.schedule)
        line.exchange.clock.move_to(due)
        set_authority(line.trader.state, settings.account_alias, pipeline, who="test", reason="measuring", now=due)
        manager = enabled_strategies(settings.strategies, {})
        Scene(settings.model_dump_json(), line.exchange.url, due.isoformat(), dict(manager.universe)).write(folder)
        yield line


def told(figures: dict[str, object], stage: str, found: tuple[Process, dict[str, float]], memory: float) -> None:
    process, parts = found
    figures[f"{stage}: seconds"] = ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items())
    figures[f"{stage}: peak memory, MB (template: {memory:,.0f})"] = process.peak
    assert process.peak < memory, f"{stage} needs {process.peak:.0f} MB and is given {memory:.0f}"


def memory_of(stage: str) -> float:
    """What the template gives the function, in MB of 10^6 bytes."""
    return float(template_value(f"{stage.capitalize()}Memory")) * 1.048576


def template_value(parameter: str) -> str:
    """A parameter's default."""
    return str(mapping(section(load(TEMPLATE), "Parameters")[parameter], parameter)["Default"])


def test_each_stage_fits_its_function(tmp_path: Path, figures: dict[str, object]) -> None:
    stock = Stock(portfolio.symphonies(), portfolio.market_history())
    with scene_of(tmp_path, stock, _SESSION, Pipeline.MODULAR):
        for stage in _STAGES:
            told(figures, stage, run_stage(stage, tmp_path), memory_of(stage))
        cool(tmp_path / "strategies")
        cool(Path(np.__file__).parents[1])
        cold, parts = run_stage("strategy", tmp_path)
        figures["strategy: start with a cold disk, seconds"] = f"{parts['start']:.2f}, whole process {cold.wall:.2f}"
    body, message = ((tmp_path / name).stat().st_size for name in ("snapshot.json", "message.json"))
    figures["snapshot, bytes"], figures["message on the queue, bytes"] = body, message
    figures["decision, bytes"] = (tmp_path / "decision.json").stat().st_size
    assert message <= MESSAGE_LIMIT
    assert (tmp_path / "report.txt").read_text("utf-8").startswith("completed")


def test_the_monolith_fits_its_function(tmp_path: Path, figures: dict[str, object]) -> None:
    stock = Stock(portfolio.symphonies(), portfolio.market_history())
    with scene_of(tmp_path, stock, _SESSION, Pipeline.MONOLITH):
        told(figures, "monolith", run_stage("monolith", tmp_path), memory_of("monolith"))
    assert (tmp_path / "report.txt").read_text("utf-8").startswith("completed")


def grown() -> Stock:
    """A thousand symbols and fifty strategies, on random walks."""
    symbols, strategies, size, days = _GROWN
    names = market.names(symbols)
    bars = market.random_bars(names, days)
    texts = {f"s{seed:02}": symphony_of_size(size, seed, names) for seed in range(strategies)}
    history = PriceHistory(tuple(bars.dates), tuple(names), np.round(bars.closes, 4), source="random walks")
    return Stock(texts, history)


@pytest.mark.timeout(1_200)
def test_a_thousand_symbols_and_fifty_strategies_trade(tmp_path: Path, figures: dict[str, object]) -> None:
    stock = grown()
    tally = Tally()
    days = stock.history.dates[-2:]
    with open_line(tmp_path, stock, days[0]) as line:
        for session in line.market.sessions_from(days[0], len(days)):
            tally.add(line.run(session))
    found = tally.table()
    for name in ("refused", "statuses", "verdicts", "orders", "message, bytes (most)", "seconds a session (most)"):
        figures[f"grown: {name}"] = found[name]
    figures["grown: pages of bars"] = found["pages of bars a session (most)"]
    assert tally.refused == []
