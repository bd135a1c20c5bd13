"""Execution quality: means weigh by notional, and the histogram counts every order once."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_cli.report.model import OrderRow
from alchemiser_cli.report.slippage import distribution, quality
from alchemiser_common.ids import Side


def order(symbol: str, notional: int, bps: str | None, steps: int = 1) -> OrderRow:
    cost = None if bps is None else Decimal(bps)
    mid = None if bps is None else Decimal(1)
    return OrderRow(date(2025, 1, 6), symbol, Side.BUY, Decimal(notional), Decimal(1), mid, cost, steps, 2.0)


def test_means_weigh_by_notional_and_skip_what_was_not_measured() -> None:
    found = quality([order("SPY", 300, "1"), order("TLT", 100, "5", steps=3), order("GLD", 900, None)])
    assert found is not None
    assert (found.orders, found.mean_bps, found.median_bps, found.mean_steps) == (2, Decimal(2), 3.0, 2.0)
    assert found.cost == Decimal("0.08")
    assert [(cost.symbol, cost.mean_bps) for cost in found.by_symbol] == [("SPY", Decimal(1)), ("TLT", Decimal(5))]


def test_orders_without_a_mid_have_no_quality() -> None:
    assert quality([order("SPY", 1, None)]) is None
    assert distribution([order("SPY", 1, None)]) == ()


def test_orders_of_no_notional_count_alike() -> None:
    found = quality([order("SPY", 0, "1"), order("SPY", 0, "3")])
    assert found is not None
    assert found.mean_bps == Decimal(2)


@given(st.lists(st.decimals(-500, 500, places=3), min_size=1, max_size=120))
@settings(max_examples=80, deadline=None)
def test_every_order_is_in_one_bin(values: list[Decimal]) -> None:
    bins = distribution([order("SPY", 1, str(value)) for value in values])
    assert sum(each.orders for each in bins) == len(values)
    assert len(bins) <= 45
    assert all(left.high == pytest.approx(right.low) for left, right in pairwise(bins))
