"""Identities depend on what they identify and on nothing else."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import (
    CLIENT_ORDER_ID_LIMIT,
    Pipeline,
    Side,
    client_order_id,
    cycle_id,
    run_id,
    scheduled_time,
)

WHEN = datetime(2026, 11, 23, 14, 45, tzinfo=UTC)


def test_the_same_trigger_gives_the_same_ids_in_any_time_zone() -> None:
    elsewhere = WHEN.astimezone(timezone(timedelta(hours=-5)))
    assert cycle_id("paper", WHEN) == cycle_id("paper", elsewhere) == "paper:2026-11-23T14:45:00Z"
    assert scheduled_time(cycle_id("paper", elsewhere)) == WHEN
    assert str(run_id(cycle_id("paper", WHEN), Pipeline.MODULAR)) == "16657ca3-2c50-5068-b9ee-d03afc055b01"
    assert run_id(cycle_id("paper", WHEN), Pipeline.MONOLITH) != run_id(cycle_id("paper", WHEN), Pipeline.MODULAR)


@pytest.mark.parametrize(
    ("alias", "when"), [("Paper", WHEN), ("", WHEN), ("a:b", WHEN), ("paper", WHEN.replace(tzinfo=None))]
)
def test_an_identity_of_nonsense_is_refused(alias: str, when: datetime) -> None:
    with pytest.raises(ValueError, match=r"account alias|no time zone"):
        cycle_id(alias, when)


def test_every_part_of_a_client_order_id_counts() -> None:
    runs = [run_id(cycle_id("paper", WHEN + timedelta(days=day)), Pipeline.MODULAR) for day in range(2)]
    ids = {
        client_order_id(environment=environment, run=run, symbol=symbol, side=side, leg=leg, step=step)
        for environment, run, symbol, side, leg, step in itertools.product(
            ("paper", "live"), runs, ("BRK.B", "BRKB", "BRK/B"), Side, range(3), range(3)
        )
    }
    assert len(ids) == 2 * 2 * 3 * 2 * 3 * 3


@given(st.from_regex(r"[A-Z0-9][A-Z0-9./-]{0,19}", fullmatch=True), st.integers(0, 999), st.integers(0, 99))
def test_a_client_order_id_always_fits_the_broker(symbol: str, leg: int, step: int) -> None:
    run = run_id(cycle_id("paper", WHEN), Pipeline.MODULAR)
    made = client_order_id(environment="simulated", run=run, symbol=symbol, side=Side.SELL, leg=leg, step=step)
    assert len(made) <= CLIENT_ORDER_ID_LIMIT
    assert made.isascii()
