"""Two names of one account become one: nothing is lost, nothing counts twice, and never while a run is at it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from alchemiser_common import keys
from alchemiser_common.account_binding import check_binding, read_binding
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import Conflict, RunInProgress, WrongAccount
from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.state import ABSENT, load, load_all, put, put_over
from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.records.books import DailyEquity, Lot, StrategyBook
from alchemiser_common.records.run import RunEntry
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Environment
from alchemiser_trading.account.adoption import adopt, plan_adoption
from alchemiser_trading.account.audit import read_audit
from alchemiser_trading.account.authority import read_authority, set_authority
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.account.trading_state import set_trading_state, trading_state
from alchemiser_trading.journal.journal import new_head
from support.clock import ManualClock
from support.messages import SCHEDULED

BY = {"who": "ann", "reason": "one account", "now": SCHEDULED}
EARLY, LATE = date(2026, 10, 1), date(2026, 10, 2)


def book(name: str, quantity: int, realised: int = 0) -> StrategyBook:
    lots = (Lot(symbol="SPY", quantity=Decimal(quantity), price=Decimal(100), opened=EARLY),) if quantity else ()
    return StrategyBook(strategy=name, lots=lots, realised=Decimal(realised))


def trade(store: SqliteStateStore, alias: str, days: tuple[date, ...], *books: StrategyBook) -> None:
    """What runs on these days leave behind."""
    set_authority(store, alias, Pipeline.MODULAR, who="test", reason="a start", now=SCHEDULED)
    for day in days:
        at = datetime.combine(day, SCHEDULED.timetz())
        run = RunRef.of(alias, at, Pipeline.MODULAR)
        entry = RunEntry(run_id=run.run_id, cycle_id=run.cycle_id)
        head = new_head(run, RunStatus.COMPLETED, at, decision_hash="", not_after=at)
        worth = DailyEquity(session=day, equity=Decimal(len(alias)), cash=Decimal(0), strategies=())
        store.write(
            put(keys.run_entry(alias, at, Pipeline.MODULAR), entry, ABSENT),
            put(keys.equity_record(alias, day), worth, ABSENT),
            put(keys.journal_record(run.run_id), head, ABSENT),
        )
    for item in books:
        targets = StoredTargets(strategy=item.strategy, decided_for=days[-1], weights=())
        store.write(
            put(keys.strategy_book(alias, item.strategy), item, ABSENT),
            put(keys.strategy_targets(alias, item.strategy), targets, ABSENT),
        )


def books_of(store: SqliteStateStore, alias: str) -> dict[str, tuple[int, int]]:
    found = load_all(store, keys.account_partition(alias), StrategyBook, prefix=keys.BOOK_PREFIX)
    return {
        item.value.strategy: (sum(int(lot.quantity) for lot in item.value.lots), int(item.value.realised))
        for item in found
    }


def carry_out(store: SqliteStateStore) -> None:
    adopt(store, plan_adoption(store, "demo", "paper"), Environment.PAPER, **BY)  # type: ignore[arg-type]


def test_an_account_that_was_only_traded_under_its_old_name_goes_on_under_the_new_one(store: SqliteStateStore) -> None:
    trade(store, "demo", (EARLY, LATE), book("tecl", 5, realised=7), book("klm", 2))
    set_trading_state(store, "demo", TradingState.HALTED, who="bob", reason="news", now=SCHEDULED)
    carry_out(store)
    assert books_of(store, "paper") == books_of(store, "demo") == {"tecl": (5, 7), "klm": (2, 0)}
    for partition in (keys.runs_partition, keys.equity_partition):
        assert [(item.key.sort, item.body) for item in store.list(partition("paper"))] == [
            (item.key.sort, item.body) for item in store.list(partition("demo"))
        ]
    targets = load(store, keys.strategy_targets("paper", "tecl"), StoredTargets)
    assert targets is not None
    assert targets.value.decided_for == LATE
    assert trading_state(store, "paper") is TradingState.HALTED
    assert read_authority(store, "paper") == read_authority(store, "demo")
    for alias in ("demo", "paper"):
        assert "ann" in [entry.who for entry in read_audit(store, alias)]
    with pytest.raises(WrongAccount, match="account demo was given up for paper"):
        check_binding(store, "demo", Environment.PAPER, "any")
    assert read_binding(store, "paper") is None, "its first run binds it"


@pytest.mark.parametrize("old_is_later", [True, False])
def test_of_two_sets_of_books_those_of_whoever_traded_last_stay_whole(
    store: SqliteStateStore, *, old_is_later: bool
) -> None:
    trade(store, "demo", (LATE,) if old_is_later else (EARLY,), book("tecl", 5))
    trade(store, "paper", (EARLY,) if old_is_later else (LATE,), book("tecl", 4), book("nuclear", 3, realised=9))
    set_trading_state(store, "paper", TradingState.REDUCING, who="bob", reason="news", now=SCHEDULED)
    carry_out(store)
    after = books_of(store, "paper")
    assert after == ({"tecl": (5, 0), "nuclear": (0, 9)} if old_is_later else {"tecl": (4, 0), "nuclear": (3, 9)})
    assert len(store.list(keys.equity_partition("paper"))) == len(store.list(keys.runs_partition("paper"))) == 2
    assert trading_state(store, "paper") is TradingState.REDUCING


def test_a_binding_comes_over_and_two_accounts_do_not_become_one(store: SqliteStateStore) -> None:
    trade(store, "demo", (LATE,), book("tecl", 5))
    one = AccountBinding(account_id="one", environment="paper", since=SCHEDULED)
    store.write(put(keys.account_binding("demo"), one, ABSENT))
    store.write(put(keys.account_binding("paper"), one.model_copy(update={"account_id": "two"}), ABSENT))
    with pytest.raises(WrongAccount, match=r"paper account one, paper to paper account two: two accounts"):
        plan_adoption(store, "demo", "paper")
    with pytest.raises(WrongAccount, match="name the alias to give up"):
        plan_adoption(store, "paper", "paper")
    known = read_binding(store, "paper")
    store.write(put_over(known, keys.account_binding("paper"), one))
    carry_out(store)
    assert check_binding(store, "paper", Environment.PAPER, "one") == one


@pytest.mark.parametrize("alias", ["demo", "paper"])
def test_it_meets_no_run_and_goes_by_nothing_that_a_run_has_changed(
    store: SqliteStateStore, clock: ManualClock, alias: str
) -> None:
    trade(store, "demo", (LATE,), book("tecl", 5))
    trade(store, "paper", (EARLY,), book("tecl", 4))
    planned = plan_adoption(store, "demo", "paper")
    lease = AccountLease.acquire(store, clock, alias, owner="me", duration=timedelta(minutes=1))
    with pytest.raises(RunInProgress):
        adopt(store, planned, Environment.PAPER, **BY)  # type: ignore[arg-type]
    key = keys.strategy_book(alias, "tecl")
    lease.write(put_over(load(store, key, StrategyBook), key, book("tecl", 6)))
    lease.release()
    before = books_of(store, "paper")
    if alias == "demo":
        with pytest.raises(Conflict, match="has changed since the adoption was planned"):
            adopt(store, planned, Environment.PAPER, **BY)  # type: ignore[arg-type]
        assert books_of(store, "paper") == before
        assert read_binding(store, "demo") is None


def test_an_adoption_that_died_before_its_last_write_is_done_again(store: SqliteStateStore) -> None:
    trade(store, "demo", tuple(LATE + timedelta(days=day) for day in range(60)), book("tecl", 5))
    planned = plan_adoption(store, "demo", "paper")
    key, entry = planned.runs[0]
    store.write(put(keys.equity_record("paper", LATE), planned.sessions[0], ABSENT))
    store.write(put(keys.run_entry("paper", SCHEDULED, Pipeline.MODULAR), entry, ABSENT))
    carry_out(store)
    assert len(store.list(keys.equity_partition("paper"))) == 60
    assert books_of(store, "paper") == {"tecl": (5, 0)}
    assert key.partition == keys.runs_partition("demo")
