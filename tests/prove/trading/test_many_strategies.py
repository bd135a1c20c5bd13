"""Sixty strategies over 250 symbols, with the state in DynamoDB: what a run leaves is more than one write takes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from alchemiser_common import keys
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.decision import SignalStatus, TradeDecision, netted
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.state import WRITES_LIMIT
from alchemiser_common.settings import Settings
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.books.book_store import StoredBooks, compare_books
from support.aws import Aws
from support.faulty_ports import Faults, FaultyStore, Killed, killing_after
from support.plans import signal
from support.trading_rig import QUARTER_HOUR, SCHEDULED, Rig, exchange, quiet_market, rig_settings

SYMBOLS = tuple(f"S{number:03d}" for number in range(250))
STRATEGIES = tuple(f"strategy-{number:02d}" for number in range(60))


def settings() -> Settings:
    """At the market, and without limits on how many orders, of what size and how fast."""
    styles = dict.fromkeys(("tight_style", "normal_style", "wide_style"), "market")
    small = {"max_orders": 300, "min_trade_share": 0}
    chosen = rig_settings(**styles, requests_per_minute=10_000)
    return chosen.model_copy(update={"trading": chosen.trading.model_validate(small)})


@pytest.fixture
def rig(aws: Aws, tmp_path: Path) -> Iterator[Rig]:
    prices = {symbol: 10.0 + number for number, symbol in enumerate(SYMBOLS)}
    with exchange(quiet_market(prices), tmp_path, settings=settings(), rate_limit=10_000) as made:
        state = DynamoStateStore(aws.clients.dynamodb, aws.make_table(), lambda: uuid4().hex)
        set_authority(state, "bench", Pipeline.MODULAR, who="test", reason="start", now=SCHEDULED)
        yield replace(made, state=state)


def decision(
    rig: Rig,
    portfolio: Mapping[str, Mapping[str, float]],
    *,
    days: int = 0,
    status: SignalStatus = SignalStatus.TARGET,
) -> TradeDecision:
    """Of strategies that share the account equally, so many days after the first."""
    signals = tuple(signal(name, 1 / len(portfolio), weights, status) for name, weights in portfolio.items())
    scheduled = SCHEDULED + timedelta(days=days)
    rig.clock.move_to(max(scheduled, rig.clock.now()))
    return rig.decision({}, scheduled=scheduled, signals=signals, targets=netted(signals))


def wide() -> dict[str, dict[str, float]]:
    """Each strategy wants eight symbols, every symbol is wanted by one or two."""
    return {
        name: {SYMBOLS[(number * 25 // 6 + step * 31) % 250]: 0.125 for step in range(8)}
        for number, name in enumerate(STRATEGIES)
    }


def narrow(*names: str) -> dict[str, dict[str, float]]:
    """Each strategy wants two of five symbols."""
    return {name: {SYMBOLS[n % 5]: 0.5, SYMBOLS[(n + 1 + n % 3) % 5]: 0.5} for n, name in enumerate(names)}


def deliver(rig: Rig, made: TradeDecision, faults: Faults) -> ExecutionReport:
    return rig.service(state=FaultyStore(rig.state, faults)).execute(made, time_left=lambda: QUARTER_HOUR)


def killed_at(rig: Rig, made: TradeDecision, faults: Faults) -> ExecutionReport:
    """The process dies there; the next delivery's report."""
    with pytest.raises(Killed):
        deliver(rig, made, faults)
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    return rig.trade(made)


def check(rig: Rig, report: ExecutionReport, names: tuple[str, ...]) -> None:
    assert report.status is RunStatus.COMPLETED, report.reason
    assert compare_books(rig.state, "bench", rig.broker.holdings().positions) == ()
    books = StoredBooks.load(rig.state, "bench").books
    assert [name for name, book in sorted(books.items()) if book.lots] == sorted(names)
    stored = rig.state.list(keys.account_partition("bench"), prefix=keys.TARGETS_PREFIX)
    assert {record.key.sort.removeprefix(keys.TARGETS_PREFIX) for record in stored} >= set(names)
    ids = [order.client_order_id for order in rig.orders()]
    assert len(ids) == len(set(ids))


def test_a_run_of_sixty_strategies_over_250_symbols_ends_and_the_next_day_holds_them_all(rig: Rig) -> None:
    made = decision(rig, wide())
    assert {target.symbol for target in made.targets} == set(SYMBOLS)
    faults = killing_after("write LEASE TARGETS#")
    report = killed_at(rig, made, faults)
    check(rig, report, STRATEGIES)
    assert report.orders_placed == len(rig.orders()) == 250
    assert set(StoredBooks.load(rig.state, "bench").books) == set(STRATEGIES)

    calls = Faults()
    again = deliver(rig, decision(rig, wide(), days=1, status=SignalStatus.HOLD), calls)
    check(rig, again, STRATEGIES)
    assert again.orders_placed == 0
    assert len(rig.orders()) == 250
    assert not [name for name in calls.names if "TARGETS#s" in name], "who holds made no statement"


@pytest.mark.parametrize("moment", ["write LEASE TARGETS#", "write LEASE BOOK#", "write LEASE JOURNAL REPORT"])
def test_a_whole_portfolio_is_exchanged_for_another_one_whatever_dies(rig: Rig, moment: str) -> None:
    """120 books change: more than the write that ends a run takes."""
    others = tuple(f"other-{number:02d}" for number in range(60))
    check(rig, deliver(rig, decision(rig, narrow(*STRATEGIES)), Faults()), STRATEGIES)
    before = StoredBooks.load(rig.state, "bench").books
    assert 2 * len(before) > WRITES_LIMIT
    report = killed_at(rig, decision(rig, narrow(*others), days=1), killing_after(moment))
    check(rig, report, others)
    after = StoredBooks.load(rig.state, "bench").books
    assert all(after[name].realised == before[name].realised for name in STRATEGIES), "each keeps its own result"


def test_where_one_write_takes_them_strategies_that_leave_have_the_result_of_their_last_sale(rig: Rig) -> None:
    check(rig, deliver(rig, decision(rig, narrow("a", "b")), Faults()), ("a", "b"))
    calls = Faults()
    check(rig, deliver(rig, decision(rig, {"c": {SYMBOLS[9]: 1.0}}, days=1), calls), ("c",))
    books = StoredBooks.load(rig.state, "bench").books
    assert {"a", "b", "c"} <= set(books)
    assert books["a"].realised != 0
    assert not [name for name in calls.names if name.startswith("write LEASE BOOK#")]
