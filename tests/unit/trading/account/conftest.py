"""A real store, and a clock that stands still."""

from pathlib import Path

import pytest

from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from support.clock import ManualClock
from support.messages import SCHEDULED


@pytest.fixture
def store(tmp_path: Path) -> SqliteStateStore:
    return SqliteStateStore(tmp_path / "state.sqlite")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SCHEDULED)
