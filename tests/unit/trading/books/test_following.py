"""The books follow the account: fills whoever made them, cash that comes and goes, and what the broker takes back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import AccountEntry, Activity, Fill, Holdings, OtherHolding
from alchemiser_common.records.books import BookedOrder, BookedRun, FollowedAccount
from alchemiser_trading.books.books import UNASSIGNED, Book, total
from alchemiser_trading.books.corrections import acknowledged
from alchemiser_trading.books.follow_account import blocked_symbols
from alchemiser_trading.books.following import adopted, announced, unbooked_fills
from alchemiser_trading.books.ledger import Ledger
from support.activities import NOW, entry, fill, followed, ledger, lot_rows, steps
from support.books import DAY, book, filled, plan, position


def held(name: str, shares: str, cost: str = "8", symbol: str = "X", age: int = 30) -> Book:
    return Book(strategy=name).changed(symbol, Decimal(shares), Decimal(cost), DAY - timedelta(days=age))


def test_shares_bought_by_hand_are_nobodys_each_at_its_own_price() -> None:
    after = followed(ledger(), fill(Side.BUY, "100", "100", minutes=5), fill(Side.BUY, "50", "132", minutes=4))
    assert after.books[UNASSIGNED].unrealised({"X": Decimal(132)}) == 3200


def test_shares_sold_by_hand_have_their_result_unassigned_ones_first() -> None:
    start = ledger(held("a", "100", "100"))
    assert followed(start, fill(Side.SELL, "100", "150")).books["a"].realised == 5000
    both = ledger(held("a", "30"), held("b", "10"), held(UNASSIGNED, "5"))
    after = followed(both, fill(Side.SELL, "9", "10"))
    assert [after.books[name].quantity("X") for name in ("a", "b", UNASSIGNED)] == [27, 9, 0]
    assert [after.books[name].realised for name in ("a", "b", UNASSIGNED)] == [6, 2, 10]


def test_what_a_person_sells_short_or_trades_beside_stocks_is_cash_from_outside() -> None:
    after = followed(ledger(held("a", "4")), fill(Side.SELL, "10", "9"), fill(Side.BUY, "2", "100", "BTC/USD"))
    assert after.books["a"].realised == 4
    assert after.account.transferred == 6 * 9 - 200
    option = entry("FILL", "AAPL251219C00200000", "1", "-500", "option contracts")
    assert followed(after, option).account.transferred == 6 * 9 - 200 - 500


def test_fills_of_a_run_are_booked_as_far_as_the_run_has_not_booked_them() -> None:
    """Its end booked 60 of an order's 100 shares: the rest came later, at prices of its own, and is its strategy's."""
    leg = filled("X", Side.BUY, "100", "60")
    made = plan({"X": {"a": 0.5}}, (), (leg,))
    start = ledger(book("a", "60"))
    run = BookedRun(run_id=made.run_id, session=DAY, orders=(BookedOrder(order_id="o", quantity=Decimal(60)),))
    start = Ledger(start.books, start.account.model_copy(update={"runs": (run,)}))
    fills = [fill(Side.BUY, "50", "9", order="o", minutes=9), fill(Side.BUY, "50", "11", order="o", minutes=8)]
    (rest,) = unbooked_fills(start.account, fills)
    assert (rest.quantity, rest.price) == (Decimal(40), Decimal(11))
    done = steps(start, fills, owners={"o": made})[-1].ledger
    assert [row[1:3] for row in lot_rows(done.books["a"])] == [(Decimal(60), Decimal(8)), (Decimal(40), Decimal(11))]
    assert steps(done, fills, owners={"o": made})[-1].ledger.books == done.books, "told twice, booked once"
    more = steps(done, [*fills, fill(Side.BUY, "1", "12", order="o")], owners={"o": made})[-1].ledger
    assert more.books["a"].quantity("X") == 101


def test_an_order_that_a_halted_run_left_is_its_strategies_and_never_more_is_sold_than_is_there() -> None:
    leg = filled("X", Side.SELL, "10", "0")
    made = plan({"X": {"b": 0.3}}, (position("X", "10"),), (leg,))
    start = ledger(book("a", "4"), book("b", "6"))
    late = fill(Side.SELL, "12", "9", order="o")
    done = steps(start, [late], owners={"o": made})[-1].ledger
    assert total(done.books.values(), "X") == 0
    assert [done.books[name].realised for name in "ab"] == [4, 6]


def test_a_dividend_is_income_of_those_who_held_the_night_before_the_record_day() -> None:
    """A sold on the record day, C and E bought on it, of whom E has sold: the cash comes a week later."""
    a = held("a", "30").changed("X", Decimal(-30), Decimal(9), DAY - timedelta(days=7))
    e = held("e", "50", age=7).changed("X", Decimal(-50), Decimal(9), DAY - timedelta(days=3))
    start = ledger(a, held("b", "10"), held("c", "99", age=7), held("d", "5", symbol="Y"), e)
    text = f"Cash DIV @ 0.5, Pos QTY: 40.0, Rec Date: {DAY - timedelta(days=7)}"
    after = followed(start, entry("DIV", "X", cash="20", text=text), entry("DIVNRA", "X", "40", "-3"))
    assert {name: found.income for name, found in after.books.items()} == {
        "a": Decimal("12.75"),
        "b": Decimal("4.25"),
        "c": 0,
        "d": 0,
        "e": 0,
    }
    assert all(found.realised == start.books[name].realised for name, found in after.books.items())


@pytest.mark.parametrize(
    ("quantity", "shares"),
    [("40", {"a": 30, "b": 10}), ("139", {"b": 40, "c": 99}), ("7", {"b": 40, "c": 99})],
    ids=["as many as then", "as many as now", "as many as never"],
)
def test_without_a_record_day_the_shares_tell_whose_a_dividend_is(quantity: str, shares: dict[str, int]) -> None:
    a = held("a", "30").changed("X", Decimal(-30), Decimal(9), DAY - timedelta(days=7))
    b = held("b", "10").changed("X", Decimal(30), Decimal(9), DAY - timedelta(days=7))
    after = followed(ledger(a, b, held("c", "99", age=7)), entry("DIV", "X", quantity, "13.9"))
    whole = sum(shares.values())
    assert {name: found.income for name, found in after.books.items() if found.income} == {
        name: pytest.approx(Decimal("13.9") * part / whole, abs=Decimal("1e-9")) for name, part in shares.items()
    }


def test_other_cash_is_the_accounts_income_or_from_outside() -> None:
    earned = followed(
        ledger(held("a", "1")),
        entry("INT", cash="1.23"),
        entry("FEE", "", "1341", "-0.03", "REG fee"),
        entry("DIV", "GONE", "5", "2"),
        entry("NEWCODE", cash="0.5"),
    )
    assert earned.books[UNASSIGNED].income == Decimal("3.7")
    moved = followed(earned, entry("CSD", cash="40000"), entry("CSW", cash="-30000"), entry("JNLC", cash="5"))
    assert (moved.books, moved.account.transferred) == (earned.books, Decimal(10005))


def test_shares_that_are_transferred_are_nobodys_profit() -> None:
    start = ledger(held("a", "10"), held(UNASSIGNED, "2"))
    came = followed(start, entry("ACATS", "X", "5"), prices={"X": "12"})
    assert lot_rows(came.books[UNASSIGNED])[-1] == ("X", Decimal(5), Decimal(12), DAY)
    assert came.account.transferred == 60
    gone = followed(came, entry("JNLS", "X", "-9"), prices={"X": "12"})
    assert [gone.books[name].quantity("X") for name in ("a", UNASSIGNED)] == [8, 0]
    assert gone.account.transferred == 60 - 9 * 12
    (no, _) = steps(start, [entry("ACATS", "NEW", "5")])
    assert "no price" in no.unexplained["NEW"]


SPLIT = (entry("SPLIT", "X", "-40"), entry("SPLIT", "X", "80"))
DIVIDEND = entry("DIV", "X", "40", "20")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((DIVIDEND,), (DIVIDEND.model_copy(update={"status": "canceled"}),)),
        ((DIVIDEND,), (DIVIDEND, entry("DIV", "X", "40", "-20", status="canceled", activity_id="other"))),
        ((), (DIVIDEND, entry("DIV", "X", "40", "20", status="canceled", activity_id="other"))),
        (SPLIT, tuple(one.model_copy(update={"status": "canceled"}) for one in SPLIT)),
        ((entry("CSD", cash="9"),), (entry("CSD", cash="9", status="canceled"),)),
        ((), (entry("CSD", cash="9", status="pending"), entry("CSD", cash="8", status="canceled"))),
    ],
    ids=["by its status", "by a second entry", "before it was seen", "a split", "a deposit", "never executed"],
)
def test_what_the_broker_takes_back_has_never_been(
    first: tuple[AccountEntry, ...], then: tuple[AccountEntry, ...]
) -> None:
    start = ledger(held("a", "30"), held("b", "10"))
    before = followed(start, *first)
    after = followed(before, *then)
    assert (after.books, after.account.transferred) == (start.books, Decimal(0))
    again = followed(after, *then)
    assert (again.books, again.account.transferred) == (start.books, Decimal(0)), "told twice, taken back once"


def test_mended_figures_take_the_place_of_the_first_ones() -> None:
    start = ledger(held("a", "40"))
    wrong = followed(start, *SPLIT)
    mended = SPLIT[1].model_copy(update={"quantity": Decimal(120), "status": "correct"})
    assert followed(wrong, SPLIT[0], mended).books == followed(start, SPLIT[0], mended).books


def test_a_split_that_is_taken_back_after_trades_is_named_until_a_person_has_acknowledged_it() -> None:
    done = followed(ledger(held("a", "40")), *SPLIT, fill(Side.SELL, "1", "5"))
    void: list[Activity] = [one.model_copy(update={"status": "canceled"}) for one in SPLIT]
    for _ in range(2):
        (first, *_, last) = steps(done, void)
        assert "shares of it were traded since" in first.unexplained["X"]
        assert last.ledger.books == done.books
    settled = Ledger(last.ledger.books, acknowledged(last.ledger.account, void, DAY))
    assert followed(settled, *void).books == done.books


def test_an_announced_split_is_booked_once_and_a_fractions_cash_when_it_comes() -> None:
    start = ledger(held("a", "10.5", "20"))
    step = announced(start, "X", DAY, Decimal("20.5"), DAY)
    assert step.ledger.books["a"].quantity("X") == 31
    told = [entry("SPLIT", "X", "-10.5"), entry("SPLIT", "X", "31"), entry("CIL", "X", cash="10")]
    after = followed(step.ledger, *told, prices={"X": "20"})
    assert after.books["a"].quantity("X") == 31
    assert round(after.books["a"].realised, 9) == 10 - round(210 * Decimal(10) / 630, 9)
    assert followed(after, *told, prices={"X": "20"}).books == after.books
    alone = followed(step.ledger, *told[:2])
    assert alone.books == step.ledger.books
    void = [one.model_copy(update={"status": "canceled"}) for one in told[:2]]
    assert followed(alone, *void).books == start.books, "taken back as a whole"


def test_following_begins_after_what_has_happened_and_forgets_what_cannot_come_again() -> None:
    activities: list[Activity] = [*SPLIT, DIVIDEND, fill(Side.BUY, "1", "5")]
    account = adopted(activities, NOW)
    start = Ledger({"a": held("a", "40")}, account)
    assert followed(start, *activities).books == start.books
    later = steps(start, [], now=NOW + timedelta(days=21))[-1].ledger.account
    assert later == FollowedAccount(through=NOW + timedelta(days=21))


amounts = st.decimals("0.000001", "900", places=6)
symbols = st.sampled_from(["X", "Y"])


type Happening = tuple[str, str, Decimal, Decimal]
"""Kind, symbol and two numbers."""
KINDS = ["buy", "sell", "split", "dividend", "merger", "spin-off", "worthless", "cash", "shares"]


def told_of(happening: Happening, name: str, had: Decimal) -> list[Activity]:
    """What the broker tells of it, of an account with so many shares; nothing if it cannot be."""
    kind, symbol, first, second = happening
    if kind in {"split", "merger", "spin-off", "worthless", "sell"} and had == 0:
        return []
    code, into = ("SPLIT", symbol) if kind == "split" else ("MA", "NEW")
    text = f"{symbol} to NEW"
    each: dict[str, list[Activity]] = {
        "buy": [fill(Side.BUY, str(first), str(second), symbol, name)],
        "sell": [fill(Side.SELL, str(min(first, had) or 1), str(second), symbol, name)],
        "cash": [entry("CSD", cash=str(first), activity_id=name)],
        "dividend": [entry("DIV", symbol, str(had), str(first), activity_id=name)],
        "shares": [entry("ACATS", symbol, str(first), activity_id=name)],
        "worthless": [entry("REORG", symbol, f"-{had}", activity_id=name)],
        "spin-off": [entry("SPIN", "NEW", str(first), text=text, activity_id=name)],
    }
    exchange: list[Activity] = [
        entry(code, symbol, f"-{had}", text=text, activity_id=f"{name}-"),
        entry(code, into, str(first), text=text, activity_id=f"{name}+"),
        entry("CIL" if kind == "split" else "MA", symbol, cash=str(second), activity_id=f"{name} cash"),
    ]
    return each.get(kind, exchange)


def moved(activity: Activity) -> tuple[str, Decimal, Decimal]:
    """Symbol, shares and cash of an activity."""
    if isinstance(activity, Fill):
        sign = 1 if activity.side is Side.BUY else -1
        return activity.symbol, sign * activity.quantity, -sign * activity.quantity * activity.price
    shares = Decimal(0) if activity.code == "DIV" else activity.quantity
    return activity.symbol or "X", shares, activity.amount


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), symbols, amounts, amounts), max_size=12), st.integers(0, 3))
def test_every_dollar_and_every_share_of_the_account_has_an_owner(happenings: list[Happening], twice: int) -> None:
    """A toy account is changed by random activities: cash and shares are what books, results and transfers say."""
    shares, cash = {"X": Decimal(40), "Y": Decimal(7), "NEW": Decimal(0)}, Decimal(0)
    now = ledger(held("a", "30"), held("b", "10"), held("a2", "7", symbol="Y"))
    whole = sum(found.cost() for found in now.books.values())
    for number, happening in enumerate(happenings):
        told = told_of(happening, f"#{number}", shares[happening[1]])
        for symbol, quantity, amount in map(moved, told):
            shares[symbol] += quantity
            cash += amount
        for _ in range(1 + (number == twice)):
            now = followed(now, *told, prices={"X": "11", "Y": "23", "NEW": "3"})
    for symbol, quantity in shares.items():
        assert total(now.books.values(), symbol) == quantity
    earned = sum(found.realised + found.income for found in now.books.values())
    cost = sum(found.cost() for found in now.books.values())
    assert abs(cash + cost - (whole + earned + now.account.transferred)) < Decimal("1e-9")


def test_what_differs_or_is_not_explained_is_blocked_and_what_only_lost_its_price_is_not() -> None:
    books = {"a": held("a", "40").changed("HALT", Decimal(5), Decimal(3), DAY)}
    others = (
        OtherHolding(symbol="HALT", kind="unpriced", quantity=Decimal(5), detail="no price"),
        OtherHolding(symbol="RGT", kind="unpriced", quantity=Decimal(9), detail="no price"),
    )
    assert blocked_symbols(books, Holdings((position("X", "40"),), others), {"RGT": "what is it"}) == {}
    blocked = blocked_symbols(books, Holdings((position("X", "41"), position("Y", "1")), others), {"X": "split"})
    assert set(blocked) == {"X", "Y"}
    assert blocked["X"].startswith("split: look at")
    assert "the books have 0 shares of Y, the account 1" in blocked["Y"]
