"""A folder of strategies and settings is examined as a whole: every fault at once, each with its place."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alchemiser_common.errors import InvalidSettings
from alchemiser_strategy.own_portfolio import PortfolioFaulty, examine, examine_files, portfolio_settings
from alchemiser_strategy.registry import build_portfolio
from unit.strategy.test_user_strategies import FILE, HOLD_SPY

SETTINGS = "[strategies]\nallocations = { spy = 0.4, half = 0.2, tecl = 0.4 }\n[trading]\nmax_turnover = 1.5\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A portfolio without a fault."""
    made = tmp_path / "strategies"
    made.mkdir()
    (made / "spy.clj").write_text(HOLD_SPY)
    (made / "half.py").write_text(FILE)
    (made / "unused.clj").write_text(HOLD_SPY)
    (made / "alchemiser.toml").write_text(SETTINGS)
    return made


def test_it_names_the_content_hash_of_every_own_and_every_allocated_strategy(folder: Path) -> None:
    rules = examine(folder)
    assert list(rules) == ["half", "spy", "tecl", "unused"]
    assert rules["spy"] == rules["unused"], "the text's own name is no part of the rules"
    assert rules["tecl"] == build_portfolio({"tecl": 1.0}).rules["tecl"]


def test_without_a_folder_it_is_what_ships() -> None:
    assert list(examine(None)) == ["klm", "nuclear", "tecl"]


def test_every_fault_is_told_at_once_with_file_line_and_column(folder: Path) -> None:
    (folder / "unused.clj").write_text('(defsymphony "x" {}\n  (assset "SPY" nil))')
    (folder / "half.py").write_text("\ndef strategy(:\n")
    (folder / "alchemiser.toml").write_text("[strategies]\nallocations = { spy = 0.4,\n")
    with pytest.raises(PortfolioFaulty) as refusal:
        examine_files(folder)
    said = str(refusal.value).splitlines()
    assert [line.partition(": ")[0].replace(f"{folder}/", "") for line in said] == [
        "settings file alchemiser.toml cannot be read",
        "half.py:2:14",
        "unused.clj:2:4",
    ]
    with pytest.raises(PortfolioFaulty, match=r"half\.py:2:14"):
        examine(folder)


def test_a_name_that_is_there_twice_is_a_fault_of_the_folder(folder: Path) -> None:
    (folder / "spy.edn").write_text(HOLD_SPY)
    for fault in (examine_files, examine):
        with pytest.raises(PortfolioFaulty, match="has several files named spy: a name must be there once"):
            fault(folder)


def test_an_allocation_that_nobody_has_is_a_fault(folder: Path) -> None:
    (folder / "half.py").unlink()
    for fault in (examine_files, examine):
        with pytest.raises(
            PortfolioFaulty, match=r"alchemiser\.toml: strategies\.allocations names 'half'; known .*spy"
        ):
            fault(folder)


def test_a_package_of_the_requirements_may_offer_it_which_only_a_build_can_say(folder: Path) -> None:
    (folder / "half.py").unlink()
    (folder / "requirements.txt").write_text("theirs==1.0 --hash=sha256:00\n")
    examine_files(folder)
    with pytest.raises(PortfolioFaulty, match="names 'half'"):
        examine(folder)


def test_python_is_not_run_before_what_it_needs_is_installed(folder: Path) -> None:
    (folder / "half.py").write_text("raise SystemExit('was run')")
    examine_files(folder)


def test_settings_of_a_portfolio_are_not_those_of_the_place_where_it_runs(folder: Path) -> None:
    assert portfolio_settings(folder).trading.max_turnover == pytest.approx(1.5)
    (folder / "alchemiser.toml").write_text(
        'environment = "live"\n[schedule]\nanchor = "close"\ndeadline_minutes = 50\n'
    )
    with pytest.raises(InvalidSettings, match=r"alchemiser\.toml: environment, schedule\.anchor belongs to where"):
        portfolio_settings(folder)


def test_the_build_step_prints_the_hashes_or_the_faults(folder: Path) -> None:
    command = [sys.executable, "-m", "alchemiser_strategy.own_portfolio"]
    good = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    assert (good.returncode, json.loads(good.stdout)) == (0, dict(examine(folder)))
    (folder / "spy.clj").write_text("(")
    bad = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("strategies/spy.clj:1:")
