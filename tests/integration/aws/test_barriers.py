"""The three barriers between a shadow and the account, each with the other two removed, by the functions' own wiring.

barrier                       removed by
the type without orders       ALCHEMISER_SHADOW=false
the key that cannot trade     a key that can
the record of authority       authority for the pipeline that should not trade
"""

import pytest
import requests

from alchemiser_cli.stored_runs import read_run
from alchemiser_common import keys
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.state import load
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.records.parity import JudgedSpan
from alchemiser_simulator.control.control import SimulatorControl
from alchemiser_simulator.control.lies import Answer
from alchemiser_simulator.control.rules import When
from support.aws import Aws
from support.functions import Deployment, QuarterHour, deployment, poll

KEY = {"APCA-API-KEY-ID": "PKOBSERVER", "APCA-API-SECRET-KEY": "observer-secret"}
CANNOT_TRADE = tuple(
    Answer(match=When(method=method, path="/v2/orders"), status=403, body={"code": 40310000, "message": "forbidden."})
    for method in ("POST", "DELETE")
)


def cycle(deployed: Deployment, pipeline: Pipeline) -> ExecutionReport:
    """A cycle through the pipeline's functions, each in a cold process; its report."""
    context, trigger = QuarterHour(), deployed.trigger.model_dump(mode="json")
    if pipeline is Pipeline.MONOLITH:
        deployed.entry("monolith")(trigger, context)
    else:
        strategy, trading = deployed.entry("strategy"), deployed.entry("trading")
        deployed.entry("data")(trigger, context)
        poll(deployed.adapters.market_data_queue(), lambda event: strategy(event, context))
        poll(deployed.adapters.trade_decision_queue(), lambda event: trading(event, context))
    run = read_run(deployed.adapters.state(), deployed.run(pipeline))
    assert run is not None
    assert run.report is not None
    return run.report


BARRIERS: dict[str, tuple[bool, bool, bool, RunStatus, str]] = {
    "type": (True, False, False, RunStatus.SHADOWED, "shadow: planned, nothing sent"),
    "key": (False, True, False, RunStatus.PARTIAL, "forbidden"),
    "authority": (False, False, True, RunStatus.FAILED, "NotAuthorised"),
}
"""Barrier: whether each of the three stands, how the run ends, and what it says."""


@pytest.mark.parametrize("pipeline", Pipeline)
@pytest.mark.parametrize("barrier", BARRIERS)
def test_each_barrier_holds_alone(aws: Aws, barrier: str, pipeline: Pipeline) -> None:
    typed, keyed, authorised, status, words = BARRIERS[barrier]
    other = Pipeline.MODULAR if pipeline is Pipeline.MONOLITH else Pipeline.MONOLITH
    changes = {"ALCHEMISER_SHADOW": str(typed).lower(), "ALCHEMISER_PIPELINE": pipeline.value}
    with deployment(aws, changes) as deployed, SimulatorControl(exchange_of(deployed)) as control:
        for rule in CANNOT_TRADE if keyed else ():
            control.add_fault(rule)
        deployed.give_authority(other if authorised else pipeline)
        report = cycle(deployed, pipeline)
        control.clear_faults()
        assert orders_of(deployed) == [], "nothing came to the exchange"
        walk = load(deployed.adapters.state(), keys.dry_walk_record(deployed.run(pipeline)), DryWalk)
    assert (walk is not None and any(leg.filled > 0 for leg in walk.value.legs)) is typed, (
        "a shadow walks its plan all the same"
    )
    assert report.status is status, report.reason
    assert words in f"{report.error} {report.reason} " + " ".join(leg.reason for leg in report.legs)


@pytest.mark.parametrize("pipeline", Pipeline)
def test_without_any_barrier_orders_are_sent(aws: Aws, pipeline: Pipeline) -> None:
    """So what holds above is the barrier."""
    with deployment(aws, {"ALCHEMISER_PIPELINE": pipeline.value}) as deployed:
        deployed.give_authority(pipeline)
        assert cycle(deployed, pipeline).orders_placed == len(orders_of(deployed)) > 0


@pytest.mark.parametrize("compared", [True, False])
def test_the_monoliths_watch_judges_where_the_stage_says_so(aws: Aws, compared: bool) -> None:
    with deployment(aws, {"ALCHEMISER_COMPARED": str(compared).lower()}) as deployed:
        answer = deployed.entry("monolith")({"watch": "overdue"}, QuarterHour())
        looked = load(deployed.adapters.state(), keys.judged_span(deployed.settings.account_alias), JudgedSpan)
    assert answer == {"ended": None, "status": None, "reason": ""}
    assert (looked is not None) is compared


def exchange_of(deployed: Deployment) -> str:
    return deployed.variables["ALCHEMISER_BROKER__TRADING_URL"]


def orders_of(deployed: Deployment) -> list[object]:
    """Every order that the exchange has, whoever sent it."""
    answer = requests.get(f"{exchange_of(deployed)}/v2/orders", {"status": "all"}, headers=KEY, timeout=10)
    orders: list[object] = answer.json()
    return orders
