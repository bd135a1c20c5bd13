"""What holding weights earns, against a plain day-by-day account."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_strategy.backtest import Backtest, Fill, Part, Prices, run_backtest
from alchemiser_strategy.bars import Floats
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.errors import StrategyError
from support.backtests import SYMBOLS, daily, market, rules_on


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
    result = run_backtest(daily(dates, weights), prices, costs_bps=costs, fill=fill)
    np.testing.assert_allclose(result.equity, accounted(prices, weights, costs, fill), rtol=1e-11)


def test_turnover_is_the_larger_of_bought_and_sold() -> None:
    days = tuple(date(2020, 1, day) for day in (1, 2, 3))
    flat = Prices(SYMBOLS, np.full((3, 3), 10.0), np.full((3, 3), 10.0))
    weights = np.array([[0.6, 0.0, 0.0], [0.1, 0.3, 0.0], [0.0, 0.0, 0.0]])
    by_close = run_backtest(daily(days, weights), flat, fill=Fill.CLOSE)
    np.testing.assert_allclose(by_close.turnover, [0.6, 0.5, 0.4])
    by_open = run_backtest(daily(days, weights), flat)
    np.testing.assert_allclose(by_open.turnover, [0.0, 0.6, 0.5])


def test_later_days_change_no_earlier_equity() -> None:
    dates, prices, weights = market(7, 50)

    def until(days: int) -> Backtest:
        return run_backtest(daily(dates[:days], weights[:days]), prices.between(0, days), costs_bps=5)

    np.testing.assert_array_equal(until(30).equity, until(50).equity[:30])


def test_strategies_add_up_by_their_fractions_and_an_unknown_day_is_cash() -> None:
    days = (date(2020, 1, 1), date(2020, 1, 2))
    flat = Prices(SYMBOLS, np.full((2, 3), 10.0), np.full((2, 3), 10.0))
    one = History(days, ("A", "B"), np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([True, True]), np.array([0, 1]))
    two = History(days, ("B", "C"), np.array([[0.0, 0.0], [0.5, 0.5]]), np.array([False, True]), np.array([-1, 1]))
    result = run_backtest([(one, 0.6), (two, 0.4)], flat)
    assert result.symbols == SYMBOLS
    np.testing.assert_allclose(result.weights, [[0.3, 0.3, 0.0], [0.6, 0.2, 0.2]])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 90), st.sampled_from(list(Fill)), st.sampled_from([0.0, 20.0]))
def test_what_holds_is_not_traded_and_the_rest_is_as_an_account_of_shares_says(
    seed: int, days: int, fill: Fill, costs: float
) -> None:
    parts, prices = rules_on(seed, days)
    result = run_backtest(parts, prices, costs_bps=costs, fill=fill)
    equity, turnover = shared_account(parts, prices, costs * 1e-4, fill)
    np.testing.assert_allclose(result.equity, equity, rtol=1e-10)
    np.testing.assert_allclose(result.turnover, turnover, atol=1e-10)
    held_alone = run_backtest([(parts[0][0], 1.0)], prices, costs_bps=costs, fill=fill)
    due = parts[0][0].decided == np.arange(days)
    late = int(fill is Fill.NEXT_OPEN)
    assert np.count_nonzero(held_alone.turnover[late:][~due[: days - late]]) == 0, "nothing between due days, exactly"


def shared_account(parts: list[Part], prices: Prices, cost: float, fill: Fill) -> tuple[list[float], list[float]]:
    """The same by plain dictionaries of shares: who gives targets trades to them with what holders leave."""
    books: list[dict[int, float]] = [{} for _ in parts]
    cash, equity, turnover = 1.0, [], []
    for day in range(len(prices.closes)):
        decision = day - 1 if fill is Fill.NEXT_OPEN else day
        at = (prices.opens if fill is Fill.NEXT_OPEN else prices.closes)[day]
        turned = 0.0
        if decision >= 0:
            worth = cash + sum(book[c] * at[c] for book in books for c in book)
            gives = [history.decided[decision] == decision for history, _ in parts]
            left = worth - sum(b[c] * at[c] for b, g in zip(books, gives, strict=True) if not g for c in b)
            asked = worth * sum(f * h.weights[decision].sum() for (h, f), g in zip(parts, gives, strict=True) if g)
            scale = min(1.0, left / asked) if asked else 1.0
            after = [
                {c: scale * f * worth * h.weights[decision][c] / at[c] for c in range(3)} if g else book
                for (h, f), g, book in zip(parts, gives, books, strict=True)
            ]
            change = [
                sum(a.get(c, 0) - b.get(c, 0) for a, b in zip(after, books, strict=True)) * at[c] for c in range(3)
            ]
            bought, sold = sum(x for x in change if x > 0), -sum(x for x in change if x < 0)
            paid = cost * (bought + sold)
            keeps = 1 - paid / left if any(gives) else 1.0
            books = [{c: n * keeps for c, n in a.items()} if g else a for a, g in zip(after, gives, strict=True)]
            cash = worth - paid - sum(book[c] * at[c] for book in books for c in book)
            turned = max(bought, sold) / worth
        equity.append(cash + sum(book[c] * prices.closes[day][c] for book in books for c in book))
        turnover.append(turned)
    return equity, turnover


def test_what_cannot_be_simulated_is_named() -> None:
    dates, prices, weights = market(1, 5)
    with pytest.raises(StrategyError, match="at least 2 sessions, there are 1"):
        run_backtest(daily(dates[:1], weights[:1]), prices.between(0, 1))
    with pytest.raises(StrategyError, match=r"costs are -1\.0 basis points"):
        run_backtest(daily(dates, weights), prices, costs_bps=-1.0)
    holed = prices.closes.copy()
    holed[3, 1] = np.nan
    weights[:, 1] = 0.2
    with pytest.raises(StrategyError, match="B is held on 2020-01-04 but has no price then"):
        run_backtest(daily(dates, weights), Prices(SYMBOLS, prices.opens, holed))
    once = [(replace(daily(dates, weights)[0][0], decided=np.zeros(5, dtype=np.int64)), 1.0)]
    with pytest.raises(StrategyError, match="B is held on 2020-01-04 but has no price then"):
        run_backtest(once, Prices(SYMBOLS, prices.opens, holed))
