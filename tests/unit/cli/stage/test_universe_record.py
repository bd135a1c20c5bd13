"""The stored universe: wide enough for both sides of a change, exact after it."""

from pathlib import Path

from alchemiser_cli.stage.universe_record import read_universe, settle, widen
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.records.universe import lacking

LIVE, NEXT = {"SPY": 200, "TQQQ": 15}, {"SPY": 60, "QQQ": 30}


def test_it_covers_what_is_live_and_what_comes_until_it_is_settled(tmp_path: Path) -> None:
    store = SqliteStateStore(tmp_path / "state.db")
    assert read_universe(store, "paper") is None
    assert widen(store, "paper", LIVE).bars == LIVE
    assert widen(store, "paper", NEXT).bars == {"SPY": 200, "TQQQ": 15, "QQQ": 30}
    for needed in (LIVE, NEXT):
        assert lacking(needed, read(store)) == ()
    assert settle(store, "paper", NEXT)
    assert read(store) == NEXT
    assert not settle(store, "paper", NEXT)
    assert read_universe(store, "other") is None


def read(store: SqliteStateStore) -> dict[str, int]:
    found = read_universe(store, "paper")
    assert found is not None
    return dict(found.bars)
