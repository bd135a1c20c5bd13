"""An account as stored: reads the state, puts its records side by side, changes nothing."""

from decimal import Decimal

from alchemiser_cli.stored_lists import newest
from alchemiser_cli.stored_runs import list_parities, list_runs, one_of, read_run
from alchemiser_common import keys
from alchemiser_common.account_binding import read_binding
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.books import DailyEquity, FollowedAccount, StrategyBook
from alchemiser_common.records.journal import JournalHead
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_common.records.loose import LooseOrders
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunEntry
from alchemiser_common.records.trading_state import TradingStateRecord
from alchemiser_readmodel.account import AccountRecords
from alchemiser_readmodel.performance import Worth, worths
from alchemiser_readmodel.symbol_gains import PlannedRun

NEWEST_RUNS = 60
"""Both pipelines' of thirty days."""
_FIRST_RUNS = 40
"""Oldest runs among which the first that read the account is looked for: one is skipped or fails now and then."""


def read_account(state: StateStore, alias: str, *, runs: int = NEWEST_RUNS) -> AccountRecords:
    """Everything about the account, and its newest runs. Raises StoreUnavailable, StateCorrupt."""
    listed = list_runs(state, alias, limit=runs)
    account = keys.account_partition(alias)
    binding = read_binding(state, alias)
    equity = _equity(state, alias)
    plans = (one_of(state, keys.plan_record(run.run_id), Plan) for run in listed if run.head is not None)
    return AccountRecords(
        alias=alias,
        binding=None if binding is None else binding.value,
        authority=one_of(state, keys.authority_record(alias), Authority),
        switch=one_of(state, keys.trading_state_record(alias), TradingStateRecord),
        lease=one_of(state, keys.lease_record(alias), LeaseRecord),
        loose=tuple(item.value for item in load_all(state, account, LooseOrders, prefix=keys.LOOSE_PREFIX)),
        books=tuple(item.value for item in load_all(state, account, StrategyBook, prefix=keys.BOOK_PREFIX)),
        followed=one_of(state, keys.followed_account(alias), FollowedAccount),
        equity=equity,
        opening=_opening(state, alias) if equity else None,
        runs=tuple(listed),
        plan=next((plan for plan in plans if plan is not None), None),
        parities=tuple(list_parities(state, alias, listed)),
    )


def read_curve(state: StateStore, alias: str) -> tuple[Worth, ...]:
    """The account's worth, oldest first, as `AccountRecords.curve`. Raises StoreUnavailable, StateCorrupt."""
    equity = _equity(state, alias)
    return worths(equity, _opening(state, alias) if equity else None)


def newest_plans(state: StateStore, alias: str, *, runs: int) -> list[Plan]:
    """Of the account's newest `runs`, the plans of those that came to one and traded, oldest first."""
    found = []
    for entry in load_all(state, keys.runs_partition(alias), RunEntry, limit=runs, descending=True):
        plan = one_of(state, keys.plan_record(entry.value.run_id), Plan)
        head = None if plan is None else one_of(state, keys.journal_record(plan.run_id), JournalHead)
        if plan is not None and head is not None and head.phase is not RunStatus.SHADOWED:
            found.append(plan)
    return found[::-1]


def planned_runs(state: StateStore, alias: str) -> list[PlannedRun]:
    """Every run of the account that sent its plan's orders, oldest first, with what it did."""
    found = []
    for entry in load_all(state, keys.runs_partition(alias), RunEntry):
        run = read_run(state, entry.value.run_id)
        plan = None if run is None or run.head is None else one_of(state, keys.plan_record(run.run_id), Plan)
        if run is not None and plan is not None and run.traded:
            found.append(PlannedRun(plan, run.report))
    return found


def audit_before(state: StateStore, alias: str, *, before: str = "", limit: int) -> list[tuple[str, AuditEntry]]:
    """At most `limit` of what people changed, the newest first, each with the place that `before` takes."""
    return newest(state, keys.audit_partition(alias), AuditEntry, limit=limit, before=before)


def _equity(state: StateStore, alias: str) -> tuple[DailyEquity, ...]:
    return tuple(item.value for item in load_all(state, keys.equity_partition(alias), DailyEquity))


def _opening(state: StateStore, alias: str) -> Decimal | None:
    """Equity before the first run that came to a plan and traded."""
    for entry in load_all(state, keys.runs_partition(alias), RunEntry, limit=_FIRST_RUNS):
        run = read_run(state, entry.value.run_id)
        report = None if run is None or not run.traded else run.report
        if report is not None and report.account_before is not None:
            return report.account_before.equity
    return None
