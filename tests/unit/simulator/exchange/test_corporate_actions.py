"""Corporate actions on the account: whatever happens, and whenever it is told, the account goes on without a jump and
is what its activities explain.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_simulator import ConfigError, SimulatorConfig, sample_history
from alchemiser_simulator.exchange.activities import Entry
from alchemiser_simulator.exchange.exchange import Exchange
from alchemiser_simulator.exchange.orders import ZERO, Ledger, Side
from alchemiser_simulator.exchange.transfers import Transfer
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.market.actions import (
    Action,
    CashDividend,
    MadeSplit,
    MarketChange,
    Merger,
    Renamed,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
)
from unit.simulator.exchange.tickets import OPEN, ticket

DAY = date(2020, 6, 2)
BEFORE, NIGHT = datetime(2020, 6, 2, 3, 59, 59, tzinfo=UTC), datetime(2020, 6, 2, 4, tzinfo=UTC)


def exchange_with(*changes: MarketChange) -> Exchange:
    return Venue(SimulatorConfig(history=sample_history(), start=OPEN, changes=changes)).exchange


def holding(exchange: Exchange, symbol: str, qty: str = "10") -> None:
    exchange.submit(ticket(symbol, qty=qty))
    exchange.advance_to(BEFORE)


def explained(exchange: Exchange) -> Ledger:
    """Opening, fills and entries, added up by themselves."""
    books = exchange.books
    cash = books.head.opening.cash
    shares = {symbol: held.qty for symbol, held in books.head.opening.holdings.items()}
    moves = [(fill.symbol, fill.qty if fill.side is Side.BUY else -fill.qty, fill.price) for fill in books.fills]
    for symbol, qty, price in moves:
        cash -= qty * price
        shares[symbol] = shares.get(symbol, ZERO) + qty
    for entry in books.entries:
        if entry.at <= exchange.now:
            cash += entry.amount
            shares[entry.symbol] = shares.get(entry.symbol, ZERO) + entry.shares
    assert books.head.ledger.cash == cash, "cash is not what activities explain"
    held = {symbol: one.qty for symbol, one in books.head.ledger.holdings.items()}
    assert held == {symbol: qty for symbol, qty in shares.items() if qty}, "shares are not what activities explain"
    return books.head.ledger


def told(entry: Entry) -> tuple[str, str, Decimal, Decimal]:
    return f"{entry.code}/{entry.sub_code}", entry.symbol, entry.qty, entry.amount


S = MadeSplit(symbol="TLT", day=DAY, ratio=3)
KINDS: list[tuple[MarketChange, dict[str, str], list[tuple[str, str, str, str]]]] = [
    (S, {"TLT": "30"}, [("SPLIT/FSPLIT", "TLT", "-10", "0"), ("SPLIT/FSPLIT", "TLT", "30", "0")]),
    (
        MadeSplit(symbol="TLT", day=DAY, ratio=0.25, cash_in_lieu=True),
        {"TLT": "2"},
        [("SPLIT/RSPLIT", "TLT", "-10", "0"), ("SPLIT/RSPLIT", "TLT", "2", "0"), ("CIL/", "TLT", "0", "any")],
    ),
    (MadeSplit(symbol="TLT", day=DAY, ratio=0.25), {"TLT": "2.5"}, []),
    (CashDividend(symbol="TLT", day=DAY, rate=Decimal("1.25")), {"TLT": "10"}, [("DIV/CDIV", "TLT", "10", "12.5")]),
    (StockDividend(symbol="TLT", day=DAY, rate=Decimal("0.05")), {"TLT": "10.5"}, [("DIV/SDIV", "TLT", "0.5", "0")]),
    (
        Renamed(symbol="TLT", day=DAY, into="TLTX"),
        {"TLTX": "10"},
        [("NC/SNC", "TLT", "-10", "0"), ("NC/SNC", "TLTX", "10", "0")],
    ),
    (
        SpinOff(symbol="TLT", day=DAY, new_symbol="XLP", new_rate=Decimal(1), source_rate=Decimal(4)),
        {"TLT": "10", "XLP": "2.5"},
        [("SPIN/", "XLP", "2.5", "0")],
    ),
]


@pytest.mark.parametrize(("action", "held", "entries"), KINDS, ids=lambda value: getattr(value, "kind", ""))
def test_each_kind_is_told_and_equity_goes_on_without_a_jump(
    action: MarketChange, held: dict[str, str], entries: list[tuple[str, str, str, str]]
) -> None:
    exchange = exchange_with(action)
    holding(exchange, "TLT")
    cost = exchange.books.head.ledger.holdings["TLT"].cost
    before = exchange.equity
    exchange.advance_to(NIGHT)
    ledger = explained(exchange)
    assert {symbol: one.qty for symbol, one in ledger.holdings.items()} == {s: Decimal(q) for s, q in held.items()}
    assert abs(exchange.equity - before) <= Decimal("0.10"), "the account jumped over night"
    if not any(entry.code == "CIL" for entry in exchange.books.entries):
        assert sum(one.cost for one in ledger.holdings.values()) == pytest.approx(cost)
    for entry, (code, symbol, qty, amount) in zip(exchange.books.entries, entries, strict=bool(entries)):
        expected = (code, symbol, Decimal(qty), entry.amount if amount == "any" else Decimal(amount))
        assert told(entry) == expected
    exchange.advance_to(datetime(2020, 6, 2, 20, tzinfo=UTC))
    assert abs(exchange.equity - before) < 25, "the account jumped at the open"


@pytest.mark.parametrize(
    ("action", "codes", "held"),
    [
        (Merger(symbol="TLT", day=DAY, cash_rate=Decimal(160)), ["MA/CMA", "MA/CMA"], {}),
        (
            Merger(symbol="TLT", day=DAY, acquirer="IEF", acquirer_rate=Decimal("1.33"), cash_in_lieu=True),
            ["MA/SMA", "MA/SMA", "CIL/"],
            {"IEF": "13"},
        ),
        (
            Merger(symbol="TLT", day=DAY, acquirer="IEF", acquirer_rate=Decimal(1), cash_rate=Decimal(40)),
            ["MA/SCMA", "MA/SCMA", "MA/SCMA"],
            {"IEF": "10"},
        ),
        (WorthlessRemoval(symbol="TLT", day=DAY), ["REORG/WRM"], {}),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_symbol_that_ends_is_exchanged_or_taken_out(
    action: MarketChange, codes: list[str], held: dict[str, str]
) -> None:
    exchange = exchange_with(action)
    holding(exchange, "TLT")
    cash = exchange.books.head.ledger.cash
    resting = exchange.submit(ticket("TLT", limit="1.00"))
    exchange.advance_to(NIGHT)
    ledger = explained(exchange)
    assert [f"{entry.code}/{entry.sub_code}" for entry in exchange.books.entries] == codes
    assert len({entry.group for entry in exchange.books.entries}) == 1
    assert {symbol: one.qty for symbol, one in ledger.holdings.items()} == {s: Decimal(q) for s, q in held.items()}
    if isinstance(action, Merger):
        cil = sum((entry.amount for entry in exchange.books.entries if entry.code == "CIL"), ZERO)
        assert ledger.cash == cash + 10 * action.cash_rate + cil
    assert exchange.books.orders[resting.id].status == "canceled"
    assert not exchange.asset("TLT").active


@pytest.mark.parametrize(("lag", "notice"), [(0, 0), (0, 2), (2, 0), (1, 2)])
def test_the_account_changes_before_with_or_after_the_notice(lag: int, notice: int) -> None:
    exchange = exchange_with(S.model_copy(update={"lag_days": lag, "notice_days": notice}))
    holding(exchange, "TLT")
    for day in range(4):
        exchange.advance_to(NIGHT + timedelta(days=day))
        told = [entry for entry in exchange.books.entries if entry.shown_at <= exchange.now]
        assert exchange.books.head.ledger.holdings["TLT"].qty == (30 if day >= lag else 10)
        assert len(told) == (2 if day >= notice else 0)
        explained(exchange)
    assert {entry.day for entry in exchange.books.entries} == {DAY}


def test_a_mistaken_notice_is_taken_back_and_mended_and_a_wrong_one_called_off() -> None:
    paid = CashDividend(symbol="TLT", day=DAY, rate=Decimal(1), mistaken_factor=Decimal("1.5"), corrected_days=2)
    off = MadeSplit(symbol="IEF", day=DAY, ratio=2, canceled_days=3)
    exchange = exchange_with(paid, off)
    exchange.submit(ticket("IEF", qty="4"))
    holding(exchange, "TLT")
    cash, cost = exchange.books.head.ledger.cash, exchange.books.head.ledger.holdings["IEF"].cost
    for day, (dividend, left) in enumerate([(15, 8), (15, 8), (10, 8), (10, 4)]):
        exchange.advance_to(NIGHT + timedelta(days=day))
        ledger = explained(exchange)
        assert ledger.cash - cash == dividend
        assert ledger.holdings["IEF"].qty == left
    assert ledger.holdings["IEF"].cost == cost
    dividends = [(entry.status, entry.amount) for entry in exchange.books.entries if entry.code == "DIV"]
    assert dividends == [("executed", Decimal(15)), ("canceled", Decimal(-15)), ("correct", Decimal(10))]
    splits = [(entry.status, str(entry.qty)) for entry in exchange.books.entries if entry.code == "SPLIT"]
    shares = [(status, str(Decimal(qty).normalize())) for status, qty in splits]
    assert shares == [("executed", "-4"), ("executed", "8"), ("canceled", "-8"), ("canceled", "4")]


ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(MadeSplit, symbol=st.just("TLT"), day=st.just(DAY), ratio=st.sampled_from([2, 0.1, 1.5]),
              cash_in_lieu=st.booleans(), lag_days=st.integers(0, 2), notice_days=st.integers(0, 2)),
    st.builds(CashDividend, symbol=st.just("TLT"), day=st.just(DAY), rate=st.decimals("0.001", 3, places=3),
              lag_days=st.integers(0, 2)),
    st.builds(StockDividend, symbol=st.just("TLT"), day=st.just(DAY), rate=st.decimals("0.01", 1, places=2),
              cash_in_lieu=st.booleans()),
    st.builds(SpinOff, symbol=st.just("TLT"), day=st.just(DAY), new_symbol=st.just("XLP"),
              new_rate=st.decimals("0.1", 1, places=3), cash_in_lieu=st.booleans(), canceled_days=st.just(3)),
    st.builds(Merger, symbol=st.just("TLT"), day=st.just(DAY), acquirer=st.just("IEF"),
              acquirer_rate=st.decimals("0.1", 2, places=3), cash_rate=st.decimals(0, 50, places=2)),
)  # fmt: skip


@given(ACTIONS, st.decimals("0.001", 300, places=3), st.lists(st.decimals(-500, 500, places=2), max_size=3))
@settings(max_examples=40, deadline=None)
def test_cash_and_shares_are_what_activities_explain(action: Action, qty: Decimal, transfers: list[Decimal]) -> None:
    exchange = exchange_with(action)
    exchange.set_holding("TLT", qty, None)
    exchange.submit(ticket("TLT", qty="7"))
    for number, amount in enumerate(transfers):
        if amount:
            at = OPEN + timedelta(hours=9 * number)
            exchange.transfer(Transfer(code="CSD" if amount > 0 else "CSW", amount=amount, at=at))
    for hours in (0, 14, 40, 70, 100):
        exchange.advance_to(OPEN + timedelta(hours=hours))
        explained(exchange)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (CashDividend(symbol="TLT", day=DAY, rate=Decimal(1000)), "cannot pay 1000"),
        (CashDividend(symbol="TLT", day=date(2015, 1, 1), rate=Decimal(1)), "no price before"),
        (SpinOff(symbol="TLT", day=DAY, new_symbol="NOPE", new_rate=Decimal(1)), "no symbol 'NOPE', the new one"),
        (Merger(symbol="TLT", day=DAY, acquirer="NOPE", acquirer_rate=Decimal(1)), "no symbol 'NOPE', the acquirer"),
    ],
)
def test_an_action_that_cannot_be_is_refused(change: MarketChange, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        exchange_with(change)
