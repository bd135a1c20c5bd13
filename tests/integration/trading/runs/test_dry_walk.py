"""A shadow's plan is walked with the machine that trades, on real quotes, and nobody is sent anything."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common import keys
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.messages.wire import encode
from alchemiser_common.metrics import measures_of_report
from alchemiser_common.ports.broker import Broker
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.ports.queue import Delivery
from alchemiser_common.ports.state import load
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.settings import ExecutionStyle, Settings
from alchemiser_trading.handler import TradingFunction
from support.faulty_ports import Fault, Faults, FaultyBroker, Killed
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH, SWITCHED, assert_switched


def deliver(
    rig: Rig, decision: TradeDecision, *, broker: Broker | None = None, time_left: TimeLeft = lambda: QUARTER_HOUR
) -> None:
    """The decision's message to the trading function of a shadow."""
    settings = rig.settings.model_copy(update={"shadow": True})
    event = sqs_event(Delivery("1", "1", encode(decision), "bench", rig.clock.now(), 1), "arn:aws:sqs:x:0:q.fifo")
    answer = TradingFunction(rig.service(settings=settings, broker=broker)).handle(event, time_left)
    assert answer.model_dump() == {"batchItemFailures": ()}


def walked(rig: Rig, decision: TradeDecision) -> DryWalk:
    found = load(rig.state, keys.dry_walk_record(decision.run_id), DryWalk)
    assert found is not None
    return found.value


@pytest.mark.parametrize("style", ExecutionStyle)
def test_it_comes_to_what_the_trading_pipeline_comes_to(rig: Rig, style: ExecutionStyle) -> None:
    rules = rig.settings.execution.model_copy(
        update={"tight_style": style, "normal_style": style, "wide_style": style, "poll_seconds": 5.0}
    )
    rig.settings = rig.settings.model_copy(update={"execution": rules})
    beside, calls = rig.decision(SWITCH, pipeline=Pipeline.MONOLITH), Faults()
    deliver(rig, beside, broker=FaultyBroker(rig.broker, calls))
    assert rig.orders() == []
    assert not [name for name in calls.names if name.startswith(("submit", "cancel"))], "though the broker could"
    dry = walked(rig, beside)

    decision = rig.decision(SWITCH)
    traded = rig.trade(decision)
    assert_switched(rig)
    assert {(leg.symbol, leg.side.value): leg.filled for leg in dry.legs} == SWITCHED
    told = [(leg.symbol, leg.status, leg.filled, leg.steps, leg.arrival_mid) for leg in dry.legs]
    assert told == [(leg.symbol, leg.status, leg.filled, leg.steps, leg.arrival_mid) for leg in traded.legs]
    for simulated, real in zip(dry.legs, traded.legs, strict=True):
        assert simulated.average_price is not None
        assert real.average_price is not None
        worse = 1 if simulated.side.value == "buy" else -1
        assert (simulated.average_price - real.average_price) * worse >= 0, "never better than what was seen"
    assert dry.reason == ""


def test_nothing_takes_it_for_a_trade(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    account = keys.account_partition("bench"), keys.equity_partition("bench")
    before = [rig.state.list(partition) for partition in account]
    deliver(rig, decision)
    assert walked(rig, decision).legs
    assert [rig.state.list(partition) for partition in account] == before, "no lease, book, target or equity"
    assert rig.state.list(keys.run_partition(decision.run_id), prefix=keys.INTENT_PREFIX) == ()
    again = rig.service(settings=rig.settings.model_copy(update={"shadow": True})).execute(
        decision, time_left=lambda: QUARTER_HOUR
    )
    assert again.status is RunStatus.SHADOWED
    assert {leg.filled for leg in again.legs} == {Decimal(0)}
    assert [leg.average_price for leg in again.legs] == [None] * len(again.legs)
    assert measures_of_report(again)["OrdersPlaced"] == 0.0  # type: ignore[index]


def test_the_account_is_left_to_whoever_trades_it(rig: Rig) -> None:
    """Two requests of the account's limit, clock and calendar; market data at most forty times a minute."""
    decision, calls = rig.decision({**SWITCH, "DDD": 0.1}), Faults()
    impatient = rig.settings.execution.model_copy(update={"rest_seconds": 0.1, "poll_seconds": 0.1})
    rig.settings = rig.settings.model_copy(update={"execution": impatient})
    shadow = rig.service(
        settings=rig.settings.model_copy(update={"shadow": True}), broker=FaultyBroker(rig.broker, calls)
    )
    shadow.execute(decision, time_left=lambda: QUARTER_HOUR)
    planned, moments = len(calls.names), list[tuple[str, float]]()
    calls.on_call = lambda name: moments.append((name, rig.clock.monotonic()))
    shadow.walk_dry(decision.run, time_left=lambda: QUARTER_HOUR)
    of_the_account = [name for name in calls.names[planned:] if name not in {"quotes", "trades"}]
    assert of_the_account == ["clock", "session"]
    reads = [at for name, at in moments if name in {"quotes", "trades"}]
    assert len(reads) == walked(rig, decision).reads > 0
    assert max(sum(start <= at < start + 60 for at in reads) for start in reads) <= 40


@pytest.mark.parametrize(
    ("left", "moved", "seconds", "words"),
    [
        (QUARTER_HOUR, 0, 300, ""),
        (timedelta(seconds=120), 0, 30, ""),  # two hand-overs before the process ends
        (timedelta(seconds=80), 0, 0, "OutOfTime: the process has no time for a walk"),
        (QUARTER_HOUR, 55 * 60, 300, "begun 3300 s after its plan"),
        (QUARTER_HOUR, 59 * 60, 60, "begun 3540 s after its plan"),
        (QUARTER_HOUR, 60 * 60, 0, "begun 3600 s after its plan; DecisionExpired: the decision was good until"),
    ],
)
def test_it_ends_before_its_process_and_before_the_deadline(
    rig: Rig, left: timedelta, moved: float, seconds: float, words: str
) -> None:
    """One order a leg, at the middle of quotes that stand still: it would rest for ever."""
    rules = rig.settings.execution.model_copy(update={"max_steps": 1})
    rig.settings = rig.settings.model_copy(update={"execution": rules})
    decision = rig.decision(SWITCH)
    shadow = rig.service(settings=rig.settings.model_copy(update={"shadow": True}))
    shadow.execute(decision, time_left=lambda: QUARTER_HOUR)
    rig.clock.sleep(moved)
    shadow.walk_dry(decision.run, time_left=lambda: left)
    dry = walked(rig, decision)
    took = (dry.ended - dry.began).total_seconds()
    assert seconds <= took <= seconds + 10
    assert dry.reason.startswith(words)
    assert {leg.status for leg in dry.legs} == ({LegStatus.UNFILLED} if seconds else set())
    assert rig.clock.now() - timedelta(seconds=10) <= decision.not_after


def test_killed_in_its_walk_it_walks_anew_and_says_how_late_and_after_that_never_again(rig: Rig) -> None:
    decision, calls = rig.decision(SWITCH), Faults()

    def die(name: str) -> None:
        if name == "quotes" and calls.names.count("clock") == 2:  # the plan's, and the walk's own
            calls.at[calls.calls] = Fault.KILL_AFTER

    calls.on_call = die
    with pytest.raises(Killed):
        deliver(rig, decision, broker=FaultyBroker(rig.broker, calls))
    assert load(rig.state, keys.dry_walk_record(decision.run_id), DryWalk) is None
    rig.clock.sleep(16 * 60)
    deliver(rig, decision)
    first = walked(rig, decision)
    assert first.reason.startswith("begun 9")
    assert {leg.status for leg in first.legs} == {LegStatus.FILLED}
    deliver(rig, decision)
    assert walked(rig, decision) == first


def test_switched_off_or_after_a_refused_decision_there_is_none(rig: Rig) -> None:
    expired, off = rig.decision(SWITCH), rig.decision(SWITCH, pipeline=Pipeline.MONOLITH)
    settings: Settings = rig.settings
    rules = settings.execution.model_copy(update={"dry_walk_seconds": 0.0})
    rig.settings = settings.model_copy(update={"execution": rules})
    deliver(rig, off)
    rig.settings = settings
    rig.clock.sleep(3600)
    deliver(rig, expired)
    for decision in (expired, off):
        assert load(rig.state, keys.dry_walk_record(decision.run_id), DryWalk) is None
