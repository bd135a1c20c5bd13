"""One stored record of every kind, as a run and its account leave them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from alchemiser_common.ids import Pipeline, Side, client_order_id
from alchemiser_common.messages.base import Stage, VersionedModel
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight
from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.books import (
    BlockedSymbol,
    BookChange,
    BookedEntry,
    BookedEvent,
    BookedFill,
    BookedOrder,
    BookedRun,
    DailyEquity,
    FollowedAccount,
    Lot,
    PastLot,
    StrategyBook,
    StrategyWorth,
)
from alchemiser_common.records.corporate_actions import JumpFacts
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_common.records.loose import LooseOrder, LooseOrders
from alchemiser_common.records.notice import ToldRun
from alchemiser_common.records.parity import Cause, Difference, JudgedSpan, Lacking, Parity, Verdict
from alchemiser_common.records.plan import HeldShares, Plan, StrategyHolding
from alchemiser_common.records.run import RunEntry, RunRecord
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.records.trading_state import TradingState, TradingStateRecord
from alchemiser_common.records.universe import Universe
from support.messages import ACCOUNT, CYCLE, RUN, SCHEDULED, SESSION, make_decision, make_report, make_snapshot
from support.plans import planned, position

DEADLINE = SCHEDULED + timedelta(hours=1)


def make_data_record() -> RunRecord:
    return RunRecord(
        **make_snapshot().run.fields(),
        scheduled_at=SCHEDULED,
        status=RunStatus.PUBLISHED,
        updated_at=SCHEDULED + timedelta(seconds=2),
        snapshot_key=f"snapshots/2020-06-03/{RUN}/abc.json",
        snapshot_hash="ab" * 32,
    )


def make_head() -> JournalHead:
    return JournalHead(
        **make_snapshot().run.fields(),
        decision_hash="cd" * 32,
        phase=RunStatus.SELLING,
        not_after=DEADLINE,
        authority_epoch=2,
        failures=1,
        created_at=SCHEDULED,
        updated_at=SCHEDULED + timedelta(seconds=5),
    )


def make_plan_record() -> Plan:
    """A sale, a buy, and a holding that the broker does not trade."""
    plan = planned(
        {"BIL": 0.5, "TECL": 0.3},
        cash="40000",
        positions=(position("TECL", "788.123456789", "76.125"), position("GONE", "3", "10")),
        prices={"BIL": "91.5"},
        untraded=frozenset({"GONE"}),
    )
    holding = StrategyHolding(
        strategy="klm",
        weights=(TargetWeight(symbol="GONE", weight=1.0),),
        shares=(HeldShares(symbol="GONE", quantity=Decimal(3)),),
        rules="cd" * 32,
    )
    changes = {"strategy_targets": (make_targets().targets(),), "holdings": (holding,), "notes": make_report().notes}
    return plan.model_copy(update=changes)


def make_intent() -> Intent:
    return Intent(
        client_order_id=client_order_id(environment="paper", run=RUN, symbol="TECL", side=Side.SELL, leg=1, step=1),
        leg=1,
        step=1,
        symbol="TECL",
        side=Side.SELL,
        quantity=Decimal("788.123456789"),
        limit_price=Decimal("76.12"),
        cost_price=Decimal("76.12"),
        leg_quantity=Decimal("788.123456789"),
        filled_before=Decimal(0),
        arrival_mid=Decimal("76.125"),
        leg_started_at=SCHEDULED + timedelta(seconds=3),
        authority_epoch=2,
        lease_epoch=7,
        written_at=SCHEDULED + timedelta(seconds=4),
    )


def make_intent_at_market() -> Intent:
    changes = {
        "client_order_id": client_order_id(environment="paper", run=RUN, symbol="BIL", side=Side.BUY, leg=2, step=1),
        "leg": 2,
        "symbol": "BIL",
        "side": Side.BUY,
        "quantity": Decimal("10.5"),
        "limit_price": None,
        "cost_price": Decimal("92.00"),
        "leg_quantity": Decimal("10.5"),
        "arrival_mid": None,
    }
    return make_intent().model_copy(update=changes)


def make_loose_orders() -> LooseOrders:
    intent = make_intent()
    order = LooseOrder(
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        side=intent.side,
        quantity=intent.quantity,
        filled=Decimal("100.5"),
        reason="order 61e69015-8549-4bfd-b9c3-01e75843f47d did not end within 60 s of its cancel",
    )
    return LooseOrders(run_id=RUN, session=SESSION.day, orders=(order,))


def make_book() -> StrategyBook:
    lot = Lot(symbol="TECL", quantity=Decimal("780.123456789"), price=Decimal("70.01"), opened=SESSION.day)
    past = PastLot(symbol="BIL", quantity=Decimal("10.5"), opened=date(2020, 5, 4), closed=SESSION.previous_day)
    return StrategyBook(strategy="tecl", lots=(lot,), realised=Decimal("47.92"), income=Decimal("1.05"), past=(past,))


def make_equity() -> DailyEquity:
    worth = StrategyWorth(
        strategy="tecl",
        market_value=Decimal("59995.90"),
        realised=Decimal("47.92"),
        unrealised=Decimal("4770.5"),
        income=Decimal("1.05"),
    )
    return DailyEquity(
        session=SESSION.day,
        equity=ACCOUNT.equity,
        cash=ACCOUNT.cash,
        strategies=(worth,),
        transferred=Decimal(-250),
    )


def make_told_run() -> ToldRun:
    return ToldRun(run_id=RUN, about="ended", status=RunStatus.COMPLETED, at=DEADLINE)


def make_followed_account() -> FollowedAccount:
    """A run's orders, a person's fill, a split that was booked, and a symbol that nothing explains."""
    before = Lot(symbol="TECL", quantity=Decimal("260.041152263"), price=Decimal("210.03"), opened=SESSION.previous_day)
    after = Lot(symbol="TECL", quantity=Decimal("780.123456789"), price=Decimal("70.01"), opened=SESSION.previous_day)
    entry = BookedEntry(
        activity_id="20200603000000000::1", code="SPLIT", symbol="TECL", quantity=after.quantity, amount=Decimal(0)
    )
    change = BookChange(
        strategy="tecl", realised=Decimal("0.25"), income=Decimal("0.5"), before=(before,), after=(after,)
    )
    return FollowedAccount(
        through=SCHEDULED,
        runs=(
            BookedRun(
                run_id=RUN,
                session=SESSION.day,
                orders=(BookedOrder(order_id="o-1", quantity=Decimal("788.123456789")),),
            ),
        ),
        fills=(BookedFill(activity_id="20200603094501000::2", at=SCHEDULED),),
        events=(
            BookedEvent(
                day=SESSION.day, booked=SESSION.day, entries=(entry,), changes=(change,), transferred=Decimal(1)
            ),
        ),
        blocked=(BlockedSymbol(symbol="GONE", reason="the books have 3 shares of GONE, the account 2"),),
        transferred=Decimal(-250),
    )


def make_targets() -> StoredTargets:
    weights = make_decision().signals[0].weights
    return StoredTargets.of(
        StrategyTargets(
            strategy="tecl",
            decided_for=SESSION.day,
            weights=weights,
            as_of=SESSION.previous_day,
            rules="ef" * 32,
            allocation=0.5,
        )
    )


def make_lease() -> LeaseRecord:
    return LeaseRecord(
        owner="worker-1",
        epoch=7,
        expires_at=SCHEDULED + timedelta(seconds=60),
        unfinished_run=RUN,
        unfinished_until=DEADLINE,
    )


def make_authority() -> Authority:
    return Authority(pipeline=Pipeline.MODULAR, epoch=2, set_by="ada", reason="cutover", set_at=SCHEDULED)


def make_trading_state() -> TradingStateRecord:
    return TradingStateRecord(state=TradingState.REDUCING, who="ada", reason="storm", at=SCHEDULED)


def make_parity() -> Parity:
    return Parity(
        cycle_id=CYCLE,
        verdict=Verdict.EQUIVALENT,
        detail="other data; BIL 0.3750 and 0.3751",
        at=SCHEDULED,
        cause=Cause.DATA,
        differences=(Difference(where="bars BIL 2026-11-20 close", monolith="91.5", modular="91.51"),),
        lacking=(Lacking(pipeline=Pipeline.MODULAR, stage=Stage.STRATEGY, why="failed, StrategyUnknown: lacks data"),),
    )


def make_dry_walk() -> DryWalk:
    return DryWalk(
        run_id=RUN,
        began=SCHEDULED + timedelta(seconds=30),
        ended=SCHEDULED + timedelta(seconds=75),
        legs=make_report().legs,
        reads=21,
        reason="begun 90 s after its plan",
    )


def make_audit_entry() -> AuditEntry:
    return AuditEntry(at=SCHEDULED, who="ada", what="authority: monolith to modular", reason="cutover")


@dataclass(frozen=True)
class Stored:
    """A kind of record: its golden file's name, its model, and one of it."""

    name: str
    model: type[VersionedModel]
    make: Callable[[], VersionedModel]


KINDS = [
    Stored("data-record", RunRecord, make_data_record),
    Stored("run-entry", RunEntry, lambda: RunEntry(run_id=RUN, cycle_id=CYCLE)),
    Stored("journal", JournalHead, make_head),
    Stored("plan", Plan, make_plan_record),
    Stored("intent", Intent, make_intent),
    Stored("intent-at-market", Intent, make_intent_at_market),
    Stored("report", ExecutionReport, make_report),
    Stored("parity", Parity, make_parity),
    Stored("dry-walk", DryWalk, make_dry_walk),
    Stored("judged-span", JudgedSpan, lambda: JudgedSpan(since=SCHEDULED, last=DEADLINE)),
    Stored("lease", LeaseRecord, make_lease),
    Stored("authority", Authority, make_authority),
    Stored(
        "account-binding",
        AccountBinding,
        lambda: AccountBinding(
            account_id=ACCOUNT.account_id, environment="paper", since=SCHEDULED, moved_to="the-other-name"
        ),
    ),
    Stored("trading-state", TradingStateRecord, make_trading_state),
    Stored("book", StrategyBook, make_book),
    Stored("equity", DailyEquity, make_equity),
    Stored("followed-account", FollowedAccount, make_followed_account),
    Stored("loose-orders", LooseOrders, make_loose_orders),
    Stored("told-run", ToldRun, make_told_run),
    Stored("targets", StoredTargets, make_targets),
    Stored(
        "corporate-actions",
        JumpFacts,
        lambda: JumpFacts(symbol="TECL", day=date(2020, 5, 4), raw_before=200.5, raw_after=101.0, splits=(2.0,)),
    ),
    Stored("universe", Universe, lambda: Universe.of({"SPY": 200, "TECL": 131})),
    Stored("audit", AuditEntry, make_audit_entry),
]
