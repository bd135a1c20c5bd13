"""What issuers do to shares, three ways: live runs, books and a backtest come to the same."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.share_actions import corporate_actions
from alchemiser_cli.simulated import Market, open_market
from alchemiser_common import keys
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.ports.state import load
from alchemiser_common.records.books import DailyEquity
from alchemiser_simulator.market.changes import (
    CashDividend,
    Delisted,
    MadeSplit,
    MarketChange,
    Merger,
    Renamed,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
    changed,
)
from alchemiser_strategy.backtest import Prices, run_backtest
from alchemiser_strategy.bars import Floats
from alchemiser_strategy.strategy_history import strategy_history
from alchemiser_strategy.user_strategies import strategy_of_file
from alchemiser_trading.books.book_store import StoredBooks, compare_books
from support.portfolio_days import PortfolioDays, market_of, portfolio_days, symphony, weekdays

START_CASH = Decimal(100_000)
DAYS = weekdays(date(2019, 9, 2), 130)
FIRST = DAYS.index(date(2020, 2, 6))
THURSDAY, FRIDAY, MONDAY, TUESDAY, WEDNESDAY = DAYS[FIRST : FIRST + 5]


def equity(line: PortfolioDays, day: date, books: Collection[str] = ("own",)) -> DailyEquity:
    """What the session's run left; its books are the account's, and `books` are all that have something."""
    found = load(line.platform.state, keys.equity_record("demo", day), DailyEquity)
    assert found is not None
    assert compare_books(line.platform.state, "demo", line.platform.broker.holdings().positions) == ()
    assert {worth.strategy for worth in found.value.strategies} == set(books), "nothing came to nobody"
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


# Prices move overnight only, so that an order's size, its fill and the close of the day go by one price but for the
# spread. Shares are round numbers where cash is paid on them, in whole cents.
def played(change: MarketChange) -> Market:
    """AAA, BBB and what AAA may become, moving every night, with AAA's event before Friday's open."""

    def path(price: float, *nights: float) -> list[float]:
        moved = dict(zip((FRIDAY, MONDAY, TUESDAY, WEDNESDAY), nights, strict=True))
        return [price * next((moved[one] for one in sorted(moved, reverse=True) if one <= day), 1.0) for day in DAYS]

    closes = {
        "AAA": path(100, 1.03, 1.01, 1.04, 0.99),
        "BBB": path(50, 0.98, 1.06, 1.1, 1.12),
        "CCC": path(20, 1.1, 1.05, 0.95, 1.2),
        "NEW": path(40, 1.05, 1.15, 1.2, 1.3),
        "OVER": path(60, 0.5, 0.5, 0.5, 0.5),
    }
    plain = market_of(DAYS, closes)
    return Market(changed(plain.history, [change]), plain.calendar, "")


RULE = """
from alchemiser_common.messages.decision import Explanation, SignalStatus
from alchemiser_strategy.strategy import StrategyResult


class Own:
    name, universe = "own", dict.fromkeys(("AAA", "BBB", "CCC", "OVER"), 1)

    def evaluate(self, view):
        today, previous = view.bars.dates[-1], view.previous
        if previous is not None and previous.as_of.isocalendar()[:2] == today.isocalendar()[:2]:
            return StrategyResult(SignalStatus.HOLD, previous.held, Explanation(summary="held for the week"))
        weights = {"AAA": 0.45} if view.bars.of("OVER")[-1] > 50 else {"CCC": 0.08}
        return StrategyResult(SignalStatus.TARGET, {"BBB": 0.45, **weights}, Explanation(summary="a new week"))


strategy = Own
"""
"""AAA is bought on Thursday, held over the event, and on Tuesday what has become of it is sold; cash is never short."""
EXACT = {"cash_reserve": 0, "price_allowance": 0, "min_trade_share": 0, "min_trade_value": 1}
"""As a backtest does: every difference is traded, and nothing is set aside."""


@pytest.mark.parametrize(
    ("change", "held"),
    [
        (MadeSplit(symbol="AAA", day=FRIDAY, ratio=4.0), {"AAA": 450}),
        (MadeSplit(symbol="AAA", day=FRIDAY, ratio=0.125), {"AAA": 450}),
        (StockDividend(symbol="AAA", day=FRIDAY, rate=Decimal("0.05")), {"AAA": 472.5}),
        (CashDividend(symbol="AAA", day=FRIDAY, rate=Decimal(2)), {"AAA": 450}),
        (Renamed(symbol="AAA", day=FRIDAY, into="LATER"), {"LATER": 450}),
        (SpinOff(symbol="AAA", day=FRIDAY, new_symbol="NEW", new_rate=Decimal("0.5")), {"AAA": 450, "NEW": 225}),
        (Merger(symbol="AAA", day=FRIDAY, acquirer="NEW", acquirer_rate=Decimal("2.4")), {"NEW": 1080}),
        (Merger(symbol="AAA", day=FRIDAY, cash_rate=Decimal("104.5")), {}),
        (
            Merger(symbol="AAA", day=FRIDAY, acquirer="NEW", acquirer_rate=Decimal(2), cash_rate=Decimal("21.5")),
            {"NEW": 900},
        ),
        (WorthlessRemoval(symbol="AAA", day=FRIDAY), {}),
        (Delisted(symbol="AAA", day=FRIDAY), {"AAA": 450}),
    ],
    ids=[
        "4 for 1",
        "1 for 8",
        "a stock dividend",
        "a cash dividend",
        "a new name",
        "a spin-off",
        "a merger for shares",
        "a merger for cash",
        "a merger for both",
        "removed as worthless",
        "delisted",
    ],
)
def test_live_books_and_backtest_are_worth_the_same_every_day(
    tmp_path: Path, change: MarketChange, held: dict[str, float]
) -> None:
    """To 1e-9 of equity, from the purchase before the event to the sale of what became of it."""
    market = played(change)
    live, books, filled = [], [], {}
    with portfolio_days(tmp_path, market, THURSDAY, {"own.py": RULE}, trading=EXACT) as line:
        for day in (THURSDAY, FRIDAY, MONDAY, TUESDAY, WEDNESDAY):
            before = line.orders()
            run = line.day(day)
            filled[day] = fill_prices(line, before)
            due = day in {THURSDAY, TUESDAY}
            left = {"AAA"} if isinstance(change, Delisted) and day >= TUESDAY else set()
            # What the strategy gives up and nobody takes is nobody's from then on, at its last price.
            record = equity(line, day, {"own", "unassigned"} if left else {"own"})
            live.append(float(record.equity))
            books.append(float(book_value(line)))
            assert run.decision is not None
            assert run.decision.signals[0].status is (SignalStatus.TARGET if due else SignalStatus.HOLD)
            if day == FRIDAY:
                assert {symbol: float(shares) for symbol, shares in line.held().items()} == {**held, "BBB": 900}
        assert line.held().keys() == {"BBB", "CCC"} | left
    np.testing.assert_allclose(books, live, rtol=1e-9)
    np.testing.assert_allclose(backtested(tmp_path, market, filled), np.array(live) / float(START_CASH), rtol=1e-9)


def fill_prices(line: PortfolioDays, known: int) -> dict[str, float]:
    """USD a share that the exchange filled the orders after the first `known` ones at, by symbol."""
    shares: dict[str, Decimal] = {}
    cost: dict[str, Decimal] = {}
    for order in line.exchange.control.state().orders[known:]:
        shares[order.symbol] = shares.get(order.symbol, Decimal(0)) + order.filled_qty
        cost[order.symbol] = cost.get(order.symbol, Decimal(0)) + order.filled_cost
    return {symbol: float(cost[symbol] / filled) for symbol, filled in shares.items() if filled}


def book_value(line: PortfolioDays) -> Decimal:
    """USD: what the account began with, and what the strategies' books say has come to it since."""
    prices = {position.symbol: position.price for position in line.platform.broker.holdings().positions}
    books = StoredBooks.load(line.platform.state, "demo").books.values()
    return START_CASH + sum((one.realised + one.income + one.unrealised(prices) for one in books), Decimal(0))


def backtested(folder: Path, market: Market, filled: Mapping[date, Mapping[str, float]]) -> Floats:
    """Equity at each close, 1 to begin with, of the same strategy on the same market at the same fills."""
    prices, actions = PriceFile(market.history), corporate_actions(market.history)
    strategy = strategy_of_file(folder / "strategies" / "own.py")
    since, end = FIRST - 1, FIRST + len(filled)
    history = strategy_history(strategy, prices.bars(tuple(strategy.universe)), DAYS[since]).between(since, end)
    table = at_fills(prices.traded_prices(actions.reachable(strategy.universe)), filled).between(since, end)
    return run_backtest([(history, 1.0)], table, actions=actions).equity[1:]


def at_fills(prices: Prices, filled: Mapping[date, Mapping[str, float]]) -> Prices:
    """The prices with what live orders were filled at."""
    fills = np.full_like(prices.opens, np.nan)
    for day, by_symbol in filled.items():
        for symbol, price in by_symbol.items():
            fills[DAYS.index(day), prices.symbols.index(symbol)] = price
    return replace(prices, fills=fills)
