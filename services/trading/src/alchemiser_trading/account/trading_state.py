"""The account's switch: ACTIVE, REDUCING (only orders that reduce exposure) or HALTED (only cancels).

Absent means ACTIVE: authority is what must be given. Read before every order; unreadable means no order.
"""

from datetime import datetime
from enum import StrEnum

from alchemiser_common import keys
from alchemiser_common.ids import Side
from alchemiser_common.messages.base import Frozen, UtcTime
from alchemiser_common.ports.state import ABSENT, StateStore, load, put
from alchemiser_trading.account.audit import AuditEntry


class TradingState(StrEnum):
    """What the account may do."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"

    def allows(self, side: Side) -> bool:
        """Whether an order of that side may be sent; this system is long only, so a sell reduces exposure."""
        return self is TradingState.ACTIVE or (self is TradingState.REDUCING and side is Side.SELL)


class TradingStateRecord(Frozen):
    """The state, since when, by whom and why."""

    state: TradingState
    who: str
    reason: str
    at: UtcTime


def read_trading_state(store: StateStore, account_alias: str) -> TradingStateRecord | None:
    """The switch, or None if nobody ever touched it (ACTIVE). Raises StoreUnavailable or StateCorrupt."""
    known = load(store, keys.switch_record(account_alias), TradingStateRecord)
    return None if known is None else known.value


def trading_state(store: StateStore, account_alias: str) -> TradingState:
    """What the account may do now. Raises StoreUnavailable or StateCorrupt: then nothing may be sent."""
    switch = read_trading_state(store, account_alias)
    return TradingState.ACTIVE if switch is None else switch.state


def set_trading_state(
    store: StateStore, account_alias: str, state: TradingState, *, who: str, reason: str, now: datetime
) -> TradingStateRecord:
    """Change the state, at any time, with an audit record. Raises Conflict if another change comes first."""
    if not who.strip() or not reason.strip():
        raise ValueError("a change of the trading state needs who and reason")
    key = keys.switch_record(account_alias)
    known = load(store, key, TradingStateRecord)
    before = known.value.state if known else TradingState.ACTIVE
    switch = TradingStateRecord(state=state, who=who, reason=reason, at=now)
    entry = AuditEntry(at=now, who=who, what=f"trading: {before.value} to {state.value}", reason=reason)
    version = known.version if known else ABSENT
    store.write(put(key, switch, version), entry.put(account_alias, f"switch-{version + 1}"))
    return switch
