"""What issuers do to shares, three ways: live runs, books and a backtest come to the same."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.research import PriceFile
from alchemiser_cli.simulated import Market, open_market
from alchemiser_common import keys
from alchemiser_common.ports.state import load
from alchemiser_common.records.books import DailyEquity
from alchemiser_simulator.market.changes import CashDividend, MadeSplit, MarketChange, StockDividend, changed
from alchemiser_strategy.backtest import run_backtest
from alchemiser_strategy.strategy_history import strategy_history
from alchemiser_strategy.user_strategies import strategy_of_file
from alchemiser_trading.books.book_store import compare_books
from support.portfolio_days import PortfolioDays, market_of, portfolio_days, symphony, weekdays

START_CASH = Decimal(100_000)
DAYS = weekdays(date(2019, 9, 2), 300)
FIRST = DAYS.index(date(2020, 2, 3))
TODAY, TOMORROW, THIRD = DAYS[FIRST : FIRST + 3]


def equity(line: PortfolioDays, day: date) -> DailyEquity:
    """What the session's run left; its books are the account's."""
    found = load(line.platform.state, keys.equity_record("demo", day), DailyEquity)
    assert found is not None
    assert compare_books(line.platform.state, "demo", line.platform.broker.holdings().positions) == ()
    assert [worth.strategy for worth in found.value.strategies] == ["own"], "nothing came to nobody"
    return found.value


def profit(record: DailyEquity) -> Decimal:
    """USD that the strategy's book says it has earned."""
    (worth,) = record.strategies
    return worth.realised + worth.unrealised + worth.income


def test_half_a_leveraged_fund_through_its_three_for_one(tmp_path: Path) -> None:
    market = open_market(None)
    half = symphony(":rebalance-frequency :daily", "SOXL", "BIL")
    with portfolio_days(tmp_path, market, date(2018, 6, 6), {"own": half}) as line:
        for session in market.sessions_from(date(2018, 6, 6), 5):
            line.day(session.day)
            record = equity(line, session.day)
            assert abs(profit(record) - (record.equity - START_CASH)) < Decimal("0.01")
            assert abs(record.equity - START_CASH) < 2000
        assert line.runs[-1].summary.report is not None


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ([MadeSplit(symbol="AAA", day=TOMORROW, ratio=4.0)], 1.5),
        ([MadeSplit(symbol="AAA", day=TOMORROW, ratio=0.125)], 0.75),
        ([StockDividend(symbol="AAA", day=TOMORROW, rate=Decimal("0.05"))], 1.5),
        ([CashDividend(symbol="AAA", day=TOMORROW, rate=Decimal(2))], 1.0),
    ],
    ids=["4 for 1", "1 for 8", "a stock dividend", "a cash dividend"],
)
def test_live_books_and_backtest_grow_alike(tmp_path: Path, changes: list[MarketChange], step: float) -> None:
    """AAA opens at `step` times its price on the day of the event; both stay where they are else.

    A dividend leaves the price by its rate, and comes in whole cents.
    """
    closes = {"AAA": [100.0 * (step if day >= TOMORROW else 1) for day in DAYS], "BBB": [50.0] * len(DAYS)}
    plain = market_of(DAYS, closes)
    market = Market(changed(plain.history, changes), plain.calendar, "")
    rule = symphony(":rebalance-frequency :yearly", "AAA", "BBB")
    with portfolio_days(tmp_path, market, TODAY, {"own": rule}) as line:
        worth = []
        for day in (TODAY, TOMORROW, THIRD):
            line.day(day)
            record = equity(line, day)
            (own,) = record.strategies
            worth.append((record.equity, own.market_value + own.realised + own.income))
    prices = PriceFile(market.history)
    bars = prices.bars(("AAA", "BBB"))
    strategy = strategy_of_file(tmp_path / "strategies" / "own.clj")
    history = strategy_history(strategy, bars, DAYS[FIRST - 1]).between(FIRST - 1, FIRST + 3)
    table = prices.prices(("AAA", "BBB")).between(FIRST - 1, FIRST + 3)
    backtest = run_backtest([(history, 1.0)], table)
    grown = backtest.equity[2] / backtest.equity[1]
    cents = 0.005 if isinstance(changes[0], CashDividend) else 0.0
    assert float(worth[1][1] / worth[0][1]) == pytest.approx(grown, rel=1e-9 + cents / float(worth[0][1]))
    assert worth[1][0] - worth[0][0] == pytest.approx(worth[1][1] - worth[0][1], abs=Decimal("1e-9"))
    assert worth[2] == worth[1]
