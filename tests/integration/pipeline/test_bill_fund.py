"""A fund whose price hardly moves and whose profit are its dividends: the books have them, to the cent, every day."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from alchemiser_cli.simulated import Market
from alchemiser_common import keys
from alchemiser_common.ports.broker import AccountEntry
from alchemiser_common.ports.state import load
from alchemiser_common.records.books import DailyEquity
from alchemiser_simulator.market.changes import CashDividend, changed
from alchemiser_trading.books.book_store import StoredBooks, compare_books
from support.portfolio_days import market_of, portfolio_days, symphony, weekdays

START_CASH = Decimal(100_000)
DAYS = weekdays(date(2019, 9, 2), 180)
SESSIONS = DAYS[-66:]
PAID_LATE = 3
"""Days from the last dividend's ex-day to its payment."""


def months() -> list[CashDividend]:
    """A dividend on the first session of each month that begins amid the sessions; the last one is paid days later."""
    firsts = [day for before, day in pairwise(SESSIONS) if day.month != before.month]
    return [
        CashDividend(symbol="BIL", day=day, rate=Decimal("0.3857"), lag_days=lag, notice_days=lag)
        for day, lag in zip(firsts, [0] * (len(firsts) - 1) + [PAID_LATE], strict=True)
    ]


# A bill earns 0.0185 a session, which the price shows until the fund pays it out.
def test_66_sessions_of_a_bill_fund_are_in_the_books_as_in_the_account(tmp_path: Path) -> None:
    dividends = months()
    assert len(dividends) == 3
    closes = {"BIL": [round(91.5 + 0.0185 * row, 2) for row in range(len(DAYS))], "AAA": [40.0] * len(DAYS)}
    plain = market_of(DAYS, closes)
    market = Market(changed(plain.history, dividends), plain.calendar, "")
    strategies = {"bills": symphony(":rebalance-frequency :daily", "BIL"), "still": symphony("", "AAA")}
    worth = []
    with portfolio_days(tmp_path, market, SESSIONS[0], strategies) as line:
        for day in SESSIONS:
            run = line.day(day)
            assert run.summary.status == "completed", (day, run.summary.reason)
            record = load(line.platform.state, keys.equity_record("demo", day), DailyEquity)
            assert record is not None
            earned = sum((one.realised + one.unrealised + one.income for one in record.value.strategies), Decimal(0))
            assert abs(START_CASH + earned - record.value.equity) < Decimal("0.005"), day
            assert compare_books(line.platform.state, "demo", line.platform.broker.holdings().positions) == ()
            worth.append(record.value.equity)
        books = StoredBooks.load(line.platform.state, "demo").books
        entries = line.platform.broker.activities(SESSIONS[0], SESSIONS[-1]).entries
        paid = sum((one.amount for one in entries if isinstance(one, AccountEntry) and one.code == "DIV"), Decimal(0))
    assert {name: book.income for name, book in books.items()} == {"bills": paid, "still": Decimal(0)}
    assert paid > 600
    late = range(SESSIONS.index(dividends[-1].day), SESSIONS.index(dividends[-1].day) + PAID_LATE + 1)
    for row, (before, after) in enumerate(pairwise(worth), start=1):
        if row not in late:
            assert abs(after / before - 1) < Decimal("0.0005"), f"{SESSIONS[row]}: {before} to {after}"
    assert abs(worth[late[-1]] / worth[late[0] - 1] - 1) < Decimal("0.0005"), "what fell on the ex-day is back"
    assert worth[-1] - START_CASH > paid / 2
