"""What holding weights earns, against a plain day-by-day account."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_strategy.backtest import Backtest, Fill, Prices, combine, run_backtest
from alchemiser_strategy.bars import Floats
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.errors import StrategyError

SYMBOLS = ("A", "B", "C")


def market(seed: int, days: int) -> tuple[tuple[date, ...], Prices, Floats]:
    """Days, prices and weights that leave some cash and sometimes everything."""
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (days, 3)), axis=0))
    opens = np.vstack([closes[:1], closes[:-1]]) * np.exp(rng.normal(0, 0.01, (days, 3)))
    weights = rng.dirichlet([0.5, 0.5, 0.5, 0.5], days)[:, :3]
    weights[rng.random(days) < 0.1] = 0.0
    dates = tuple(date(2020, 1, 1) + timedelta(days=offset) for offset in range(days))
    return dates, Prices(SYMBOLS, opens, closes), weights


def accounted(prices: Prices, weights: Floats, costs_bps: float, fill: Fill) -> list[float]:
    """The same by shares and cash: buy, hold, sell, pay."""
    cost, cash, shares = costs_bps * 1e-4, 1.0, np.zeros(3)
    equity: list[float] = []

    def rebalance(target: Floats, at: Floats) -> None:
        nonlocal cash, shares
        worth = cash + float(shares @ at)
        traded = float(np.abs(target * worth - shares * at).sum())
        worth -= cost * traded
        shares, cash = target * worth / at, worth * (1 - float(target.sum()))

    for day in range(len(weights)):
        if fill is Fill.NEXT_OPEN and day > 0:
            rebalance(weights[day - 1], prices.opens[day])
        if fill is Fill.CLOSE:
            rebalance(weights[day], prices.closes[day])
        equity.append(cash + float(shares @ prices.closes[day]))
    return equity


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([0.0, 5.0, 50.0]), st.sampled_from(list(Fill)))
def test_equity_is_that_of_an_account_that_trades_every_day(seed: int, days: int, costs: float, fill: Fill) -> None:
    dates, prices, weights = market(seed, days)
    result = run_backtest(dates, SYMBOLS, weights, prices, costs_bps=costs, fill=fill)
    np.testing.assert_allclose(result.equity, accounted(prices, weights, costs, fill), rtol=1e-11)


def test_turnover_is_the_larger_of_bought_and_sold() -> None:
    days = tuple(date(2020, 1, day) for day in (1, 2, 3))
    flat = Prices(SYMBOLS, np.full((3, 3), 10.0), np.full((3, 3), 10.0))
    weights = np.array([[0.6, 0.0, 0.0], [0.1, 0.3, 0.0], [0.0, 0.0, 0.0]])
    by_close = run_backtest(days, SYMBOLS, weights, flat, fill=Fill.CLOSE)
    np.testing.assert_allclose(by_close.turnover, [0.6, 0.5, 0.4])
    by_open = run_backtest(days, SYMBOLS, weights, flat)
    np.testing.assert_allclose(by_open.turnover, [0.0, 0.6, 0.5])


def test_later_days_change_no_earlier_equity() -> None:
    dates, prices, weights = market(7, 50)

    def until(days: int) -> Backtest:
        return run_backtest(dates[:days], SYMBOLS, weights[:days], prices.between(0, days), costs_bps=5)

    np.testing.assert_array_equal(until(30).equity, until(50).equity[:30])


def test_strategies_add_up_by_their_fractions_and_an_unknown_day_is_cash() -> None:
    days = (date(2020, 1, 1), date(2020, 1, 2))
    one = History(days, ("A", "B"), np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([True, True]))
    two = History(days, ("B", "C"), np.array([[0.0, 0.0], [0.5, 0.5]]), np.array([False, True]))
    symbols, weights = combine([(one, 0.6), (two, 0.4)])
    assert symbols == SYMBOLS
    np.testing.assert_allclose(weights, [[0.3, 0.3, 0.0], [0.6, 0.2, 0.2]])


def test_what_cannot_be_simulated_is_named() -> None:
    dates, prices, weights = market(1, 5)
    with pytest.raises(StrategyError, match="at least 2 sessions, there are 1"):
        run_backtest(dates[:1], SYMBOLS, weights[:1], prices.between(0, 1))
    with pytest.raises(StrategyError, match=r"costs are -1\.0 basis points"):
        run_backtest(dates, SYMBOLS, weights, prices, costs_bps=-1.0)
    holed = prices.closes.copy()
    holed[3, 1] = np.nan
    weights[:, 1] = 0.2
    with pytest.raises(StrategyError, match="B is held on 2020-01-04 but has no price then"):
        run_backtest(dates, SYMBOLS, weights, Prices(SYMBOLS, prices.opens, holed))
