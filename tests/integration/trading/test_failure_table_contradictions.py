"""The failure table, rows 28 to 41: a broker that contradicts itself, through the real Alpaca adapter.

The truth is the exchange's own books. Whatever it says meanwhile, no leg trades more than its plan, no order of ours is
left open without a name, and the report says no more than is true.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common import keys
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, LegStatus, RunStatus
from alchemiser_common.ports.state import load_all
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.trading_state import TradingState
from alchemiser_simulator.control.faults import (
    Answer,
    BadTrade,
    Fault,
    LateArrival,
    Operation,
    OtherOrder,
    PartialFills,
    Patch,
    StuckCancel,
    When,
)
from alchemiser_simulator.control.models import AccountChange
from alchemiser_trading.account.trading_state import set_trading_state
from support.faulty_ports import Fault as Kill
from support.faulty_ports import Faults, Killed
from support.trading_rig import QUARTER_HOUR, Rig, rig_settings
from support.trading_runs import SWITCH, assert_no_open_orders, assert_switched, deliver, faulty

POST = When(method="POST", path="^/v2/orders$")
LIST = When(method="GET", path="^/v2/orders$")
LOOK_UP = When(method="GET", path="by_client_order_id")
HALVES = {"AAA": 0.5, "BBB": 0.5}
HTML = "<html><body>Forbidden</body></html>"


def said_at_most(rig: Rig, report: ExecutionReport) -> None:
    """No leg traded more than planned, and none says that it did more than it did."""
    traded = rig.traded()
    for leg in report.legs:
        truth = traded.get((leg.symbol, leg.side.value), Decimal(0))
        assert truth <= leg.intended, f"{leg.symbol}: {truth} of {leg.intended}"
        assert leg.filled <= truth, f"{leg.symbol}: says {leg.filled}, was {truth}"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("^/v2/orders$", status) for status in (400, 401, 403, 404, 451)),
        *((path, 403) for path in ("^/v2/positions$", "^/v2/account$", "/quotes/latest$")),
    ],
)
def test_row_28_a_4xx_on_a_read_ends_no_run(rig: Rig, status: int, path: str) -> None:
    rig.control.add_fault(
        Answer(match=When(method="GET", path=path), status=status, body={"message": "no"}, skip=2, count=1)
    )
    report = deliver(rig, rig.decision(SWITCH), lambda _: rig.service())
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_28_one_that_lasts_winds_the_run_down_and_is_counted(rig: Rig) -> None:
    rig.control.add_fault(PartialFills(match=POST, fraction=Decimal("0.2"), max_fills=1))
    rig.control.add_fault(Answer(match=LIST, status=403, body={"message": "no"}, skip=4))
    report = deliver(rig, rig.decision(SWITCH), lambda _: rig.service())
    assert report.status is RunStatus.HALTED
    assert "given up after 3 deliveries" in report.reason
    assert report.orders_placed > 0
    said_at_most(rig, report)
    still_open = [order.client_order_id for order in rig.orders() if order.status in {"new", "partially_filled"}]
    assert all(name in report.reason for name in still_open), "what may be open has a name"


def test_row_28_where_nothing_answers_any_more_the_end_is_written_from_the_journal(rig: Rig) -> None:
    rig.control.add_fault(PartialFills(match=POST, fraction=Decimal("0.2"), max_fills=1))
    began = rig.clock.now()
    everything = Answer(match=When(method="GET", path="^/v2/"), status=403, body={"message": "no"})
    faults = Faults()

    def from_the_first_order_on(name: str) -> None:
        if name == "the day's orders" and rig.orders():
            faults.on_call = None
            rig.control.add_fault(everything)

    faults.on_call = from_the_first_order_on
    report = deliver(rig, rig.decision(SWITCH), lambda _: faulty(rig, faults))
    assert report.status is RunStatus.HALTED
    assert "given up after 3 deliveries" in report.reason
    assert "not wound down" in report.reason
    assert rig.clock.now() < began + timedelta(minutes=10), "a delivery gives up after a minute of it"
    said_at_most(rig, report)
    sent = {order.symbol for order in rig.orders()}
    assert sent
    assert sent == {leg.symbol for leg in report.legs if leg.unknown > 0}, "each may have been filled"
    still_open = [order.client_order_id for order in rig.orders() if order.status in {"new", "partially_filled"}]
    assert all(name in report.reason for name in still_open), "what may be open has a name"
    rig.control.clear_faults()
    assert rig.service().end_overdue(time_left=lambda: QUARTER_HOUR) is None
    assert_no_open_orders(rig)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403, "text": HTML, "content_type": "text/html"},
        {"status": 409, "body": {"code": 40910000, "message": "conflict"}},
        {"status": 422, "text": ""},
    ],
    ids=["403 with HTML", "409", "422 without a body"],
)
def test_row_29_what_is_no_refusal_in_alpacas_words_is_looked_up(rig: Rig, answer: dict[str, object]) -> None:
    rig.control.add_fault(Answer.model_validate({"match": POST, "accepted": True, "count": 2, **answer}))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)
    said_at_most(rig, report)


def looked_at_by_the_watch(rig: Rig, _: TradeDecision) -> None:
    assert rig.service().end_overdue(time_left=lambda: QUARTER_HOUR) is None, "no run is unfinished"


def looked_at_by_the_next_delivery(rig: Rig, decision: TradeDecision) -> None:
    assert "ended before" in rig.trade(decision).reason


def looked_at_by_the_next_run(rig: Rig, _: TradeDecision) -> None:
    set_trading_state(rig.state, "bench", TradingState.ACTIVE, who="test", reason="over", now=rig.clock.now())
    scheduled = rig.clock.now().replace(second=0, microsecond=0)
    report = rig.trade(rig.decision({"DDD": 0.2}, scheduled=scheduled))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert any("buy AAA of run" in note and "cancelled, 0 filled" in note for note in report.notes), report.notes


@pytest.mark.parametrize(
    "look",
    [looked_at_by_the_watch, looked_at_by_the_next_delivery, looked_at_by_the_next_run],
    ids=["the watch", "the next delivery", "the next run"],
)
@pytest.mark.parametrize("end", ["halt", "deadline"])
def test_row_30_a_post_that_arrives_after_the_runs_end_is_cancelled_by_whoever_looks_next(
    rig: Rig, end: str, look: Callable[[Rig, TradeDecision], None]
) -> None:
    rig.control.add_fault(LateArrival(match=When(method="POST", path="^/v2/orders$", symbol="AAA"), seconds=400))
    good_for = timedelta(hours=1) if end == "halt" else timedelta(seconds=10)
    decision = rig.decision(HALVES, not_after=rig.clock.now() + good_for)
    halted: list[bool] = []
    faults = Faults()

    def halt(name: str) -> None:
        if name.startswith("submit buy AAA") and not halted:
            halted.append(True)
            now = rig.clock.now()
            set_trading_state(rig.state, "bench", TradingState.HALTED, who="test", reason="row 30", now=now)

    faults.on_call = halt if end == "halt" else None
    report = faulty(rig, faults).execute(decision, time_left=lambda: QUARTER_HOUR)
    leg = next(item for item in report.legs if item.symbol == "AAA")
    assert (report.status, leg.status, leg.filled) == (RunStatus.HALTED, LegStatus.FROZEN, Decimal(0))
    assert leg.unknown == leg.intended, "it may all be bought yet"
    assert "unknown" in leg.reason
    assert "may be open: buy" in report.reason
    rig.control.advance(500)
    assert [order.symbol for order in rig.orders() if order.status == "new"] == ["AAA"], "it came after the end"
    rig.clock.move_to(rig.control.clock().now)
    rig.control.add_fault(Answer(match=When(method="DELETE"), status=451, body={"message": "no"}, count=2))
    look(rig, decision)
    assert_no_open_orders(rig)


@pytest.mark.parametrize("pause", ["lease", "deadline"])
def test_row_31_a_worker_that_was_paused_between_intent_and_post_sends_nothing(rig: Rig, pause: str) -> None:
    decision = rig.decision(SWITCH)
    faults = Faults()

    def stand_still(name: str) -> None:
        if "INTENT" in name and not rig.orders():
            long = timedelta(seconds=rig.settings.execution.lease_seconds + 5)
            until = decision.not_after + timedelta(seconds=1) if pause == "deadline" else rig.clock.now() + long
            faults.on_call = None
            rig.clock.move_to(until)

    faults.on_call = stand_still
    report = deliver(rig, decision, lambda delivery: faulty(rig, faults if delivery == 0 else Faults()))
    late = [order for order in rig.orders() if order.created_at >= decision.not_after]
    assert not late, "sent after the deadline"
    assert report.status is (RunStatus.PARTIAL if pause == "deadline" else RunStatus.COMPLETED), report.reason
    said_at_most(rig, report)


PARTLY = {"where": {"symbol": "AAA"}}
LIES: list[tuple[str, list[Fault]]] = [
    ("filled with nothing", [Patch(match=LIST, count=2, operations=(
        Operation(path="*.status", value="filled", **PARTLY), Operation(path="*.filled_qty", value="0", **PARTLY)))]),
    ("cancelled with nothing", [Patch(match=LIST, count=2, skip=1, operations=(
        Operation(path="*.status", value="canceled", **PARTLY), Operation(path="*.filled_qty", value="0", **PARTLY)))]),
    ("less than nothing", [Patch(match=LIST, count=2, operations=(
        Operation(path="*.filled_qty", value="-100", **PARTLY),))]),
    ("another order is answered", [OtherOrder(match=When(method="POST", path="^/v2/orders$", symbol="AAA"), count=1)]),
    ("a look-up that does not know it", [Answer(match=LOOK_UP, status=404, count=3, body={
        "code": 40410000, "message": "order not found"})]),
]  # fmt: skip


@pytest.mark.parametrize("faults", [faults for _, faults in LIES], ids=[name for name, _ in LIES])
def test_rows_32_and_34_what_contradicts_itself_is_asked_again(rig: Rig, faults: list[Fault]) -> None:
    rig.control.add_fault(PartialFills(match=POST, fraction=Decimal("0.5"), max_fills=1, count=1))
    for fault in faults:
        rig.control.add_fault(fault)
    report = rig.trade(rig.decision(SWITCH))
    said_at_most(rig, report)
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_34_a_whole_fill_is_an_end_whatever_its_status_is_called(rig: Rig) -> None:
    rig.settings = rig_settings(walk=("1",))
    odd = (Operation(path="*.status", value="calculated"),)
    rig.control.add_fault(Patch(match=LIST, operations=odd))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_32_what_contradicts_itself_for_good_freezes_the_leg_and_says_so(rig: Rig) -> None:
    half = (Operation(path="*.status", value="filled", **PARTLY), Operation(path="*.filled_qty", value="1", **PARTLY))
    one = (Operation(path="status", value="filled"), Operation(path="filled_qty", value="1"))
    rig.control.add_fault(Patch(match=LIST, operations=half))
    rig.control.add_fault(Patch(match=When(method="GET", path="by_client_order_id", symbol="AAA"), operations=one))
    report = rig.trade(rig.decision(SWITCH))
    said_at_most(rig, report)
    leg = next(item for item in report.legs if item.symbol == "AAA")
    assert (report.status, leg.status) == (RunStatus.HALTED, LegStatus.FROZEN), report.reason
    assert "the broker contradicts itself: order" in leg.reason
    assert {item.symbol: item.status for item in report.legs}["BBB"] is LegStatus.FILLED, "the others go on"


def test_row_33_an_earlier_step_that_is_not_found_after_a_restart_counts_as_the_journal_says(rig: Rig) -> None:
    """Step 1 half filled, step 2 filled, killed; then the look-up of step 1 says "not found" once."""
    rig.settings = rig_settings(walk=("1", "1"))
    rig.control.set_holding("CCC", Decimal(0))
    rig.control.add_fault(PartialFills(match=POST, fraction=Decimal("0.5"), max_fills=1, then="cancel", count=1))
    decision = rig.decision({"AAA": 0.5})
    faults = Faults()

    def strike(name: str) -> None:
        if name.startswith("submit buy AAA") and rig.orders():
            faults.at[faults.calls] = Kill.KILL_AFTER

    faults.on_call = strike
    with pytest.raises(Killed):
        faulty(rig, faults).execute(decision, time_left=lambda: QUARTER_HOUR)
    assert len(rig.orders()) == 2
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    rig.control.add_fault(
        Answer(match=LOOK_UP, status=404, body={"code": 40410000, "message": "order not found"}, count=1)
    )
    report = rig.trade(decision)
    said_at_most(rig, report)
    assert report.status is RunStatus.COMPLETED, report.reason
    (leg,) = report.legs
    assert leg.filled == rig.held()["AAA"]


@pytest.mark.parametrize(("factor", "told"), [("0.01", "0.2"), ("0.7", "14")])
def test_row_35_a_last_trade_that_contradicts_the_quote_sells_nothing(rig: Rig, factor: str, told: str) -> None:
    rig.control.add_fault(BadTrade(match=When(symbol="CCC"), flavour="scaled", factor=Decimal(factor)))
    report = rig.trade(rig.decision({"AAA": 0.4}))
    assert ("CCC", "sell") not in rig.traded()
    assert report.status is RunStatus.PARTIAL
    assert all(figure in report.reason for figure in ("CCC", "20", told)), report.reason


def test_row_35_an_old_last_trade_is_absent_and_contradicts_nothing(rig: Rig) -> None:
    rig.control.add_fault(BadTrade(match=When(symbol="CCC"), flavour="stale"))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_37_an_exit_that_cannot_be_made_is_not_completed(rig: Rig) -> None:
    none = (Operation(path="*.qty_available", value="0"),)
    rig.control.add_fault(Patch(match=When(method="GET", path="^/v2/positions$"), operations=none))
    report = rig.trade(rig.decision({"AAA": 0.4}))
    assert report.status is RunStatus.PARTIAL, report.reason
    assert "CCC" in rig.held()


def test_row_40_an_order_that_never_fills_keeps_its_own_cash_only(rig: Rig) -> None:
    rig.control.set_holding("CCC", Decimal(0))
    rig.control.add_fault(PartialFills(match=When(method="POST", symbol="AAA"), fraction=Decimal(1), max_fills=0))
    decision = rig.decision(HALVES, not_after=rig.clock.now() + timedelta(minutes=8))
    report = rig.trade(decision)
    legs = {leg.symbol: leg for leg in report.legs}
    assert legs["BBB"].filled >= legs["BBB"].intended * Decimal("0.97"), report.reason
    assert (report.status, legs["AAA"].filled) == (RunStatus.PARTIAL, Decimal(0))
    assert len([order for order in rig.orders() if order.symbol == "AAA"]) <= 4, "not sent again at the same price"
    assert_no_open_orders(rig)


def test_a_patience_longer_than_the_lease_loses_no_account(rig: Rig) -> None:
    """A cancel that never comes true is waited for at the run's end, too, and nobody takes the run over meanwhile."""
    rig.settings = rig_settings(cancel_patience_seconds=200, settle_seconds=150)
    rig.control.add_fault(StuckCancel(match=When(method="DELETE", symbol="AAA"), seconds=None))
    report = rig.trade(rig.decision(SWITCH))
    assert (report.status, "may be open: buy" in report.reason) == (RunStatus.HALTED, True), report.reason


def test_row_41_buys_fit_the_buying_power(rig: Rig) -> None:
    rig.control.set_holding("CCC", Decimal(0))
    rig.control.set_account(AccountChange(withheld=rig.truth().buying_power - 40_000))
    report = rig.trade(rig.decision(HALVES))
    spent = Decimal(100_000) - rig.truth().cash
    assert Decimal(35_000) < spent <= Decimal(40_000), report.reason
    assert "cash to spend beside the reserve falls short" in report.reason
    intents = load_all(rig.state, keys.run_partition(report.run_id), Intent, prefix=keys.INTENT_PREFIX)
    sent = {order.client_order_id for order in rig.orders()}
    assert {intent.value.client_order_id for intent in intents} == sent, "one was refused for what another had taken"


def test_row_41_a_refusal_that_says_what_is_left_is_answered_with_an_order_of_that_size(rig: Rig) -> None:
    no = {"code": 40310000, "message": "insufficient buying power", "buying_power": "5000"}
    first = When(method="POST", path="^/v2/orders$", symbol="AAA")
    rig.control.add_fault(Answer(match=first, status=403, body=no, count=1))
    report = rig.trade(rig.decision({"AAA": 0.4}))
    assert report.status is RunStatus.COMPLETED, report.reason
    sent = [order for order in rig.orders() if order.symbol == "AAA"]
    asked = (sent[0].qty or Decimal(0)) * (sent[0].limit_price or Decimal(0))
    assert Decimal(4_900) < asked <= Decimal(5_000)
