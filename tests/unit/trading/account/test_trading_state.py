"""What the account may do."""

import pytest

from alchemiser_common import keys
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import StateCorrupt
from alchemiser_common.ports.state import ABSENT, Put
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.trading_state import trading_state


def test_a_switch_that_cannot_be_read_is_no_permission(store: SqliteStateStore) -> None:
    assert trading_state(store, "demo") is TradingState.ACTIVE
    store.write(Put(keys.trading_state_record("demo"), '{"state":"sure"}', ABSENT))
    with pytest.raises(StateCorrupt):
        trading_state(store, "demo")
