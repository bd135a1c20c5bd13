"""Each single request of a deployment goes wrong once: either nothing was changed, or the change went through whole."""

import json
from collections.abc import Iterator

import pytest

from alchemiser_cli.stage.deployment import DeployRequest, deploy
from alchemiser_common.errors import AlchemiserError
from support.fault_proxy import FaultProxy, Strike, fault_proxy
from support.stages import FIRST, SECOND, StageOnMoto, agree, deployed_stage


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageOnMoto]:
    with deployed_stage(tmp_path_factory.mktemp("checkout")) as stage:
        stage.push(SECOND, "strategy")
        yield stage


@pytest.mark.parametrize("strike", [Strike.UNAVAILABLE, Strike.LOST_ANSWER], ids=lambda strike: strike.value)
def test_a_fault_at_any_request_leaves_nothing_half_done(dev: StageOnMoto, strike: Strike) -> None:
    ends = {"refused": 0, "whole": 0, "told": 0}
    with fault_proxy(dev.url) as proxy:
        dev.deploy(strategy=FIRST)
        requests = _attempt(dev, proxy, [])
        assert dev.live("strategy")[1] == SECOND
        for index in range(requests):
            dev.deploy(strategy=FIRST)
            before = _stack_and_live(dev)
            failed = False
            try:
                _attempt(dev, proxy, [Strike.PASS] * index + [strike])
            except AlchemiserError:
                failed = True
            after = _stack_and_live(dev)
            assert after in {before, (SECOND, SECOND)}, (index, after)
            ends["refused" if after == before else "told" if failed else "whole"] += 1
            proxy.strike()
            dev.deploy(strategy=SECOND)
            assert _stack_and_live(dev) == (SECOND, SECOND), index
            assert not [name for name in dev.functions() if name.endswith("-candidate")], index
    assert ends["refused"] > 0
    assert ends["whole"] + ends["told"] > 0
    print(f"\n{requests} requests, {strike.value} at each: {json.dumps(ends)}")  # noqa: T201


def _attempt(dev: StageOnMoto, proxy: FaultProxy, plan: list[Strike]) -> int:
    """Deploy through the proxy; returns how many requests that took."""
    proxy.strike(*plan)
    deploy(dev.stage(url=proxy.url), DeployRequest(None, {"strategy": SECOND}), agree)
    return proxy.seen


def _stack_and_live(dev: StageOnMoto) -> tuple[str, str]:
    """What the stack says, and who answers."""
    stack = dev.stage().stack()
    assert stack is not None
    return stack.parameters["StrategyTag"], dev.live("strategy")[1]
