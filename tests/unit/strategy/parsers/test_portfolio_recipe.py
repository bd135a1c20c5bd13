"""The portfolio of real shape is what its recipe says, on any machine."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from alchemiser_common.settings_files import read_settings
from alchemiser_simulator import read_history
from alchemiser_strategy.engine.nodes import Asset, Compare, Filter, Reading
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.strategy import TreeStrategy
from alchemiser_strategy.user_strategies import strategies_of_folder
from benchmarks import market, portfolio


@pytest.fixture(scope="module")
def texts() -> Mapping[str, str]:
    return portfolio.symphonies()


@pytest.fixture(scope="module")
def strategies(texts: Mapping[str, str]) -> list[TreeStrategy]:
    return [TreeStrategy(parse_symphony(text), name=name) for name, text in texts.items()]


@pytest.fixture
def random_walks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where there is no panel."""
    monkeypatch.setattr(market, "real_file", lambda: None)
    for made in (portfolio.market_history, portfolio.price_file):
        made.cache_clear()
    yield
    for made in (portfolio.market_history, portfolio.price_file):
        made.cache_clear()


def test_the_recipe_gives_the_same_files_everywhere(texts: Mapping[str, str]) -> None:
    whole = "".join(f"{name}\n{text}" for name, text in texts.items())
    assert hashlib.sha256(whole.encode()).hexdigest()[:16] == "71338250cd00ca8d"
    assert len(texts) == 16
    sizes = sorted(map(len, texts.values()))
    assert 900 < sizes[0] < 1_200
    assert 2_100_000 < sizes[-1] < 2_300_000


def test_it_has_250_symbols_windows_to_751_and_memories_to_200(strategies: list[TreeStrategy]) -> None:
    needed = {symbol for strategy in strategies for symbol in strategy.universe}
    assert needed == {portfolio.at_broker(symbol) for symbol in portfolio.SYMBOLS}
    assert len(needed) == 250
    measures = {measure for strategy in strategies for measure, _ in strategy.graph.readings}
    assert max(item.bars_needed for item in measures) == portfolio.LONGEST
    assert max(item.windows[0] for item in measures if item.bars_wanted > item.bars_needed) == 200, "what remembers"
    rules = {str(strategy.symphony.rebalance) for strategy in strategies}
    assert len(rules) >= 6, "daily, four calendars, thresholds"
    assert sum(bool(strategy.graph.series) for strategy in strategies) > 8, "portfolios that are ranked"


def test_what_may_be_young_or_gone_is_a_candidate_beside_others_and_nothing_else(
    strategies: list[TreeStrategy],
) -> None:
    """So the path to the weights never rests on it; `gate` is the exception, by hand."""
    guests = {*portfolio.YOUNG, *portfolio.RECENT, *portfolio.DELISTED, portfolio.RENAMED[0]}
    for strategy in strategies:
        if strategy.name == "gate":
            continue
        for node, children in zip(strategy.graph.nodes, strategy.graph.children, strict=True):
            if isinstance(node, Asset):
                continue
            below = [strategy.graph.nodes[child] for child in children]
            symbols = [child.symbol for child in below if isinstance(child, Asset)]
            if guests.intersection(symbols):
                assert isinstance(node, Filter), (strategy.name, symbols)
                assert len(set(symbols) - guests) >= 2, (strategy.name, symbols)
        compared = [
            side for met in strategy.graph.conditions if isinstance(met, Compare) for side in (met.left, met.right)
        ]
        assert not guests & {side.symbol for side in compared if isinstance(side, Reading)}, strategy.name


def test_prices_have_four_decimals_and_the_young_begin_within_the_span(random_walks: None) -> None:
    history, after = portfolio.market_history(), portfolio.price_file()
    present = history.close[~np.isnan(history.close)]
    assert np.array_equal(present, np.round(present, 4))
    firsts = [int(np.flatnonzero(~np.isnan(history.close[:, history.positions[name]]))[0]) for name in portfolio.YOUNG]
    assert [first - (len(history.dates) - portfolio.SESSIONS) for first in firsts] == list(range(3, 243, 10))
    for name, session in portfolio.DELISTED.items():
        last = int(np.flatnonzero(~np.isnan(after.close[:, after.positions[name]]))[-1])
        assert after.dates[last + 1] == portfolio.span()[session]
    old, new, session = portfolio.RENAMED
    assert np.isnan(after.close[after.dates.index(portfolio.span()[session]), after.positions[old]])
    assert not np.isnan(after.close[-1, after.positions[new]])


def test_the_command_writes_what_the_settings_name(
    random_walks: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portfolio.main(["--out", str(tmp_path)])
    assert re.search(r"16 symphonies of [\d,]+ to [\d,]+ bytes, 250 symbols", capsys.readouterr().out)
    settings = read_settings({"ALCHEMISER_CONFIG": str(tmp_path / "alchemiser.toml")}, tmp_path).settings
    names = set(strategies_of_folder(tmp_path / "strategies"))
    assert names == set(settings.strategies.allocations)
    inside = read_settings({"ALCHEMISER_CONFIG": str(tmp_path / "strategies/alchemiser.toml")}, tmp_path).settings
    assert inside.strategies.allocations == settings.strategies.allocations
    prices = read_history(tmp_path / "prices.parquet")
    assert set(prices.symbols) == set(portfolio.price_file().symbols)
