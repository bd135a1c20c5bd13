"""A backtest on prices as they traded: what issuers do to shares, against what the same market is worth without it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_strategy.backtest import Fill, Part, Prices, run_backtest
from alchemiser_strategy.corporate_actions import CorporateActions, ShareAction
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.errors import StrategyError
from support.backtests import daily, market, rules_on

DAYS = tuple(date(2020, 1, day) for day in (2, 3, 6, 7, 8))
EVENT = DAYS[2]


def decided(fraction: float = 1.0, **targets: Mapping[int, float]) -> Part:
    """A strategy that gives targets at the closes of some rows, by symbol and row, and holds between."""
    symbols = tuple(sorted(targets))
    rows = sorted({row for by_row in targets.values() for row in by_row})
    last = [max((row for row in rows if row <= day), default=-1) for day in range(len(DAYS))]
    weights = np.array([[targets[symbol].get(row, 0.0) for symbol in symbols] for row in last])
    return History(DAYS, symbols, weights, np.array(last) >= 0, np.array(last)), fraction


def quoted(**closes: list[float]) -> Prices:
    """Prices of days that begin where they end."""
    table = np.array(list(closes.values())).T
    return Prices(tuple(closes), table, table)


NONE = float("nan")
KINDS: dict[str, tuple[ShareAction, dict[str, list[float]], list[float]]] = {
    "a split": (ShareAction("A", EVENT, {"A": 4.0}), {"A": [10, 10, 2.5, 5, 5]}, [1, 1, 1, 1.5, 1.5]),
    "a dividend": (ShareAction("A", EVENT, {"A": 1.0}, 2.0), {"A": [10, 10, 8, 10, 10]}, [1, 1, 1, 1.1, 1.1]),
    "a new name": (
        ShareAction("A", EVENT, {"N": 1.0}),
        {"A": [10, 10, NONE, NONE, NONE], "N": [10, 10, 10, 12, 12]},
        [1, 1, 1, 1.1, 1.1],
    ),
    "a spin-off": (
        ShareAction("A", EVENT, {"A": 1.0, "N": 0.5}),
        {"A": [10, 10, 6, 6, 6], "N": [NONE, NONE, 8, 12, 12]},
        [1, 1, 1, 1.1, 1.1],
    ),
    "a merger": (
        ShareAction("A", EVENT, {"N": 2.0}, 4.0),
        {"A": [10, 10, NONE, NONE, NONE], "N": [3, 3, 3, 6, 6]},
        [1, 1, 1, 1.3, 1.3],
    ),
    "worthless": (ShareAction("A", EVENT, {}), {"A": [10, 10, NONE, NONE, NONE]}, [1, 1, 0.5, 0.5, 0.5]),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fill", list(Fill))
def test_half_an_account_in_shares_that_change_is_worth_what_they_become(name: str, fill: Fill) -> None:
    action, closes, equity = KINDS[name]
    rest = decided(A={0: 0.5}, B={0: 0.5})
    prices = quoted(B=[20.0] * 5, **closes)
    actions = CorporateActions([action], {"A": EVENT} if "A" not in action.shares else {})
    result = run_backtest([rest], prices, fill=fill, actions=actions)
    np.testing.assert_allclose(result.equity, equity, rtol=1e-12)
    assert result.turnover[2:].max() == 0, "nothing is traded for it"
    np.testing.assert_allclose(result.weights.sum(axis=1)[1:], 1 - cash_share(action) / np.array(equity[1:]))


def cash_share(action: ShareAction) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of the first equity, what half of it in shares at 10 got in cash, on the days after the first."""
    paid = 0.05 * action.cash
    return np.array([0.0, paid, paid, paid])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(3, 60),
    st.sampled_from([0.2, 3.0, 7.5]),
    st.sampled_from(list(Fill)),
    st.sampled_from([0.0, 20.0]),
    st.booleans(),
)
def test_a_split_on_traded_prices_is_nothing_on_adjusted_ones(
    seed: int, days: int, ratio: float, fill: Fill, costs: float, holds: bool
) -> None:
    """Of strategies that hold or are traded every day, in any market: the two ways to count are one."""
    if holds:
        parts, adjusted = rules_on(seed, days)
    else:
        dates, adjusted, weights = market(seed, days)
        parts = daily(dates, weights)
    row = days // 2
    factors = np.where(np.arange(days) < row, ratio, 1.0)[:, None] * np.array([1.0, 0.0, 0.0])
    factors[:, 1:] = 1.0
    traded = Prices(adjusted.symbols, adjusted.opens * factors, adjusted.closes * factors)
    split = ShareAction(adjusted.symbols[0], parts[0][0].dates[row], {adjusted.symbols[0]: ratio})
    plain = run_backtest(parts, adjusted, costs_bps=costs, fill=fill)
    result = run_backtest(parts, traded, costs_bps=costs, fill=fill, actions=CorporateActions([split]))
    np.testing.assert_allclose(result.equity, plain.equity, rtol=1e-10)
    np.testing.assert_allclose(result.turnover, plain.turnover, atol=1e-9)


def test_what_has_ended_is_neither_bought_nor_sold_and_the_others_get_the_cash_there_is() -> None:
    """Half of the account is stuck in A at its last price of 10; of 40 and 60 per cent in B and C a half each comes."""
    closes = quoted(A=[10, 10, NONE, NONE, NONE], B=[20.0] * 5, C=[5, 5, 5, 5, 10])
    strategy = decided(A={0: 0.5}, B={2: 0.4}, C={2: 0.6})
    actions = CorporateActions(ends={"A": EVENT})
    result = run_backtest([strategy], closes, actions=actions)
    np.testing.assert_allclose(result.weights[3], [0.5, 0.2, 0.3])
    np.testing.assert_allclose(result.equity, [1, 1, 1, 1, 1.3])
    again = run_backtest([decided(A={3: 0.5}, B={3: 0.25})], closes, actions=actions)
    np.testing.assert_allclose(again.weights[4], [0, 0.25], err_msg="what cannot be bought any more stays in cash")
    kept = run_backtest([decided(0.9, A={0: 0.5}, B={0: 0.5}, C={2: 1.0})], closes, actions=actions)
    np.testing.assert_allclose(kept.weights[3], [0.45, 0, 0.45], err_msg="a tenth that no strategy has is not spent")
    costly = run_backtest([strategy], closes, actions=actions, costs_bps=100)
    assert costly.equity[3] == pytest.approx(costly.equity[2] - 0.01 * costly.turnover[3] * costly.equity[2])


def test_fills_that_are_known_are_paid_and_received() -> None:
    prices = quoted(A=[10.0] * 5, B=[20.0] * 5)
    fills = np.full((5, 2), NONE)
    fills[1, 0], fills[3] = 10.1, (9.8, 20.5)
    strategy = decided(A={0: 0.8}, B={2: 0.4})
    result = run_backtest([strategy], replace(prices, fills=fills))
    np.testing.assert_allclose(
        result.equity, [1, 0.992, 0.992, 0.976 - 0.4 * 0.992 * 0.025, 0.976 - 0.4 * 0.992 * 0.025]
    )


def test_what_the_market_does_not_tell_is_named() -> None:
    prices = quoted(A=[10, 10, NONE, NONE, NONE], B=[20.0] * 5)
    with pytest.raises(StrategyError, match="A is held on 2020-01-06 but has no price then"):
        run_backtest([decided(A={0: 0.5})], prices, actions=CorporateActions())
    becomes = CorporateActions([ShareAction("A", EVENT, {"N": 1.0})], {"A": EVENT})
    with pytest.raises(StrategyError, match="there are no prices of N"):
        run_backtest([decided(A={0: 0.5})], prices, actions=becomes)
    chain = CorporateActions([ShareAction("N", EVENT, {"M": 1.0}), ShareAction("A", EVENT, {"N": 1.0})])
    assert chain.reachable(["A"]) == ("A", "M", "N")
