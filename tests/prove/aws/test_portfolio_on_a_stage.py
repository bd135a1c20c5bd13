"""A person's own strategies on a stage: deployed, built anew, changed, reallocated, rolled back, deployed again.

After each step the stage is well, its stored universe is that of what is live, and the decision names the rules of it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alchemiser_cli.stage import trial
from alchemiser_cli.stage.check_result import Verdict
from alchemiser_cli.stage.deployment import Deployed
from alchemiser_cli.stage.doctor import run_checks
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.rollback import roll_back
from alchemiser_cli.stage.smoke import SmokeFailed
from alchemiser_cli.stage.stack import Refused
from alchemiser_cli.stage.universe_record import settle, widen
from support.stages import FIRST, StageOnMoto, agree, shadow_stage

pytestmark = pytest.mark.timeout(600)  # the stage is deployed three times before the first test

OWN, BUILT, CHANGED, LATER = "1111111", "2222222", "3333333", "4444444"
TREND = '(defsymphony "trend" {} (weight-equal [(asset "SPY") (asset "QQQ")]))'
CALM = '(defsymphony "calm" {} (if (> (rsi "SPY" {:window 20}) 70) [(asset "BIL")] [(asset "IWM")]))'
HALF = {"StrategyAllocations": json.dumps({"trend": 0.5, "calm": 0.5})}
MOST = {"StrategyAllocations": json.dumps({"trend": 0.25, "calm": 0.75})}
FILES = {"trend.clj": TREND, "calm.clj": CALM}
OTHER = {**FILES, "trend.clj": TREND.replace("QQQ", "EEM")}
DECIDERS = ("strategy", "monolith")
KNOWN_OF_A_REHEARSAL = {"account", "rules", "shadow-key"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageOnMoto]:
    """A stage in phase shadow that has run once with the strategies that ship."""
    with shadow_stage(tmp_path_factory.mktemp("checkout")) as stage:
        yield stage


def assert_well(stage: StageOnMoto) -> None:
    """Nothing is wrong, and every strategy's change is known."""
    found = {item.check: item for item in run_checks(stage.stage())}
    assert {name: item for name, item in found.items() if item.verdict is not Verdict.OK}.keys() <= KNOWN_OF_A_REHEARSAL
    assert found["rules"].verdict in {Verdict.OK, Verdict.WARNING}


def rules(stage: StageOnMoto, service: str = "strategy") -> dict[str, str]:
    return {item["strategy"]: item["rules"] for item in composition(stage, service)["strategies"]}


def composition(stage: StageOnMoto, service: str = "strategy") -> Any:
    found: Any = stage.invoke(service, {"probe": "composition"})
    return found


def decided(done: Deployed) -> dict[str, dict[str, str]]:
    """The rules that each deciding function's decision names."""
    return {
        service: {signal.strategy: signal.rules for signal in decision.signals}
        for service, decision in done.decisions.items()
    }


def assert_universe_is_what_is_live(stage: StageOnMoto) -> None:
    live = {item["symbol"]: item["bars"] for item in composition(stage)["universe"]}
    assert stage.universe() == live


def test_the_life_of_a_portfolio(own: StageOnMoto) -> None:
    assert_well(own)
    assert "TECL" in own.universe()

    # Deploy with own strategies: images and allocations come together.
    own.push(OWN, *DECIDERS, files=FILES)
    done = own.deploy(parameters=HALF, strategy=OWN, monolith=OWN)
    assert set(own.universe()) == {"SPY", "QQQ", "IWM", "BIL"}
    assert any("deciding on a snapshot that" in line or "recorded" in line for line in own.told)
    first = rules(own)
    assert set(first) == {"trend", "calm"}
    assert first == rules(own, "monolith")
    assert decided(done) == {"strategy": first, "monolith": first}
    assert_well(own)

    # A cycle runs on them; from then on the stage has a snapshot of its own.
    assert own.run_monolith()["status"] == "completed"
    own.told.clear()

    # A new build of the same strategies: another commit, the same rules.
    own.push(BUILT, *DECIDERS, files=FILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "_EVENT_LIMIT", 1_000)  # as if no invocation could carry it: it goes by its archive key
        done = own.deploy(strategy=BUILT, monolith=BUILT)
    assert "deciding on the snapshot of session 2020-06-03, the stage's last" in own.told
    assert decided(done) == {"strategy": first, "monolith": first}
    assert [line for line in own.told if "as last decided" in line]
    assert not [line for line in own.told if "rebalanced" in line]
    assert_well(own)

    # A changed file: other rules, announced; its new symbol is read for the probe.
    own.push(CHANGED, *DECIDERS, files=OTHER)
    own.told.clear()
    done = own.deploy(strategy=CHANGED, monolith=CHANGED)
    second = rules(own)
    assert second["trend"] != first["trend"]
    assert second["calm"] == first["calm"]
    assert decided(done) == {"strategy": second, "monolith": second}
    assert [line for line in own.told if line.startswith("strategy trend decides by other rules")]
    assert [line for line in own.told if "the last one lacks symbols or bars" in line]
    assert set(own.universe()) == {"SPY", "EEM", "IWM", "BIL"}
    assert {item.check: item.says for item in run_checks(own.stage())}["rules"].endswith(
        "it will be rebalanced at the next run"
    )
    assert_well(own)

    # An allocation alone: no image changes, both deciders are tried under it.
    own.told.clear()
    done = own.deploy(parameters=MOST)
    assert done.images == ()
    assert set(done.decisions) == set(DECIDERS)
    assert [line for line in own.told if line.startswith("strategy: calm (75.00%")]
    assert_universe_is_what_is_live(own)
    assert_well(own)

    # A rollback goes to the build before, with the allocations and the universe of then.
    left = roll_back(own.stage(), "strategy", None, agree)
    assert left.at_once
    assert (left.left, left.image.tag) == (CHANGED, BUILT)
    assert rules(own) == first
    stack = own.stage().deployed()
    assert stack.parameters["StrategyAllocations"] == HALF["StrategyAllocations"]
    assert (stack.parameters["StrategyTag"], stack.parameters["MonolithTag"]) == (BUILT, CHANGED)
    assert_universe_is_what_is_live(own)
    assert_well(own)

    # Another deployment.
    own.push(LATER, *DECIDERS, files=OTHER)
    done = own.deploy(parameters=MOST, strategy=LATER, monolith=LATER)
    assert decided(done) == {"strategy": second, "monolith": second}
    assert_universe_is_what_is_live(own)
    assert_well(own)


def test_what_cannot_start_or_decide_is_refused_with_the_whole_reason_before_anything_moves(own: StageOnMoto) -> None:
    before = whole(own)
    missing = {"StrategyAllocations": json.dumps({"nobody-has-this": 1.0})}
    with pytest.raises(
        SmokeFailed, match=r"composition.*InvalidSettings: strategies.allocations names 'nobody-has-this'"
    ):
        own.deploy(parameters=missing)
    broken = {**FILES, "trend.clj": '(defsymphony "trend" {} (weight-equal [(asset "SPY")'}
    own.push("5555555", *DECIDERS, files=broken)
    with pytest.raises(SmokeFailed, match=r"StrategyError|SymphonyError"):
        own.deploy(strategy="5555555")
    assert whole(own) == before


def test_a_limit_that_only_some_images_know_is_refused_with_what_to_do(own: StageOnMoto) -> None:
    before = whole(own)
    own.push("6666666", files={**FILES, "alchemiser.toml": TOML})
    with pytest.raises(
        Refused,
        match=r"trading.max_orders is 7 in monolith \(.*alchemiser.toml\), null in trading \(default\): deploy all",
    ):
        own.deploy(monolith="6666666")
    with pytest.raises(Refused, match=r"null in monolith .* 7 in strategy"):
        own.deploy(strategy="6666666")
    assert whole(own) == before

    # The same file in all images, and of it what no parameter gives.
    done = own.deploy(parameters={"StrategyAllocations": ""}, **dict.fromkeys(SERVICES, "6666666"))
    assert {item.strategy: item.allocation for item in done.strategies} == {"trend": 0.4, "calm": 0.6}
    says = {item.check: item.says for item in run_checks(own.stage())}["composition"]
    assert re.search(r"trading.max_orders from \S+/alchemiser.toml", says)
    own.deploy(parameters={"MaxOrders": "9"})
    says = {item.check: item.says for item in run_checks(own.stage())}["composition"]
    assert "trading.max_orders from parameter MaxOrders" in says
    (wins,) = [item for item in composition(own, "trading")["settings"] if item["name"] == "trading.max_orders"]
    assert (wins["value"], wins["source"]) == ("9", "environment ALCHEMISER_TRADING__MAX_ORDERS")
    assert_well(own)
    own.deploy(
        parameters={"MaxOrders": "", **HALF}, **(dict.fromkeys(SERVICES, FIRST) | dict.fromkeys(DECIDERS, LATER))
    )


TOML = """[strategies]
allocations = { trend = 0.4, calm = 0.6 }

[trading]
max_orders = 7
"""


def whole(stage: StageOnMoto) -> tuple[object, ...]:
    stack = stage.stage().deployed()
    return dict(stack.parameters), {name: stage.live(name) for name in SERVICES}, stage.universe(), stage.functions()


def test_doctor_names_a_universe_that_is_short_and_one_that_is_wide_and_a_deployment_mends_both(
    own: StageOnMoto,
) -> None:
    widen(own.store(), "paper-dev", {"TQQQ": 9})
    found = {item.check: item for item in run_checks(own.stage())}["universe"]
    assert found.verdict is Verdict.WARNING
    assert "wider" in found.says
    assert not own.deploy().carried_out
    assert_universe_is_what_is_live(own)
    settle(own.store(), "paper-dev", {"SPY": 1})
    found = {item.check: item for item in run_checks(own.stage())}["universe"]
    assert found.verdict is Verdict.WRONG
    assert re.search("the stored universe lacks .*SPY.*every modular run would fail", found.says)
    assert not own.deploy().carried_out
    assert_universe_is_what_is_live(own)


def test_doctor_names_symbols_that_the_broker_does_not_know(own: StageOnMoto, tmp_path: Path) -> None:
    files = {"trend.clj": TREND.replace("QQQ", "NOSUCH"), "calm.clj": CALM}
    own.push("8888888", *DECIDERS, files=files)
    own.told.clear()
    own.deploy(parameters=HALF | {"OnUnknown": "cash"}, strategy="8888888", monolith="8888888")
    assert "the broker does not know NOSUCH: unknown at every run" in own.told
    found = {item.check: item for item in run_checks(own.stage())}["symbols"]
    assert found.verdict is Verdict.WARNING
    assert "the broker does not know NOSUCH" in found.says
