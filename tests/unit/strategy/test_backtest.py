"""What holding weights earns, against accounts that are kept by hand."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_strategy.backtest import Backtest, Fill, Part, Prices, run_backtest
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.engine.nodes import Frequency, Rebalance
from alchemiser_strategy.engine.rebalance import held
from alchemiser_strategy.errors import StrategyError
from support.backtests import SYMBOLS, daily, market, rules_on
from support.plain_account import plain_account

RULES = [*map(Rebalance, Frequency), Rebalance(threshold=0.02), Rebalance(threshold=0.2)]


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    days=st.integers(2, 60),
    step=st.sampled_from([1, 9, 100]),
    costs=st.sampled_from([0.0, 2.0, 50.0]),
    fill=st.sampled_from(list(Fill)),
    rule=st.sampled_from(RULES),
)
def test_every_rule_with_every_fill_and_cost_is_what_an_account_kept_by_hand_earns(
    seed: int, days: int, step: int, costs: float, fill: Fill, rule: Rebalance
) -> None:
    _, prices, weights = market(seed, days)
    dates = [date(2020, 1, 1) + timedelta(days=step * day) for day in range(days)]
    if rule.threshold is not None:
        weights[:] = weights[0]
    kept, decided = held(weights, np.ones(days, dtype=np.bool_), prices.closes, dates, rule)
    result = run_backtest(
        [(History(dates, SYMBOLS, kept, decided >= 0, decided), 1.0)], prices, costs_bps=costs, fill=fill
    )
    plain = plain_account(
        dates,
        prices.opens.tolist(),
        prices.closes.tolist(),
        weights.tolist(),
        every=rule.frequency.value,
        threshold=rule.threshold,
        fill=fill.value,
        costs_bps=costs,
    )
    np.testing.assert_allclose(result.equity, plain.equity, rtol=1e-9)
    np.testing.assert_allclose(result.turnover, plain.turnover, atol=1e-9)
    may_trade = plain.due if fill is Fill.CLOSE else [False, *plain.due[:-1]]
    assert not result.turnover[~np.array(may_trade)].any(), "nothing between due days, exactly"


def test_a_days_orders_wait_for_the_close_where_an_open_is_not_known() -> None:
    dates, prices, weights = market(3, 12)
    weights[:] = [0.5, 0.5, 0.0]
    lacking = prices.opens.copy()
    lacking[5, 1] = lacking[7, 2] = np.nan
    result = run_backtest(daily(dates, weights), replace(prices, opens=lacking), costs_bps=2.0)
    assert result.at_close == (dates[5],), "C, without an open on day 7, is neither held nor wanted"
    filled = prices.opens.copy()
    filled[5] = prices.closes[5]
    np.testing.assert_allclose(
        result.equity, run_backtest(daily(dates, weights), replace(prices, opens=filled), costs_bps=2.0).equity
    )


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
    assert result.gains.sum() - result.paid == pytest.approx(result.equity[-1] - 1, abs=1e-10)
    alone = run_backtest([(parts[0][0], parts[0][1])], prices, costs_bps=0, fill=fill)
    assert alone.gains.sum() == pytest.approx(alone.equity[-1] - 1, abs=1e-10)
    held_alone = run_backtest([(parts[0][0], 1.0)], prices, costs_bps=costs, fill=fill)
    due = parts[0][0].decided == np.arange(days)
    late = int(fill is not Fill.CLOSE)
    assert np.count_nonzero(held_alone.turnover[late:][~due[: days - late]]) == 0, "nothing between due days, exactly"


def shared_account(parts: list[Part], prices: Prices, cost: float, fill: Fill) -> tuple[list[float], list[float]]:
    """The same by plain dictionaries of shares: who gives targets trades to them with what holders leave."""
    books: list[dict[int, float]] = [{} for _ in parts]
    cash, equity, turnover = 1.0, [], []
    for day in range(len(prices.closes)):
        decision = day if fill is Fill.CLOSE else day - 1
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
