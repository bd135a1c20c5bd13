"""Valid messages to start from; tests change what they are about."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from alchemiser_common.ids import Pipeline, Side, cycle_id, run_id
from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.messages.decision import (
    Candidate,
    ComponentVersion,
    ConditionStep,
    Explanation,
    RankingStep,
    Signal,
    SignalStatus,
    StrategyShare,
    Target,
    TradeDecision,
    UnknownReading,
)
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import (
    ExecutionReport,
    LegReport,
    LegStatus,
    Residual,
    RunStatus,
    StageFailure,
)
from alchemiser_common.messages.snapshot import (
    Account,
    BarPolicy,
    CarriedBars,
    MarketSession,
    MarketSnapshot,
    NeededBars,
    Position,
    Provenance,
    StrategyTargets,
    TargetWeight,
)
from alchemiser_common.messages.wire import encode

SCHEDULED = datetime(2020, 6, 3, 13, 45, tzinfo=UTC)
CYCLE = cycle_id("demo", SCHEDULED)
RUN = run_id(CYCLE, Pipeline.MODULAR)
SESSION = MarketSession(
    day=date(2020, 6, 3),
    opens=datetime(2020, 6, 3, 13, 30, tzinfo=UTC),
    closes=datetime(2020, 6, 3, 20, 0, tzinfo=UTC),
    previous_day=date(2020, 6, 2),
)
ACCOUNT = Account(
    account_id="5a4f3c6e-0000-4000-8000-000000000001",
    status="ACTIVE",
    equity=Decimal("100000.00"),
    last_equity=Decimal("99500.25"),
    cash=Decimal("40000.00"),
    buying_power=Decimal("140000.00"),
)


def make_bars() -> DailyBars:
    closes = np.array([[310.5, 75.25], [312.0, 75.0], [311.75, 76.125]])
    return DailyBars.from_closes([date(2020, 5, 29), date(2020, 6, 1), date(2020, 6, 2)], ["SPY", "TECL"], closes)


def make_snapshot(**changes: object) -> MarketSnapshot:
    snapshot = MarketSnapshot(
        run_id=RUN,
        cycle_id=CYCLE,
        pipeline=Pipeline.MODULAR,
        trace=(StageTime(stage=Stage.DATA, started=SCHEDULED, finished=SCHEDULED + timedelta(seconds=2)),),
        account_alias="demo",
        scheduled_at=SCHEDULED,
        not_after=SCHEDULED + timedelta(hours=1),
        session=SESSION,
        bar_policy=BarPolicy.COMPLETED,
        universe=(NeededBars(symbol="SPY", bars=3), NeededBars(symbol="TECL", bars=2)),
        bars=make_bars(),
        carried=(CarriedBars(symbol="TECL", days=(date(2020, 6, 1),)),),
        account=ACCOUNT,
        positions=(
            Position(
                symbol="TECL",
                quantity=Decimal("788.123456789"),
                available=Decimal("788.123456789"),
                market_value=Decimal("59995.90"),
                price=Decimal("76.125"),
                average_entry_price=Decimal("70.01"),
            ),
        ),
        previous_targets=(
            StrategyTargets(
                strategy="tecl",
                decided_for=date(2020, 6, 2),
                weights=(TargetWeight(symbol="TECL", weight=1.0),),
                as_of=date(2020, 6, 1),
                rules="ef" * 32,
                allocation=0.5,
            ),
        ),
        provenance=Provenance(source="alpaca", feed="sip", adjustment="all", read_at=SCHEDULED + timedelta(seconds=1)),
    )
    return snapshot.model_copy(update=changes)


def make_decision(**changes: object) -> TradeDecision:
    snapshot = make_snapshot()
    decision = TradeDecision(
        run_id=RUN,
        cycle_id=CYCLE,
        pipeline=Pipeline.MODULAR,
        trace=snapshot.trace,
        account_alias="demo",
        account_id=ACCOUNT.account_id,
        snapshot_hash=snapshot.content_hash(),
        session=SESSION.day,
        as_of=date(2020, 6, 2),
        bar_policy=BarPolicy.COMPLETED,
        not_after=SCHEDULED + timedelta(hours=1),
        targets=(
            Target(symbol="BIL", weight=0.375, shares=(StrategyShare(strategy="tecl", weight=0.375),)),
            Target(symbol="UVXY", weight=0.125, shares=(StrategyShare(strategy="tecl", weight=0.125),)),
        ),
        signals=(
            Signal(
                strategy="tecl",
                allocation=0.5,
                status=SignalStatus.TARGET,
                weights=(TargetWeight(symbol="BIL", weight=0.75), TargetWeight(symbol="UVXY", weight=0.25)),
                explanation=Explanation(
                    summary="bull market, TQQQ overbought",
                    steps=(
                        ConditionStep(text="rsi(TQQQ, 10) > 79", left=80.5, right=79.0, holds=True, margin=1.5),
                        RankingStep(
                            text="top 1 by rsi(9)",
                            candidates=(
                                Candidate(name="SQQQ", value=40.25, chosen=False),
                                Candidate(name="BSV", value=55.5, chosen=True),
                            ),
                        ),
                    ),
                    unsettled=(UnknownReading(symbol="BSV", indicator="rsi(9)", bars_had=20, bars_needed=125),),
                ),
                rules="ef" * 32,
            ),
        ),
        versions=(ComponentVersion(component="strategy", version="0.1.0", git_sha="unknown"),),
    )
    return decision.model_copy(update=changes)


def make_report(**changes: object) -> ExecutionReport:
    report = ExecutionReport(
        run_id=RUN,
        cycle_id=CYCLE,
        pipeline=Pipeline.MODULAR,
        account_alias="demo",
        decision_hash="6c5c81eee712ba0e286164d05d0feda80cda949702ab68790b0e24a09e495f2e",
        status=RunStatus.COMPLETED,
        legs=(
            LegReport(
                symbol="TECL",
                side=Side.SELL,
                status=LegStatus.FILLED,
                intended=Decimal("788.123456789"),
                filled=Decimal("788.123456789"),
                average_price=Decimal("76.10"),
                arrival_mid=Decimal("76.12"),
                steps=2,
                duration=timedelta(seconds=12),
            ),
        ),
        orders_placed=2,
        notes=("tecl: rsi(9) of BSV is unsettled, 20 of 125 bars",),
        account_before=ACCOUNT,
        account_after=ACCOUNT,
        residuals=(Residual(symbol="BIL", target=0.375, actual=0.3749),),
    )
    return report.model_copy(update=changes)


def make_event() -> RunEvent:
    return RunEvent.of(make_report())


def make_failure() -> StageFailure:
    return StageFailure(
        run_id=RUN,
        cycle_id=CYCLE,
        pipeline=Pipeline.MODULAR,
        account_alias="demo",
        stage=Stage.STRATEGY,
        error="DataMissing",
        reason="tecl: rsi(TQQQ, 10) had 3 bars and needs 11",
    )


def make_reference() -> SnapshotReference:
    body = encode(make_snapshot()).encode()
    return SnapshotReference.to(make_snapshot(), "snapshots/2020-06-03/snapshot.json", body)
