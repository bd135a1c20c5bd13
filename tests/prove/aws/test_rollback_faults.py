"""A rollback is interrupted before and after each of its writes: what is live is fed, and the same command ends it.

Build, allocations and universe differ between the two releases, so that each half-way state could be told apart.
"""

import json
from collections.abc import Iterator

import pytest

from alchemiser_cli.stage.check_result import Verdict
from alchemiser_cli.stage.doctor import run_checks
from alchemiser_cli.stage.rollback import roll_back
from alchemiser_common.errors import AlchemiserError
from alchemiser_common.records.universe import lacking
from support.fault_proxy import FaultProxy, Strike, fault_proxy
from support.stages import FIRST, SECOND, StageOnMoto, agree, deployed_stage

FILES = {"own.clj": '(defsymphony "own" {} (weight-equal [(asset "SPY") (asset "QQQ")]))'}
OLD, NEW = json.dumps({"tecl": 1.0}), json.dumps({"own": 1.0})
WRITES = (
    "CreateChangeSet", "ExecuteChangeSet", "PutItem", "TransactWriteItems", "PutImage", "PUT /2015-03-31/functions",
    "POST /2015-03-31/functions ", "DELETE /2015-03-31/functions",
)  # fmt: skip
"""Beginnings of what changes something, as the proxy names it."""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageOnMoto]:
    with deployed_stage(tmp_path_factory.mktemp("checkout"), {"StrategyAllocations": OLD}) as stage:
        stage.push(SECOND, "strategy", "monolith", files=FILES)
        yield stage


@pytest.mark.parametrize("strike", [Strike.UNAVAILABLE, Strike.LOST_ANSWER], ids=lambda strike: strike.value)
def test_a_rollback_that_is_interrupted_anywhere_is_finished_by_the_same_command(
    dev: StageOnMoto, strike: Strike
) -> None:
    ends = {"nothing": 0, "half-way": 0, "whole": 0}
    with fault_proxy(dev.url) as proxy:
        forward(dev)
        newer = dev.universe()
        attempt(dev, proxy, [])
        older = dev.universe()
        assert (whole(dev), set(newer) - set(older)) == ((FIRST, FIRST, OLD), {"QQQ"})
        writes = [at for at, asked in enumerate(proxy.asked) if any(word in f"{asked} " for word in WRITES)]
        for index in writes:
            forward(dev)
            assert (whole(dev), dev.universe()) == ((SECOND, SECOND, NEW), newer)
            failed = interrupted(dev, proxy, [Strike.PASS] * index + [strike])
            state = whole(dev)
            ends[{(SECOND, SECOND, NEW): "nothing", (FIRST, FIRST, OLD): "whole"}.get(state, "half-way")] += 1
            assert_fed(dev)
            complete = (state, dev.universe()) == ((FIRST, FIRST, OLD), older)
            untouched = (state, dev.universe()) == ((SECOND, SECOND, NEW), newer)
            assert complete or failed, index
            assert well(dev) == (complete or untouched), "doctor names what is half-way, and nothing else"
            if failed:
                roll_back(dev.stage(), "strategy", None, agree)
            assert (whole(dev), dev.universe()) == ((FIRST, FIRST, OLD), older), index
            assert well(dev), index
            assert not [name for name in dev.functions() if name.endswith("-candidate")], index
    assert all(ends.values())
    print(f"\n{len(writes)} writes, {strike.value} at each: {json.dumps(ends)}")  # noqa: T201


def interrupted(dev: StageOnMoto, proxy: FaultProxy, plan: list[Strike]) -> bool:
    """Whether the command told of the interruption; a mark in the registry that fails is no failure."""
    try:
        attempt(dev, proxy, plan)
    except AlchemiserError:
        return True
    finally:
        proxy.strike()
    return False


def forward(dev: StageOnMoto) -> None:
    dev.deploy(parameters={"StrategyAllocations": NEW}, strategy=SECOND, monolith=SECOND)


def attempt(dev: StageOnMoto, proxy: FaultProxy, plan: list[Strike]) -> None:
    proxy.strike(*plan)
    roll_back(dev.stage(url=proxy.url), "strategy", None, agree)


def whole(dev: StageOnMoto) -> tuple[str, str, str]:
    """Who answers, what the stack says, and under which allocations."""
    parameters = dev.stage().deployed().parameters
    return dev.live("strategy")[1], parameters["StrategyTag"], parameters["StrategyAllocations"]


def assert_fed(dev: StageOnMoto) -> None:
    """What is live decides on what the data function reads."""
    needed = {item["symbol"]: item["bars"] for item in dev.invoke("strategy", {"probe": "composition"})["universe"]}
    assert lacking(needed, dev.universe()) == ()


def well(dev: StageOnMoto) -> bool:
    found = {item.check: item.verdict for item in run_checks(dev.stage())}
    return all(found[name] is Verdict.OK for name in ("stack", "functions", "composition", "universe"))
