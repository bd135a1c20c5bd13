"""The example portfolio decides, is backtested and traded on the bundled market, file by file and as a whole."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.cycles import cycle_runner, ensure_authority, on_exchange
from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.research import choose, evaluate, symbols_of
from alchemiser_cli.simulated import SAMPLE_START, embedded_exchange, open_market
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.settings import Settings
from alchemiser_common.settings_files import read_settings
from alchemiser_simulator import sample_history
from alchemiser_strategy.own_portfolio import examine, portfolio_settings
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.strategy_history import strategy_history
from alchemiser_strategy.user_strategies import strategy_of_file
from dependencies.declared import ROOT, locks
from support.command import alchemiser
from support.portfolio_days import PortfolioDays

EXAMPLES = ROOT / "examples" / "strategies"
FILES = sorted(path for path in EXAMPLES.iterdir() if path.suffix in {".clj", ".edn", ".json", ".py"})
NAMES = [path.stem for path in FILES]
SESSIONS = 30
"""From the third of February 2020 on: two turns of a month and the first weeks of a crash."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working folder with the examples as its portfolio."""
    shutil.copytree(EXAMPLES, tmp_path / "strategies", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def settings(place: Path) -> Settings:
    return read_settings({"ALCHEMISER_HOME": str(place / "home")}, place).settings


def test_they_are_of_different_kinds_and_each_says_what_it_shows() -> None:
    assert {path.suffix for path in FILES} == {".clj", ".edn", ".json", ".py"}
    texts = {path.stem: path.read_text("utf-8") for path in FILES}
    for path in FILES:
        begins = {".json": '{\n "step": "root",\n "name": "Trend",\n "description": ', ".py": '"""'}.get(
            path.suffix, "; "
        )
        assert texts[path.stem].startswith(begins), path
    rules = ("rebalance-frequency :daily", "frequency :weekly", "frequency :monthly", "rebalance-threshold")
    kinds = (
        "(rsi ",
        "(filter (max-drawdown",
        "(group ",
        "weight-inverse-volatility",
        "(if ",
        "(filter (cumulative-return",
    )
    whole = "".join(texts.values())
    assert all(word in whole for word in (*rules, *kinds))


def test_a_composer_symphony_in_five_forms_is_one_strategy_and_decides(settings: Settings) -> None:
    files = sorted((ROOT / "examples" / "composer").iterdir())
    assert len(files) == 5
    (rules,) = {rules_of(strategy_of_file(file)) for file in files}
    assert rules == "e78d8a1601b117bf2605b96af55aa6f4ca771cdafc115497cadc8a040ed5dce1"
    shares = choose(settings.strategies, [str(file) for file in files])
    bars = PriceFile(sample_history()).bars(symbols_of(shares))
    held = {str(sorted(outcome.result.weights.items())) for outcome in evaluate(shares, bars)}
    assert len(held) == 1
    weights = strategy_history(shares[0].strategy, bars).weights
    assert {round(total, 9) for total in weights.sum(axis=1)} == {0.0, 0.7, 1.0}, "unknown, with cash, after a dip"


def test_every_file_has_a_share_and_the_settings_are_a_portfolios() -> None:
    assert sorted(portfolio_settings(EXAMPLES).strategies.allocations) == NAMES
    assert list(examine(EXAMPLES)) == NAMES
    sections = tomllib.loads((EXAMPLES / "alchemiser.toml").read_text("utf-8"))
    assert sorted(sections) == ["strategies", "trading"]


def test_their_requirements_are_what_the_tests_run_with() -> None:
    pins = dict(re.findall(r"^(\S+)==(\S+)", (EXAMPLES / "requirements.txt").read_text("utf-8"), re.MULTILINE))
    development = locks()["requirements-dev.lock"]
    assert pins == {name: development[name] for name in pins}
    imported = re.findall(r"^import (\w+)", (EXAMPLES / "apart.py").read_text("utf-8"), re.MULTILINE)
    assert set(imported) == {*pins, "numpy"}


@pytest.mark.parametrize("name", NAMES)
def test_each_decides_on_the_bundled_market_and_changes_its_mind_over_the_years(settings: Settings, name: str) -> None:
    shares = choose(settings.strategies, [name])
    bars = PriceFile(sample_history()).bars(symbols_of(shares))
    (outcome,) = evaluate(shares, bars)
    assert outcome.result.status is not SignalStatus.UNKNOWN
    assert sum(outcome.result.weights.values()) == pytest.approx(1.0)
    assert set(outcome.result.weights) <= set(bars.symbols)
    history = strategy_history(shares[0].strategy, bars)
    known = history.weights[history.known]
    assert len(known) > 1000
    assert np.ptp(known, axis=0).max() > 0.05, "it holds the same all the time"


def test_the_command_decides_and_backtests_the_whole_portfolio(place: Path) -> None:
    market = ROOT / "libs/simulator/src/alchemiser_simulator/sample_market.parquet"
    decided = alchemiser(place, "decide", "--data", str(market), "--json")
    assert decided.code == 0, decided.err
    answer = json.loads(decided.out)
    assert sorted(answer["strategies"]) == NAMES
    assert sum(answer["targets"].values()) == pytest.approx(1.0)
    backtest = alchemiser(place, "backtest", "--from", "2020-01-02")
    assert backtest.code == 0, backtest.err
    assert all(name in backtest.out for name in NAMES)


@pytest.fixture
def line(settings: Settings) -> Iterator[PortfolioDays]:
    """The three services on the simulated exchange, before the first session."""
    market = open_market(None)
    with embedded_exchange(market, start=SAMPLE_START, state=None) as exchange:
        platform = on_exchange(settings, {}, exchange)
        ensure_authority(settings, platform.state, platform.clock.now())
        yield PortfolioDays(platform, exchange, market, cycle_runner(platform))


@pytest.mark.timeout(400)
def test_the_whole_line_trades_it_session_after_session(line: PortfolioDays, place: Path) -> None:
    rules = examine(place / "strategies")
    said: dict[str, list[SignalStatus]] = {name: [] for name in NAMES}
    months = []
    for session in line.market.sessions_from(SAMPLE_START, SESSIONS):
        run = line.day(session.day)
        assert run.decision is not None, session
        assert run.summary.report is not None
        assert run.summary.report.status is RunStatus.COMPLETED, (session, run.summary.report.reason)
        assert {signal.strategy: signal.rules for signal in run.decision.signals} == rules
        for signal in run.decision.signals:
            said[signal.strategy].append(signal.status)
        months.append(run.decision.as_of.month)
    for name in ("apart", "dip-and-lead", "trend"):
        assert set(said[name]) == {SignalStatus.TARGET}, f"{name} decides anew every day"
    turns = [number for number in range(1, SESSIONS) if months[number] != months[number - 1]]
    due = [number for number, status in enumerate(said["calm-mix"]) if status is SignalStatus.TARGET]
    assert due == [0, *turns], "by the calendar it is due on the first bar of a month, and at the start"
    corridor = [number for number, status in enumerate(said["sixty-forty"]) if status is SignalStatus.TARGET]
    assert 1 < len(corridor) < SESSIONS / 2, "the crash moves it out of its corridor, and calm days do not"
    assert line.orders() > SESSIONS
