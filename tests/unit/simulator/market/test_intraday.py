"""Prices within a session: they start at the open, touch high and low, end at the close, and never leave the bar."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_simulator.market.intraday import DayBar, SpreadModel, displayed_size, mid_path, quote_path

PRICE = st.floats(0.02, 50_000.0)


@st.composite
def bars(draw: st.DrawFn) -> DayBar:
    first, second = draw(PRICE), draw(PRICE)
    low, high = min(first, second), max(first, second)
    where = st.floats(0.0, 1.0)
    opened, close = (low + (high - low) * draw(where) for _ in "oc")
    return DayBar(
        draw(st.sampled_from(["AAA", "BBB"])),
        date.fromordinal(draw(st.integers(730_000, 739_000))),
        draw(st.sampled_from([12_600, 23_400])),
        min(max(opened, low), high),
        high,
        low,
        min(max(close, low), high),
        draw(st.floats(1.0, 1e9)),
    )


@given(bars())
@settings(max_examples=60, deadline=None)
def test_the_path_is_the_bar(bar: DayBar) -> None:
    mid = mid_path(bar, np.arange(bar.seconds + 1, dtype=np.float64))
    span = bar.high - bar.low
    assert mid[0] == bar.open
    assert mid[-1] == bar.close
    assert mid.min() >= bar.low
    assert mid.max() <= bar.high
    assert mid.max() >= bar.high - 1e-6 * span - 1e-9
    assert mid.min() <= bar.low + 1e-6 * span + 1e-9


@given(bars())
@settings(max_examples=60, deadline=None)
def test_quotes_surround_the_mid_within_the_widest_spread_and_never_cross(bar: DayBar) -> None:
    model = SpreadModel()
    seconds = np.arange(bar.seconds + 1, dtype=np.float64)
    path = quote_path(bar, seconds, model)
    tick = float(path.tick)
    bid, ask, mid = path.bid * tick, path.ask * tick, mid_path(bar, seconds)
    slack = 1e-6 * bar.high + tick * 1.001
    assert (path.bid > 0).all()
    assert (path.ask > path.bid).all()
    assert (ask >= mid - slack).all()
    assert (bid <= mid + slack).all()
    assert (bid >= bar.low * (1 - model.ceiling / 2) - slack).all()
    assert (ask <= bar.high * (1 + model.ceiling / 2) + slack).all()


@given(bars(), st.integers(0, 12_600))
@settings(max_examples=60, deadline=None)
def test_one_second_asked_alone_is_that_second_of_the_whole_day(bar: DayBar, second: int) -> None:
    day = quote_path(bar, np.arange(bar.seconds + 1, dtype=np.float64), SpreadModel())
    alone = quote_path(bar, np.array([second], dtype=np.float64), SpreadModel())
    assert (alone.bid[0], alone.ask[0]) == (day.bid[second], day.ask[second])
    assert displayed_size(bar, second, "bid") == displayed_size(bar, second, "bid") >= 100


def test_the_spread_is_widest_at_the_opening_bell() -> None:
    bar = DayBar("AAA", date(2024, 1, 2), 23_400, 100.0, 101.0, 99.0, 100.0, 1e5)
    path = quote_path(bar, np.array([0.0, 3600.0]), SpreadModel())
    assert path.ask[0] - path.bid[0] > 2 * (path.ask[1] - path.bid[1])
