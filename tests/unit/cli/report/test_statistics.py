"""Performance figures: worked by hand, equal to their definitions, and refused for curves that mean nothing."""

from datetime import date, timedelta
from math import inf, nan, sqrt
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_cli.report import statistics
from alchemiser_cli.report.errors import UnusableSeries
from alchemiser_cli.report.statistics import DayReturn, Drawdown, Floats, Turnover, performance

START = date(2024, 1, 2)
equities = st.lists(st.floats(1e-3, 1e9), min_size=2, max_size=60).map(np.array)


def days(number: int) -> list[date]:
    return [START + timedelta(days=offset) for offset in range(number)]


def curve(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def near(value: float) -> float:
    return cast("float", pytest.approx(value))


def test_a_curve_worked_by_hand() -> None:
    figures = performance(days(5), curve(100, 110, 99, 99, 118.8))
    assert figures.total_return == pytest.approx(0.188)
    assert figures.cagr == pytest.approx(1.188**63 - 1)
    mean = 0.05
    deviation = sqrt((0.05**2 + 0.15**2 + 0.05**2 + 0.15**2) / 3)
    assert figures.volatility == pytest.approx(deviation * sqrt(252))
    assert figures.sharpe == pytest.approx(mean / deviation * sqrt(252))
    assert figures.sortino == pytest.approx(mean / sqrt(0.1**2 / 4) * sqrt(252))
    assert figures.max_drawdown == Drawdown(near(-0.1), START + timedelta(1), START + timedelta(2), days(5)[4])
    assert figures.best == DayReturn(days(5)[4], near(0.2))
    assert figures.worst == DayReturn(days(5)[2], near(-0.1))
    assert figures.positive_sessions == 0.5
    assert figures.sessions == 4


def test_a_drawdown_that_is_not_recovered_has_no_recovery() -> None:
    fall = statistics.max_drawdown(days(4), curve(10, 8, 9, 7))
    assert fall == Drawdown(near(-0.3), days(4)[0], days(4)[3], None)


def test_a_drawdown_starts_on_the_last_day_at_the_peak() -> None:
    fall = statistics.max_drawdown(days(5), curve(10, 12, 12, 6, 12))
    assert fall is not None
    assert (fall.start, fall.recovery) == (days(5)[2], days(5)[4])


@pytest.mark.parametrize("values", [curve(100, 100, 100), curve(100, 101, 102.01)], ids=["flat", "steady gain"])
def test_ratios_without_risk_are_undefined(values: Floats) -> None:
    figures = performance(days(3), values)
    assert figures.sharpe is None
    assert figures.sortino is None
    assert figures.max_drawdown is None


def test_one_return_has_no_volatility() -> None:
    figures = performance(days(2), curve(100, 90))
    assert (figures.volatility, figures.sharpe, figures.sortino) == (None, None, None)
    assert figures.best == figures.worst


def test_a_growth_rate_that_no_float_holds_is_undefined() -> None:
    assert performance(days(2), curve(1, 100)).cagr is None


REFUSED = [
    (curve(), 0, "equity has 0 points, at least 2 are needed"),
    (curve(1), 1, "equity has 1 points"),
    (curve(1, 2), 3, r"equity has shape \(2,\), there are 3 days"),
    (curve(1, nan), 2, "equity of 2024-01-03 is nan"),
    (curve(1, inf), 2, "equity of 2024-01-03 is inf"),
    (curve(0, 1), 2, "equity of 2024-01-02 is 0.0, it must be finite and above 0"),
    (curve(1, -1), 2, "equity of 2024-01-03 is -1.0"),
    (np.ones((2, 2)), 2, r"equity has shape \(2, 2\)"),
]


@pytest.mark.parametrize(("values", "number", "words"), REFUSED)
def test_a_curve_that_means_nothing_is_refused(values: Floats, number: int, words: str) -> None:
    with pytest.raises(UnusableSeries, match=words):
        performance(days(number), values)


def test_days_out_of_order_are_refused() -> None:
    with pytest.raises(UnusableSeries, match="2024-01-02 follows 2024-01-02: days must ascend"):
        performance([START, START], curve(1, 2))


def test_turnover_is_a_mean_day_and_a_year_of_such_days() -> None:
    assert statistics.turnover(curve(1.0, 0.5, 0.0, 0.3)) == Turnover(near(0.45), near(0.45 * 252))
    assert statistics.turnover(curve()) == Turnover(0.0, 0.0)
    with pytest.raises(UnusableSeries, match="turnover"):
        statistics.turnover(curve(0.1, nan))


def test_months_compound_to_their_year_and_the_first_point_is_only_a_start() -> None:
    when = [date(2023, 11, 30), date(2023, 12, 15), date(2023, 12, 29), date(2024, 2, 1), date(2024, 2, 29)]
    table = statistics.monthly_returns(when, curve(100, 105, 110, 121, 99))
    assert [year.year for year in table] == [2023, 2024]
    assert table[0].months == (*[None] * 11, pytest.approx(0.1))
    assert table[0].total == pytest.approx(0.1)
    assert table[1].months == (None, pytest.approx(-0.1), *[None] * 10)


@given(equities)
@settings(max_examples=100, deadline=None)
def test_figures_agree_with_their_definitions(equity: Floats) -> None:
    when = days(len(equity))
    figures = performance(when, equity)
    pairs = [(low / high - 1, j) for j, low in enumerate(equity) for high in equity[: j + 1]]
    deepest = min(depth for depth, _ in pairs)
    assert (figures.max_drawdown.depth if figures.max_drawdown else 0.0) == pytest.approx(deepest)
    months = [month for year in statistics.monthly_returns(when, equity) for month in year.months if month is not None]
    assert np.prod([1 + month for month in months]) == pytest.approx(1 + figures.total_return)
    assert figures.worst.value <= figures.best.value
    if figures.max_drawdown:
        assert figures.max_drawdown.start < figures.max_drawdown.trough
        assert figures.max_drawdown.recovery is None or figures.max_drawdown.recovery > figures.max_drawdown.trough


@given(equities, st.sampled_from([0.25, 2.0, 1024.0]))
@settings(max_examples=50, deadline=None)
def test_the_unit_of_equity_does_not_matter(equity: Floats, factor: float) -> None:
    figures, scaled = (performance(days(len(equity)), values) for values in (equity, equity * factor))
    assert scaled.total_return == figures.total_return
    assert scaled.sharpe == figures.sharpe
    assert scaled.max_drawdown == figures.max_drawdown
