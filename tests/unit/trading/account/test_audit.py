"""The trail of what people changed."""

import pytest

from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.ids import Pipeline
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.audit import read_audit
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.account.trading_state import set_trading_state
from support.leases import MINUTE
from support.messages import SCHEDULED


def test_the_trail_tells_every_change(store: SqliteStateStore) -> None:
    set_authority(store, "demo", Pipeline.MONOLITH, who="ann", reason="start", now=SCHEDULED)
    set_trading_state(store, "demo", TradingState.HALTED, who="bob", reason="news", now=SCHEDULED + MINUTE)
    assert [(entry.who, entry.what) for entry in read_audit(store, "demo")] == [
        ("ann", "authority: nobody to monolith"),
        ("bob", "trading: active to halted"),
    ]


def test_who_and_why_are_asked_for(store: SqliteStateStore) -> None:
    with pytest.raises(ValueError, match="who and reason"):
        set_authority(store, "demo", Pipeline.MODULAR, who=" ", reason="x", now=SCHEDULED)
    with pytest.raises(ValueError, match="who and reason"):
        set_trading_state(store, "demo", TradingState.HALTED, who="x", reason="", now=SCHEDULED)
