"""The account's trading state: ACTIVE, REDUCING (only orders that reduce exposure) or HALTED (only cancels).

No record means ACTIVE: the permission to trade is the authority record. Read before every order; if it cannot be
read, no order is sent.
"""

from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.ports.state import ABSENT, StateStore, load, put_over
from alchemiser_common.records.trading_state import TradingState, TradingStateRecord
from alchemiser_trading.account.audit import Change


def read_trading_state(store: StateStore, account_alias: str) -> TradingStateRecord | None:
    """The record, or None if nobody ever changed it (ACTIVE). Raises StoreUnavailable or StateCorrupt."""
    known = load(store, keys.trading_state_record(account_alias), TradingStateRecord)
    return None if known is None else known.value


def trading_state(store: StateStore, account_alias: str) -> TradingState:
    """What the account may do now. Raises StoreUnavailable or StateCorrupt: then nothing may be sent."""
    record = read_trading_state(store, account_alias)
    return TradingState.ACTIVE if record is None else record.state


def set_trading_state(
    store: StateStore, account_alias: str, state: TradingState, *, who: str, reason: str, now: datetime
) -> TradingStateRecord:
    """Change the state, at any time, with an audit record. Raises Conflict if another change comes first."""
    key = keys.trading_state_record(account_alias)
    known = load(store, key, TradingStateRecord)
    before = known.value.state if known else TradingState.ACTIVE
    change = Change(f"trading: {before.value} to {state.value}", who, reason, now)
    record = TradingStateRecord(state=state, who=who, reason=reason, at=now)
    number = (known.version if known else ABSENT) + 1
    store.write(put_over(known, key, record), change.entry(account_alias, f"switch-{number}"))
    return record
