"""The state of a deployed stage's rollout: phase, authority, runs, dead letters, alarms. Reads only."""

from alchemiser_cli.stage.check_result import Verdict
from alchemiser_cli.stage.doctor import run_checks
from alchemiser_cli.stage.gate import RolloutState
from alchemiser_cli.stage.guards import ShadowKey
from alchemiser_cli.stage.stack import DeployedStack
from alchemiser_cli.stage.stage import Stage
from alchemiser_cli.stored_runs import list_parities, list_runs
from alchemiser_common.aws.faults import Asking
from alchemiser_common.errors import RunInProgress
from alchemiser_trading.account.authority import read_authority
from alchemiser_trading.account.lease import require_idle
from alchemiser_trading.account.trading_state import trading_state

_DEAD_LETTERS = ("MarketDataDeadLetters", "TradeDecisionDeadLetters", "TriggerDeadLetters")
_RUNS = 60
"""Newest runs that are read: both pipelines' of thirty days, weekends included."""


def read_rollout_state(stage: Stage) -> RolloutState:
    """The stage now. Raises Refused if it is not deployed, StoreUnavailable."""
    stage.account()
    stack = stage.deployed()
    store, alias = stage.state(stack), stack.account_alias
    authority = read_authority(store, alias)
    try:
        require_idle(store, alias, stage.clock.now())
        busy = ""
    except RunInProgress as error:
        busy = str(error)
    runs = list_runs(store, alias, limit=_RUNS)
    return RolloutState(
        stage=stage.config.name,
        phase=stack.phase,
        authority=None if authority is None else authority.pipeline,
        run_in_progress=busy,
        trading=trading_state(store, alias).value,
        runs=runs,
        parities=list_parities(store, alias, runs),
        dead_letters=sum(_waiting(stage, stack, name) for name in _DEAD_LETTERS),
        alarms=_firing(stage, stack),
        days_alike=stage.config.days_alike,
        shadow_key=ShadowKey.of(stack.parameters),
        unwell=_unwell(stage) if stack.phase == "shadow" else (),
    )


_SAID = ("authority", "trading")
"""Checks of which the gate says more itself."""


def _unwell(stage: Stage) -> tuple[str, ...]:
    """What is wrong, and what could not be found out: the latter may be wrong."""
    bad = {Verdict.WRONG, Verdict.UNKNOWN}
    return tuple(
        f"{item.check}: {item.says}" for item in run_checks(stage) if item.verdict in bad and item.check not in _SAID
    )


def _waiting(stage: Stage, stack: DeployedStack, queue: str) -> int:
    with Asking(f"queue {queue}", f"the stack's output {queue}"):
        answer = stage.clients.sqs.get_queue_attributes(
            QueueUrl=stack.outputs[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _firing(stage: Stage, stack: DeployedStack) -> tuple[str, ...]:
    with Asking("alarms", "the stage"):
        pages = stage.clients.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=f"{stack.name}-", StateValue="ALARM"
        )
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    return tuple(sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"))
