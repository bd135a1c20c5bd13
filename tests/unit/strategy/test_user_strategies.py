"""The user's own strategies are found by name, and one that cannot be used is named."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_common.errors import InvalidSettings
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.registry import build_portfolio
from alchemiser_strategy.user_strategies import offered_strategies, strategies_of_folder, user_strategies

HOLD_SPY = '(defsymphony "anything" {} (asset "SPY" nil))'
MODULE = """
from alchemiser_common.messages.decision import Explanation, SignalStatus
from alchemiser_strategy.strategy import StrategyResult

class Half:
    name = "half"
    universe = {"SPY": 1}

    def evaluate(self, view):
        return StrategyResult(SignalStatus.TARGET, {"SPY": 0.5}, Explanation(summary="half of SPY"))

class Misnamed(Half):
    name = "other"

def broken():
    raise RuntimeError("no licence")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package that offers strategies; the test writes its entry points."""
    (tmp_path / "their_strategies.py").write_text(MODULE)
    info = tmp_path / "their_strategies-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-strategies\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield info
    sys.modules.pop("their_strategies", None)


def offer(package: Path, *lines: str) -> None:
    (package / "entry_points.txt").write_text("\n".join(["[alchemiser.strategies]", *lines]))


def test_a_python_class_of_another_package_can_be_given_a_share(package: Path) -> None:
    offer(package, "half = their_strategies:Half")
    manager = build_portfolio({"half": 1.0}, user_strategies(None))
    assert manager.universe == {"SPY": 1}
    assert manager.portfolio[0].strategy.name == "half"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("half = their_strategies:Misnamed", "gives a strategy named 'other'"),
        ("half = their_strategies:broken", "RuntimeError: no licence"),
        ("half = their_strategies:Missing", "AttributeError"),
        ("half = no_such_module:Half", "ModuleNotFoundError"),
    ],
)
def test_an_offer_that_cannot_be_used_is_named(package: Path, line: str, words: str) -> None:
    offer(package, line)
    with pytest.raises(StrategyError) as refusal:
        offered_strategies()
    assert words in str(refusal.value)
    assert "entry point half" in str(refusal.value)


def test_symphonies_of_a_folder_are_named_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "b.clj").write_text(HOLD_SPY)
    (tmp_path / "a.edn").write_text(HOLD_SPY)
    (tmp_path / "notes.txt").write_text("not a strategy")
    assert [strategy.name for strategy in strategies_of_folder(tmp_path)] == ["a", "b"]


def test_a_folder_that_is_absent_or_ambiguous_is_named(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="does not exist"):
        strategies_of_folder(tmp_path / "nowhere")
    for suffix in ("clj", "edn"):
        (tmp_path / f"twice.{suffix}").write_text(HOLD_SPY)
    with pytest.raises(StrategyError, match="several files named twice"):
        strategies_of_folder(tmp_path)


def test_a_name_that_ships_cannot_be_taken(tmp_path: Path) -> None:
    (tmp_path / "tecl.clj").write_text(HOLD_SPY)
    with pytest.raises(InvalidSettings, match="'tecl' is taken"):
        build_portfolio({"tecl": 1.0}, strategies_of_folder(tmp_path))
