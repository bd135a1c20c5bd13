"""What would have been held: for all days at once exactly what asking day by day gives, rebalancing rules included."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.nodes import Symphony
from alchemiser_strategy.strategy import TreeStrategy
from alchemiser_strategy.strategy_history import day_by_day, strategy_history
from unit.strategy.cases import bars_of


def switching(frequency: str | None = None, threshold: float | None = None) -> Symphony:
    b = Builder()
    calm = b.weight_specified([3, 1], [b.asset("AAA"), b.asset("BBB")])
    wild = b.weight_equal([b.asset("AAA"), b.filter_("rsi", 3, "bottom", 1, [b.asset("BBB"), b.asset("CCC")])])
    condition = b.compare("<", b.indicator("stdev-return", "AAA", 5), b.number(2))
    return b.symphony("switching", b.if_(condition, calm, wild), frequency=frequency, threshold=threshold)


rules = st.one_of(
    st.builds(switching, frequency=st.sampled_from(["daily", "weekly", "monthly", "quarterly", "yearly"])),
    st.builds(switching, threshold=st.sampled_from([0.005, 0.02, 0.1, 0.4])),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules, st.integers(0, 1000), st.sampled_from([0, 0, 9, 80]), st.sampled_from([0, 0, 30]))
def test_all_days_at_once_is_what_day_by_day_gives(symphony: Symphony, seed: int, late: int, gap: int) -> None:
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (70, 3)), axis=0))
    closes[:late, seed % 3] = np.nan
    if gap:
        closes[gap, (seed + 1) % 3] = np.nan
    strategy, bars = TreeStrategy(symphony), bars_of(dict(zip(("AAA", "BBB", "CCC"), closes.T, strict=True)))
    at_once, one_by_one = strategy_history(strategy, bars), day_by_day(strategy, bars)
    assert at_once.symbols == one_by_one.symbols
    assert np.array_equal(at_once.known, one_by_one.known)
    assert at_once.weights == pytest.approx(one_by_one.weights, abs=1e-12)


def test_a_wide_corridor_trades_only_when_the_symbols_change() -> None:
    closes = {"AAA": np.linspace(100, 150, 40), "BBB": np.linspace(100, 80, 40), "CCC": np.full(40, 50.0)}
    held = strategy_history(TreeStrategy(switching(threshold=0.9)), bars_of(closes))
    first = int(held.known.argmax())
    drift = np.array([0.75, 0.25]) * [
        closes["AAA"][-1] / closes["AAA"][first],
        closes["BBB"][-1] / closes["BBB"][first],
    ]
    assert held.weights[-1, :2] == pytest.approx(drift / drift.sum(), abs=1e-12)
