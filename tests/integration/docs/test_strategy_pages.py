"""docs/first-strategy.md's and docs/composer.md's commands, each run as it stands on the page, in one folder a page.

A simulated exchange stands in for the paper account: the environment names its address and a key of its own.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_cli.simulated import open_market
from alchemiser_simulator import SimulatorConfig, SimulatorServer
from deploy.template import ROOT
from support.command import environment
from support.documents import blocks

pytestmark = pytest.mark.timeout(300)  # a dozen processes, one after the other
KEY = {"APCA_API_KEY_ID": "PKQ7ZL2M9X4C6V8B1N3D", "APCA_API_SECRET_KEY": "hush-hush-hush-hush"}


@pytest.fixture
def paper() -> Iterator[dict[str, str]]:
    market = open_market(None)
    start = market.sessions_from(market.default_start, 1)[0].opens
    with SimulatorServer(SimulatorConfig(history=market.history, start=start)) as server:
        yield KEY | {"ALCHEMISER_BROKER__TRADING_URL": server.url, "ALCHEMISER_BROKER__DATA_URL": server.url}


def played(page: str, folder: Path, broker: dict[str, str] | None = None) -> list[str]:
    """What the page's blocks print, one after the other in one folder; the `broker` is told to those about paper."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
    said = []
    for block in blocks(ROOT / "docs" / page):
        if block.mark == "sh":
            done = subprocess.run(
                ["bash", "-xeuo", "pipefail", "-c", block.text],
                cwd=folder,
                env=environment({"PATH": path, **(broker or {} if "--paper" in block.text else {})}),
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            said.append(done.stdout + done.stderr)
    return said


@pytest.mark.parametrize("page", ["first-strategy.md", "composer.md", "language.md"])
def test_every_command_of_a_page_stands_in_a_block_that_is_run(page: str) -> None:
    typed = re.compile(r"^(?:make|alchemiser) ", re.MULTILINE)
    assert [
        block.mark for block in blocks(ROOT / "docs" / page) if block.mark != "sh" and typed.search(block.text)
    ] == []


def test_the_first_strategy_goes_from_an_empty_file_to_a_paper_account(tmp_path: Path, paper: dict[str, str]) -> None:
    empty, one, rule, earned, share, rehearsal, on_paper = played("first-strategy.md", tmp_path, paper)
    assert "strategies/leader.clj:1:1: there is nothing to read" in empty
    assert "1 symbols: SPY" in one
    assert "4 symbols: BIL, IWM, QQQ, SPY" in rule
    assert "Max drawdown" in earned
    assert (tmp_path / "leader.html").is_file()
    assert "draft is broken: " in share
    assert "strategies/draft.clj:1:1: (asset …) opened here is never closed" in share
    assert "leader (100%, target)" in rehearsal
    assert "rsi(SPY, 10) > 75" in rehearsal
    assert "the broker knows all 4" in on_paper
    assert "account paper" in on_paper
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_a_composer_symphony_is_checked_shown_backtested_and_traded(tmp_path: Path) -> None:
    checked, traded = played("composer.md", tmp_path)
    rules = re.findall(r"^rules ([0-9a-f]{64})$", checked, re.MULTILINE)
    assert len(rules) == 5
    assert len(set(rules)) == 1
    assert '(defsymphony "Dip, leader and cash"' in traded
    assert "Max drawdown" in traded
    assert "orders placed" in traded
