"""The portfolio of real shape through a stage's commands, in moto: the life of a portfolio, as a person leads it.

Deployed with its 16 files, built anew, a file changed, two allocations moved, rolled back, deployed again. After each
step the stage is well, the stored universe is that of what is live, and the decisions name the rules of it.
"""

import json
from collections.abc import Iterator

import pytest

from alchemiser_cli.stage.check_result import Verdict
from alchemiser_cli.stage.doctor import run_checks
from alchemiser_cli.stage.rollback import roll_back
from benchmarks import portfolio
from support.stages import StageOnMoto, agree, deployed_stage

OWN, BUILT, CHANGED, LATER = "1111111", "2222222", "3333333", "4444444"
SPEED = 6.0
"""Slow enough for a busy machine: bars are read within the decision window, clocks agree."""
DECIDERS = ("strategy", "monolith")
FILES = {f"{name}.clj": text for name, text in portfolio.symphonies().items()}
SHARES = dict.fromkeys(portfolio.symphonies(), 1 / 16)
EQUAL = {"StrategyAllocations": json.dumps(SHARES), "OnUnknown": "keep", "MaxOrders": "1000"}
MOVED = {"StrategyAllocations": json.dumps({**SHARES, "gate": 0.1, "growth": 0.025})}
OTHER = {**FILES, "gate.clj": FILES["gate.clj"].replace('"SPY"', '"DIA"')}
KNOWN_OF_A_REHEARSAL = {"account", "rules", "symbols", "shadow-key", "limits"}
"""The account is not named in a rehearsal; the portfolio has symbols that are delisted; changed rules are announced;
the shadow shares the live key, as the stage states; a few targets are smaller than the smallest trade."""


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageOnMoto]:
    """A stage in phase shadow on the portfolio's market, its last session's decision time."""
    market, day = portfolio.market_history(), portfolio.span()[-1]
    cash = {"OnUnknown": "cash"}  # the market lacks symbols of the strategies that ship
    with deployed_stage(tmp_path_factory.mktemp("checkout"), cash, history=market, day=day, speed=SPEED) as found:
        found.deploy(phase="shadow")
        yield found


def assert_well(stage: StageOnMoto) -> None:
    """Nothing is wrong but what is known, and the stored universe is that of the live strategies."""
    found = {item.check: item for item in run_checks(stage.stage())}
    wrong = {name: item for name, item in found.items() if item.verdict is not Verdict.OK}
    assert wrong.keys() <= KNOWN_OF_A_REHEARSAL, "\n".join(map(repr, wrong.values()))
    live = stage.invoke("strategy", {"probe": "composition"})
    assert stage.universe() == {item["symbol"]: item["bars"] for item in live["universe"]}


def rules(stage: StageOnMoto) -> dict[str, str]:
    live = stage.invoke("strategy", {"probe": "composition"})
    return {item["strategy"]: item["rules"] for item in live["strategies"]}


def test_it_is_deployed_changed_and_taken_back(stage: StageOnMoto, figures: dict[str, object]) -> None:
    stage.push(OWN, *DECIDERS, files=FILES)
    done = stage.deploy(parameters=EQUAL, strategy=OWN, monolith=OWN)
    first = rules(stage)
    assert set(first) == set(SHARES)
    assert len(stage.universe()) == len(portfolio.SYMBOLS)
    assert {signal.strategy: signal.rules for signal in done.decisions["strategy"].signals} == first
    assert_well(stage)
    done_by_monolith = stage.run_monolith()
    assert done_by_monolith.get("status") == "completed", done_by_monolith

    stage.push(BUILT, *DECIDERS, files=FILES)
    done = stage.deploy(strategy=BUILT, monolith=BUILT)
    assert {signal.strategy: signal.rules for signal in done.decisions["monolith"].signals} == first
    assert_well(stage)

    stage.push(CHANGED, *DECIDERS, files=OTHER)
    done = stage.deploy(strategy=CHANGED, monolith=CHANGED)
    second = rules(stage)
    assert {name for name in first if first[name] != second[name]} == {"gate"}
    assert [line for line in stage.told if line.startswith("strategy gate decides by other rules")]
    assert_well(stage)

    done = stage.deploy(parameters=MOVED)
    shares = {signal.strategy: signal.allocation for signal in done.decisions["strategy"].signals}
    assert (shares["gate"], shares["growth"]) == (0.1, 0.025)
    assert_well(stage)

    left = roll_back(stage.stage(), "strategy", None, agree)
    assert (left.left, left.image.tag) == (CHANGED, BUILT)
    assert rules(stage) == first
    assert json.loads(stage.stage().deployed().parameters["StrategyAllocations"]) == SHARES
    assert_well(stage)

    stage.push(LATER, *DECIDERS, files=OTHER)
    done = stage.deploy(parameters=MOVED, strategy=LATER, monolith=LATER)
    assert {signal.strategy: signal.rules for signal in done.decisions["strategy"].signals} == second
    assert_well(stage)
    figures["stage: steps, doctor well after each"] = 6
