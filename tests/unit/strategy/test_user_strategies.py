"""The user's own strategies are found by name, read when they are asked for, and one that cannot be used is named."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_common.errors import InvalidSettings
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.registry import build_portfolio
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.user_strategies import offered_strategies, strategies_of_folder, user_strategies

HOLD_SPY = '(defsymphony "anything" {} (asset "SPY" nil))'
HALF = """
from alchemiser_common.messages.decision import Explanation, SignalStatus
from alchemiser_strategy.strategy import StrategyResult

class Half:
    name = "half"
    universe = {"SPY": 1}

    def evaluate(self, view):
        return StrategyResult(SignalStatus.TARGET, {"SPY": 0.5}, Explanation(summary="half of SPY"))
"""
MODULE = f"""{HALF}
class Misnamed(Half):
    name = "other"

def broken():
    raise RuntimeError("no licence")
"""
FILE = f"{HALF}\nstrategy = Half\n"


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
def test_an_offer_that_cannot_be_used_is_named_when_it_is_asked_for(package: Path, line: str, words: str) -> None:
    offer(package, line)
    offered = offered_strategies()
    build_portfolio({"tecl": 1.0}, offered)
    with pytest.raises(StrategyError) as refusal:
        build_portfolio({"half": 1.0}, offered)
    assert words in str(refusal.value)
    assert "entry point half" in str(refusal.value)


def test_strategies_of_a_folder_are_named_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "b.clj").write_text(HOLD_SPY)
    (tmp_path / "a.edn").write_text(HOLD_SPY)
    (tmp_path / "half.py").write_text(FILE)
    (tmp_path / "grown").mkdir()
    (tmp_path / "grown" / "__init__.py").write_text(FILE)
    for other in ("notes.txt", "_shared.py", ".hidden.py", ".hidden.clj", "alchemiser.toml"):
        (tmp_path / other).write_text("not a strategy")
    (tmp_path / "data").mkdir()
    assert list(strategies_of_folder(tmp_path)) == ["a", "b", "grown", "half"]


def test_only_what_is_allocated_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.clj").write_text(HOLD_SPY)
    (tmp_path / "broken.clj").write_text('(defsymphony "broken" {} (assset "SPY" nil))')
    (tmp_path / "loud.py").write_text("raise SystemExit('was run')")
    folder = user_strategies(tmp_path)
    assert build_portfolio({"good": 1.0}, folder).universe == {"SPY": 1}
    with pytest.raises(StrategyError, match=r"broken\.clj:1:27: .*unknown operator assset"):
        build_portfolio({"good": 0.5, "broken": 0.5}, folder)


def test_a_python_file_or_package_can_be_given_a_share_and_its_files_are_its_rules(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(FILE)
    package = tmp_path / "grown"
    package.mkdir()
    (package / "__init__.py").write_text("from .rule import Half\n\nclass strategy(Half):\n    name = 'grown'\n")
    (package / "rule.py").write_text(HALF)
    first = build_portfolio({"half": 0.5, "grown": 0.5}, user_strategies(tmp_path))
    assert first.universe == {"SPY": 1}
    (package / "rule.py").write_text(HALF.replace("0.5", "0.6"))
    second = build_portfolio({"half": 0.5, "grown": 0.5}, user_strategies(tmp_path))
    assert second.rules["half"] == first.rules["half"]
    assert second.rules["grown"] != first.rules["grown"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def strategy(:\n", r"half\.py:1:14: invalid syntax"),
        ("\n\nimport no_such_module\n", r"half\.py:3: ModuleNotFoundError: No module named 'no_such_module'"),
        ("\nraise SystemExit('enough')\n", r"half\.py:2: SystemExit: enough"),
        ("import their_neighbour\n", "ModuleNotFoundError"),
        ("x = 1\n", r"half\.py: offers no callable 'strategy'"),
        ("def strategy():\n    return 1 / 0\n", r"half\.py:2: ZeroDivisionError"),
        ("class strategy:\n    name = 'other'\n", r"gives a strategy named 'other'; name it 'half'"),
    ],
)
def test_a_python_file_that_cannot_be_used_is_named_with_the_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "half.py").write_text(text)
    (tmp_path / "their_neighbour.py").write_text("")
    with pytest.raises(StrategyError, match=words):
        strategies_of_folder(tmp_path)["half"]()


def test_a_line_is_named_by_the_path_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own" / "grown").mkdir(parents=True)
    (tmp_path / "own" / "grown" / "__init__.py").write_text("from . import rule\n")
    monkeypatch.chdir(tmp_path)
    for text, words in (("\n1 / 0", "2: ZeroDivisionError: "), ("def (", "1:5: invalid syntax")):
        (tmp_path / "own" / "grown" / "rule.py").write_text(text)
        with pytest.raises(StrategyError, match=f"^own/grown/rule.py:{words}"):
            strategies_of_folder(Path("own"))["grown"]()


def test_the_rules_of_a_file_that_was_written_anew_are_others(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text(FILE)
    before = rules_of(strategies_of_folder(tmp_path)["half"]())
    file.write_text(FILE + "# another word\n")
    assert rules_of(strategies_of_folder(tmp_path)["half"]()) != before


def test_a_folder_that_is_absent_or_ambiguous_is_named(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="does not exist"):
        strategies_of_folder(tmp_path / "nowhere")
    for suffix in ("clj", "py"):
        (tmp_path / f"twice.{suffix}").write_text(HOLD_SPY)
    with pytest.raises(StrategyError, match="several files named twice"):
        strategies_of_folder(tmp_path)["twice"]()


def test_a_name_is_a_file_or_a_packages_and_not_both(package: Path, tmp_path: Path) -> None:
    offer(package, "half = their_strategies:Half")
    own = tmp_path / "own"
    own.mkdir()
    (own / "half.clj").write_text(HOLD_SPY)
    with pytest.raises(StrategyError, match="a package both have half"):
        user_strategies(own)["half"]()


def test_a_draft_that_is_broken_twice_there_or_named_like_one_that_ships_stops_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "good.clj").write_text(HOLD_SPY)
    (tmp_path / "draft.clj").write_text("(defsymphony")
    (tmp_path / "tecl.clj").write_text(HOLD_SPY)
    for suffix in ("clj", "json"):
        (tmp_path / f"twice.{suffix}").write_text("")
    folder = user_strategies(tmp_path)
    assert build_portfolio({"good": 0.5, "nuclear": 0.5}, folder).portfolio[0].strategy.name == "good"
    for name, words in (("draft", r"draft\.clj:1:1: "), ("twice", "several files named twice")):
        with pytest.raises(StrategyError, match=words):
            build_portfolio({"good": 0.5, name: 0.5}, folder)


def test_a_name_that_ships_cannot_be_taken(tmp_path: Path) -> None:
    (tmp_path / "tecl.clj").write_text(HOLD_SPY)
    with pytest.raises(InvalidSettings, match="'tecl' is taken"):
        build_portfolio({"tecl": 1.0}, strategies_of_folder(tmp_path))
