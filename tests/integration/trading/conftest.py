"""A quiet simulated market: prices stand still, so that what changes is what the test changes."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from support.trading_rig import Rig, exchange, quiet_market

PRICES = {"AAA": 100.0, "BBB": 50.0, "CCC": 20.0, "DDD": 10.0}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """100,000 USD in cash and 1,000 CCC: a switch into AAA and BBB sells one and buys two."""
    with exchange(quiet_market(PRICES), tmp_path) as made:
        made.control.set_holding("CCC", Decimal("1000.123456789"))
        yield made
