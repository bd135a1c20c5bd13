"""How an account stands: each thing that needs a hand is said, and nothing else is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Pipeline, Side
from alchemiser_common.messages.report import Residual, RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.books import (
    BlockedSymbol,
    DailyEquity,
    FollowedAccount,
    Lot,
    StrategyBook,
    StrategyWorth,
)
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_common.records.loose import LooseOrder, LooseOrders
from alchemiser_common.records.parity import Parity, Verdict
from alchemiser_common.records.trading_state import TradingState, TradingStateRecord
from alchemiser_readmodel.account import AccountRecords
from alchemiser_readmodel.at_broker import BrokerAnswers, at_broker, differing
from alchemiser_readmodel.runs import RunSummary
from alchemiser_readmodel.status import AccountStatus, Holding, account_status
from support.messages import ACCOUNT, CYCLE, RUN, SCHEDULED, make_report
from support.plans import position

DAY = SCHEDULED.date()
NOW = SCHEDULED + timedelta(hours=1)


def worth(value: str) -> StrategyWorth:
    return StrategyWorth(strategy="tecl", market_value=Decimal(value), realised=Decimal(0), unrealised=Decimal(0))


def equity(day: date, total: str, value: str, moved: str = "0") -> DailyEquity:
    cash = Decimal(total) - Decimal(value)
    strategies = (worth(value),)
    return DailyEquity(session=day, equity=Decimal(total), cash=cash, strategies=strategies, transferred=Decimal(moved))


def a_run(status: RunStatus = RunStatus.COMPLETED, reason: str = "") -> RunSummary:
    residuals = (Residual(symbol="TQQQ", target=0.6, actual=0.55), Residual(symbol="BIL", target=0.0, actual=0.0))
    report = make_report(status=status, reason=reason, residuals=residuals, account_after=ACCOUNT)
    return RunSummary(RUN, CYCLE, None, None, report)


WELL = AccountRecords(
    alias="paper",
    binding=AccountBinding(account_id="7d1c", environment="paper", since=SCHEDULED),
    authority=Authority(pipeline=Pipeline.MODULAR, epoch=1, set_by="ann", reason="start", set_at=SCHEDULED),
    books=(
        StrategyBook(strategy="tecl", lots=(Lot(symbol="TQQQ", quantity=Decimal(10), price=Decimal(50), opened=DAY),)),
    ),
    equity=(
        equity(DAY - timedelta(days=10), "900", "400"),
        equity(DAY - timedelta(days=7), "950", "500", "50"),
        equity(DAY - timedelta(days=1), "1000", "500", "50"),
        equity(DAY, "1012", "500", "60"),
    ),
    opening=Decimal(905),
    runs=(a_run(),),
)


def status(records: AccountRecords, now: datetime | None = NOW) -> AccountStatus:
    return account_status(records, "paper", now, EXCHANGE_ZONE)


def test_a_well_account_is_shown_and_warns_of_nothing() -> None:
    found = status(WELL)
    assert found.warnings == ()
    assert (found.account, found.broker_account, found.environment) == ("paper", "7d1c", "paper")
    assert found.worth is not None
    assert (found.worth.equity, found.cash, found.outside) == (Decimal(1012), Decimal(512), Decimal(0))
    profits = [None if gain is None else gain.profit for gain in (found.day, found.week, found.whole)]
    assert profits == [2, 52, 47]  # transfers are no profit, and the first run's own cost counts
    assert found.holdings == (Holding("TQQQ", Decimal(10), 0.55, 0.6),)
    assert found.targets == {"TQQQ": 0.6}
    assert found.holdings[0].drift == pytest.approx(-0.05)
    assert (found.trading, found.unfinished, found.verdict) == (TradingState.ACTIVE, (), None)


def test_an_account_that_never_ran_has_no_figures() -> None:
    found = status(AccountRecords(alias="paper"))
    assert (found.worth, found.cash, found.outside, found.day, found.week, found.whole) == (None,) * 6
    assert found.holdings == ()
    assert found.warnings == (
        "no pipeline may trade the account; `alchemiser authority --set` gives it to one",
        "the account has never been run",
    )


HALTED = TradingStateRecord(state=TradingState.HALTED, who="ann", reason="odd prices", at=SCHEDULED)
LOOSE = LooseOrder(
    client_order_id="alc-1", symbol="TQQQ", side=Side.SELL, quantity=Decimal(5), filled=Decimal(2), reason="no answer"
)
BROKEN = Parity(cycle_id=CYCLE, verdict=Verdict.DIFFERENT, detail="tecl weight TQQQ: 0.5 and 0.25", at=SCHEDULED)


UNFINISHED = LeaseRecord(owner="", epoch=3, expires_at=SCHEDULED, unfinished_run=RUN, unfinished_until=SCHEDULED)
BLOCKED = FollowedAccount(through=SCHEDULED, blocked=(BlockedSymbol(symbol="TQQQ", reason="a split"),))
SINCE = f"{SCHEDULED:%Y-%m-%d %H:%M}Z"


@pytest.mark.parametrize(
    ("records", "warning"),
    [
        (replace(WELL, switch=HALTED), f"trading is halted since {SINCE}, by ann: odd prices"),
        (replace(WELL, runs=(a_run(RunStatus.FAILED, "no bars of QQQ"),)), "the last run is failed: no bars of QQQ"),
        (
            replace(WELL, runs=(a_run(RunStatus.PARTIAL, "sell TQQQ: partial"),)),
            "the last run is partial: sell TQQQ: partial",
        ),
        (
            replace(WELL, lease=UNFINISHED),
            f"run {str(RUN)[:8]} has not ended; it may trade until {SINCE}",
        ),
        (
            replace(WELL, loose=(LooseOrders(run_id=RUN, session=DAY, orders=(LOOSE,)),)),
            "sell 5 TQQQ may be open, 2 known to be filled: no answer",
        ),
        (replace(WELL, parities=(BROKEN,)), f"cycle {CYCLE} is different: tecl weight TQQQ: 0.5 and 0.25"),
        (
            replace(WELL, followed=BLOCKED),
            "TQQQ is not traded: a split",
        ),
    ],
    ids=["switch", "failed", "partial", "unfinished", "loose", "parity", "blocked"],
)
def test_what_needs_a_hand_is_said_once(records: AccountRecords, warning: str) -> None:
    assert status(records).warnings == (warning,)


def test_silence_is_said_where_the_time_is_known() -> None:
    later = NOW + timedelta(days=6)
    assert status(WELL, later).warnings == (f"no run for 6 days: the last was due {SCHEDULED:%Y-%m-%d %H:%M}Z",)
    assert status(WELL, None).warnings == ()


def test_the_broker_is_held_beside_the_books() -> None:
    answers = BrokerAnswers(
        at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
        account=ACCOUNT.model_copy(update={"equity": Decimal(1020)}),
        positions=(position("TQQQ", "9", "51"), position("BIL", "1", "91")),
        others=(),
        open_orders=0,
        next_decision=None,
    )
    now = at_broker(WELL, answers, {"TQQQ": 0.6})
    assert now.earned == 8
    assert [(item.symbol, item.shares, item.in_books, item.target) for item in now.holdings] == [
        ("TQQQ", Decimal(9), Decimal(10), 0.6),
        ("BIL", Decimal(1), Decimal(0), None),
    ]
    assert differing(now.holdings) == (
        "TQQQ: 9 at the broker, 10 in the books; see `alchemiser reconcile`",
        "BIL: 1 at the broker, 0 in the books; see `alchemiser reconcile`",
    )
