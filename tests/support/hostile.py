"""Records whose every free text tries to act on the page that shows it."""

from datetime import UTC, datetime
from decimal import Decimal

from alchemiser_cli.stored_runs import list_runs
from alchemiser_common import keys
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.ports.state import ABSENT, StateStore, load, put, put_over
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.records.books import DailyEquity, Lot, StrategyBook, StrategyWorth
from alchemiser_common.records.run import RunEntry, RunRecord
from alchemiser_common.records.trading_state import TradingState, TradingStateRecord

TAKES = "document.title='taken'"
HOSTILE = f'<img src=x onerror="{TAKES}"></script><script>{TAKES}</script>\'" \x1b[31m\x00\u202e'
AT = datetime(2020, 2, 6, 12, tzinfo=UTC)


def plant(state: StateStore, alias: str) -> None:
    """Into a store of a few runs: in reports, notes, books, worth, switch, audit, and the name of a run."""
    last = list_runs(state, alias, limit=1)[0]
    known = load(state, keys.report_record(last.run_id), ExecutionReport)
    assert known is not None
    legs = tuple(leg.model_copy(update={"reason": HOSTILE}) for leg in known.value.legs)
    changes = {"reason": HOSTILE, "notes": (HOSTILE,), "error": HOSTILE, "legs": legs}
    state.write(put_over(known, keys.report_record(last.run_id), known.value.model_copy(update=changes)))
    record = load(state, keys.data_record(last.run_id), RunRecord)
    assert record is not None
    state.write(put_over(record, keys.data_record(last.run_id), record.value.model_copy(update={"reason": HOSTILE})))
    lot = Lot(symbol="TECL", quantity=Decimal(1), price=Decimal(10), opened=AT.date())
    state.write(put(keys.strategy_book(alias, HOSTILE), StrategyBook(strategy=HOSTILE, lots=(lot,)), ABSENT))
    worth = StrategyWorth(strategy=HOSTILE, market_value=Decimal(1), realised=Decimal(1), unrealised=Decimal(0))
    equity = DailyEquity(session=AT.date(), equity=Decimal(100_000), cash=Decimal(1), strategies=(worth,))
    state.write(put(keys.equity_record(alias, AT.date()), equity, ABSENT))
    switch = TradingStateRecord(state=TradingState.HALTED, who=HOSTILE, reason=HOSTILE, at=AT)
    state.write(put(keys.trading_state_record(alias), switch, ABSENT))
    entry = AuditEntry(at=AT, who=HOSTILE, what=HOSTILE, reason=HOSTILE)
    state.write(put(keys.audit_record(alias, AT, "hostile"), entry, ABSENT))
    state.write(
        put(
            keys.run_entry(alias, AT, last.record.pipeline if last.record else record.value.pipeline),
            RunEntry(run_id=last.run_id, cycle_id=last.cycle_id),
            ABSENT,
        )
    )
