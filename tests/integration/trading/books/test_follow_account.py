"""The books follow a real account: orders by hand, orders that outlive their run, transfers, splits and riddles."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from alchemiser_common import keys
from alchemiser_common.ids import Side, client_order_id
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.broker import MarketOrder, OrderRequest
from alchemiser_common.ports.state import ABSENT, load, put
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.records.books import DailyEquity, FollowedAccount
from alchemiser_simulator.market.changes import (
    CashDividend,
    MadeSplit,
    MarketChange,
    Merger,
    Renamed,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
    changed,
)
from alchemiser_trading.account.audit import read_audit
from alchemiser_trading.books.book_store import StoredBooks, compare_books
from alchemiser_trading.books.books import UNASSIGNED, Book
from alchemiser_trading.books.follow_account import follow_account
from alchemiser_trading.books.reconciling import compare_account, repair_books
from alchemiser_trading.journal.journal import Journal
from support.trading_rig import SCHEDULED, Rig, exchange, quiet_market
from support.trading_runs import SWITCH

NEXT = SCHEDULED + timedelta(days=1)
KEEP = {"AAA": 0.4, "BBB": 0.4}


def by_hand(rig: Rig, symbol: str, side: Side, quantity: str, name: str = "mine") -> None:
    """A person's market order, in full and at once."""
    request = OrderRequest(
        client_order_id=name, symbol=symbol, side=side, quantity=Decimal(quantity), order_type=MarketOrder()
    )
    rig.broker.submit(request)
    rig.clock.sleep(5)


def owned(rig: Rig) -> Decimal:
    """USD of the account that nobody has earned: what it began with, whatever happens to it."""
    stored = StoredBooks.load(rig.state, "bench")
    assert stored.account is not None
    cost = sum((book.cost() - book.realised - book.income for book in stored.books.values()), Decimal(0))
    return rig.truth().cash + cost - stored.account.transferred


def follow(rig: Rig) -> dict[str, Book]:
    """What a run does before it plans."""
    found = follow_account(rig.state, rig.broker, "bench", rig.broker.holdings(), rig.clock.now())
    for write in found.writes:
        rig.state.write(*write)
    return dict(found.books)


def profit(rig: Rig) -> Decimal:
    """USD that the books say was earned: realised, received and at the market's prices."""
    prices = {position.symbol: position.price for position in rig.broker.holdings().positions}
    books = StoredBooks.load(rig.state, "bench").books.values()
    return sum((book.realised + book.income + book.unrealised(prices) for book in books), Decimal(0))


def audited(rig: Rig) -> list[AuditEntry]:
    return [item for item in read_audit(rig.state, "bench") if item.who == "broker"]


def test_hands_on_the_account_have_their_own_prices_and_books_and_account_agree(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    began, before = owned(rig), StoredBooks.load(rig.state, "bench").books["only"]
    by_hand(rig, "DDD", Side.BUY, "100", "first")
    by_hand(rig, "AAA", Side.SELL, "75.209777", "second")
    books = follow(rig)
    filled = (order for order in rig.orders() if order.filled_qty)
    prices = {order.client_order_id: order.filled_cost / order.filled_qty for order in filled}
    (lot,) = books[UNASSIGNED].lots
    assert (lot.symbol, lot.quantity, lot.price) == ("DDD", Decimal(100), prices["first"])
    (cost,) = (lot.price for lot in before.lots if lot.symbol == "AAA")
    assert books["only"].realised == before.realised + Decimal("75.209777") * (prices["second"] - cost)
    assert compare_books(rig.state, "bench", rig.broker.holdings().positions) == ()
    assert owned(rig) == began
    assert follow(rig) == books, "read twice, booked once"
    (entry,) = audited(rig)
    assert "by hand: buy 100 DDD" in entry.what
    rig.clock.move_to(NEXT)
    report = rig.trade(rig.decision(KEEP, scheduled=NEXT))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert abs(owned(rig) - began) < Decimal("1e-9")
    assert compare_books(rig.state, "bench", rig.broker.holdings().positions) == ()


def test_an_order_that_came_through_after_its_run_had_ended_is_its_strategies(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    rig.trade(decision)
    began, before = owned(rig), StoredBooks.load(rig.state, "bench").books["only"]
    journal = Journal.load(rig.state, decision.run_id)
    assert journal is not None
    intent = journal.intents()[-1]
    late = client_order_id(
        environment="paper", run=decision.run_id, symbol=intent.symbol, side=intent.side, leg=intent.leg, step=9
    )
    changes = {"client_order_id": late, "step": 9, "quantity": Decimal(3)}
    on_its_way = intent.model_copy(update=changes)
    rig.state.write(put(keys.intent_record(decision.run_id, intent.leg, 9), on_its_way, ABSENT))
    by_hand(rig, intent.symbol, intent.side, "3", late)
    books = follow(rig)
    sign = 1 if intent.side is Side.BUY else -1
    assert books["only"].quantity(intent.symbol) == before.quantity(intent.symbol) + sign * 3
    assert UNASSIGNED not in books or not books[UNASSIGNED].lots
    assert abs(owned(rig) - began) < Decimal("1e-9")
    assert follow(rig) == books


def test_money_and_shares_from_outside_are_nobodys_profit(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    began = owned(rig)
    rig.control.deposit(Decimal(40000))
    rig.control.withdraw(Decimal(30000))
    follow(rig)
    assert owned(rig) == began
    rig.clock.move_to(NEXT)
    rig.trade(rig.decision(KEEP, scheduled=NEXT))
    equity = load(rig.state, keys.equity_record("bench", NEXT.date()), DailyEquity)
    assert equity is not None
    assert equity.value.transferred == 10000


def test_a_symbol_whose_shares_nothing_explains_is_not_traded_and_the_others_are(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    held = rig.held()
    rig.control.set_holding("AAA", held["AAA"] * 2)
    rig.clock.move_to(NEXT)
    orders = len(rig.orders())
    report = rig.trade(rig.decision({"CCC": 0.8}, scheduled=NEXT))
    assert {order.symbol for order in rig.orders()[orders:]} == {"BBB", "CCC"}
    assert report.status is RunStatus.PARTIAL
    assert "no activity explains it" in report.reason
    assert "alchemiser reconcile --repair" in report.reason
    account = StoredBooks.load(rig.state, "bench").account
    assert account is not None
    assert [blocked.symbol for blocked in account.blocked] == ["AAA"]
    shown = compare_account(rig.state, rig.broker, "bench", rig.clock.now())
    (difference,) = shown.differences
    assert (difference.symbol, difference.in_books) == ("AAA", held["AAA"])
    repair_books(rig.state, rig.broker, "bench", shown, who="ann", reason="given", now=rig.clock.now())
    rig.clock.move_to(NEXT + timedelta(days=1))
    report = rig.trade(rig.decision({"CCC": 0.8}, scheduled=NEXT + timedelta(days=1)))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert set(rig.held()) == {"CCC"}


DAY = NEXT.date()
ACTIONS: tuple[MarketChange, ...] = (
    MadeSplit(symbol="FORWARD", day=DAY, ratio=3),
    MadeSplit(symbol="REVERSE", day=DAY, ratio=0.1),
    MadeSplit(symbol="WHOLE", day=DAY, ratio=0.1, cash_in_lieu=True),
    MadeSplit(symbol="EARLY", day=DAY, ratio=3, lag_days=1),
    MadeSplit(symbol="LATE", day=DAY, ratio=3, notice_days=1),
    MadeSplit(symbol="SILENT", day=DAY, ratio=3, notice_days=1, announced=False),
    MadeSplit(symbol="WRONG", day=DAY, ratio=3, mistaken_factor=Decimal(2), corrected_days=1),
    StockDividend(symbol="STOCK", day=DAY, rate=Decimal("0.05")),
    CashDividend(symbol="CASH", day=DAY, rate=Decimal("1.25"), lag_days=1, notice_days=1),
    CashDividend(symbol="MENDED", day=DAY, rate=Decimal(1), mistaken_factor=Decimal(3), corrected_days=1),
    CashDividend(symbol="VOID", day=DAY, rate=Decimal(1), canceled_days=1),
    Renamed(symbol="OLD", day=DAY, into="NEW"),
    Renamed(symbol="OLDER", day=DAY, into="NEWER", notice_days=1),
    SpinOff(symbol="PARENT", day=DAY, new_symbol="CHILD", new_rate=Decimal("0.5")),
    Merger(symbol="SHARES", day=DAY, acquirer="BUYER", acquirer_rate=Decimal(4)),
    Merger(symbol="MONEY", day=DAY, cash_rate=Decimal(90)),
    Merger(symbol="BOTH", day=DAY, acquirer="OTHER", acquirer_rate=Decimal(2), cash_rate=Decimal(50)),
    Merger(symbol="UNDONE", day=DAY, acquirer="THIRD", acquirer_rate=Decimal(4), canceled_days=1),
    WorthlessRemoval(symbol="NOTHING", day=DAY),
)
UNEXPLAINED = ({"EARLY", "SILENT", "OLDER", "NEWER"}, set[str](), set[str]())
"""On each of three days: what was told before it happened, or has not been told yet."""


def test_books_and_account_agree_through_whatever_issuers_do(tmp_path: Path) -> None:
    """Everything in one night, told early, late, wrongly or not at first."""
    symbols = [action.symbol for action in ACTIONS]
    prices = {**dict.fromkeys(symbols, 100.0), **dict.fromkeys(("CHILD", "BUYER", "OTHER", "THIRD"), 20.0)}
    with exchange(changed(quiet_market(prices), ACTIONS), tmp_path) as rig:
        rig.trade(rig.decision(dict.fromkeys(symbols, 0.05)))
        assert set(rig.held()) == set(symbols)
        began, before = owned(rig), profit(rig) - rig.broker.account().equity
        for number, waiting in enumerate(UNEXPLAINED):
            rig.clock.move_to(NEXT + timedelta(days=number))
            books = follow(rig)
            account = StoredBooks.load(rig.state, "bench").account
            assert account is not None
            assert {blocked.symbol for blocked in account.blocked} == waiting
            differing = compare_books(rig.state, "bench", rig.broker.holdings().positions)
            assert {item.symbol for item in differing} == waiting
            assert abs(owned(rig) - began) < Decimal("1e-9")
            if not waiting:
                assert abs(profit(rig) - rig.broker.account().equity - before) < Decimal("0.01")
            assert set(books) == {"only"}, "nothing came to nobody"


def test_a_home_from_before_is_aligned_once_and_follows_from_then_on(rig: Rig) -> None:
    old = Book(strategy="only").changed("CCC", Decimal(900), Decimal(15), SCHEDULED.date())
    rig.state.write(put(keys.strategy_book("bench", "only"), old, ABSENT))
    by_hand(rig, "DDD", Side.BUY, "7")
    books = follow(rig)
    assert books["only"] == old
    assert {lot.symbol: lot.quantity for lot in books[UNASSIGNED].lots} == {
        "CCC": Decimal("100.123456789"),
        "DDD": Decimal(7),
    }
    assert follow(rig) == books, "what was there before is not booked again"
    by_hand(rig, "DDD", Side.BUY, "2", "second")
    assert follow(rig)[UNASSIGNED].quantity("DDD") == 9


def test_more_books_change_than_one_write_takes(rig: Rig) -> None:
    day = SCHEDULED.date() - timedelta(days=9)
    for symbol in ("AAA", "BBB"):
        rig.control.set_holding(symbol, Decimal(60))
        for number in range(60):
            book = Book(strategy=f"{symbol}{number}").changed(symbol, Decimal(1), Decimal(10), day)
            rig.state.write(put(keys.strategy_book("bench", book.strategy), book, ABSENT))
    rig.control.set_holding("CCC", Decimal(0))
    account = FollowedAccount(through=datetime(2020, 6, 3, 13, 30, tzinfo=UTC))
    rig.state.write(put(keys.followed_account("bench"), account, ABSENT))
    by_hand(rig, "AAA", Side.SELL, "30", "one")
    by_hand(rig, "BBB", Side.SELL, "30", "two")
    found = follow_account(rig.state, rig.broker, "bench", rig.broker.holdings(), rig.clock.now())
    assert [len(write) for write in found.writes] == [62, 62]
    rig.state.write(*found.writes[0])
    books = follow(rig)
    assert {book.quantity(name[:3]) for name, book in books.items() if name != UNASSIGNED} == {Decimal("0.5")}
    assert len(audited(rig)) == 2
