"""The failure table, rows 8 to 27: brokers, markets, accounts and messages, through the real Alpaca adapter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from alchemiser_common import keys
from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.messages.wire import decode
from alchemiser_common.ports.state import ABSENT, Put
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Environment, LiveSettings, Settings, WithoutQuote
from alchemiser_simulator.control.faults import (
    BadQuote,
    LaggingPositions,
    LatePrice,
    PartialFills,
    RateLimited,
    Reject,
    ServerError,
    StuckCancel,
    When,
)
from alchemiser_simulator.control.models import AccountChange, AssetChange
from alchemiser_trading.account.trading_state import set_trading_state
from support.faulty_ports import Faults, KeyedBroker
from support.trading_rig import QUARTER_HOUR, SCHEDULED, Rig, exchange, quiet_market, rig_settings
from support.trading_runs import SWITCH, SWITCHED, assert_no_open_orders, assert_switched, deliver, faulty

ORDERS = When(method="POST", path="^/v2/orders$")
CANCELS = When(method="DELETE", path="^/v2/orders/")


def test_row_08_a_storm_of_429(rig: Rig) -> None:
    rig.control.add_fault(RateLimited(match=When(path="^/v2/(orders|positions|account)"), every=3, count=15))
    report = deliver(rig, rig.decision(SWITCH), lambda _: rig.service())
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


@pytest.mark.parametrize("accepted", [True, False])
def test_row_09_5xx_with_an_html_body(rig: Rig, *, accepted: bool) -> None:
    rig.control.add_fault(ServerError(match=ORDERS, accepted=accepted, count=2))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_10_an_order_stuck_in_pending_cancel_freezes_the_symbol(rig: Rig) -> None:
    rig.control.add_fault(StuckCancel(match=When(method="DELETE", symbol="AAA"), seconds=None))
    report = rig.trade(rig.decision(SWITCH))
    frozen = next(leg for leg in report.legs if leg.symbol == "AAA")
    assert report.status is RunStatus.HALTED, "a person must look at a frozen symbol"
    assert frozen.status is LegStatus.FROZEN
    assert "did not end" in report.reason
    assert len([order for order in rig.orders() if order.symbol == "AAA"]) == 1, "a frozen symbol got another order"
    assert rig.traded()[("BBB", "buy")] == SWITCHED[("BBB", "buy")], "the other legs go on"


@pytest.mark.parametrize("part", ["0.4", "1"])
def test_row_11_a_fill_arrives_during_the_cancel(rig: Rig, part: str) -> None:
    rig.control.add_fault(StuckCancel(match=CANCELS, seconds=5, fill_fraction=Decimal(part)))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_12_a_person_replaces_an_order(rig: Rig) -> None:
    faults = Faults()
    replaced: list[str] = []

    def replace_once(name: str) -> None:
        working = [order for order in rig.orders() if order.symbol == "BBB" and order.status in {"new", "accepted"}]
        if name == "the day's orders" and working and not replaced:
            answer = requests.patch(
                f"{rig.broker._trading._base_url}/v2/orders/{working[0].id}",
                json={"limit_price": "49.98"},
                headers={"APCA-API-KEY-ID": "PKTEST", "APCA-API-SECRET-KEY": "test"},
                timeout=5,
            )
            assert answer.status_code == 200, answer.text
            replaced.append(answer.json()["id"])

    faults.on_call = replace_once
    report = faulty(rig, faults).execute(rig.decision(SWITCH), time_left=lambda: QUARTER_HOUR)
    assert replaced
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


@pytest.mark.parametrize("then", ["reject", "cancel", "done_for_day"])
def test_row_13_a_partial_fill_and_then_the_rest_is_not_taken(rig: Rig, then: str) -> None:
    rig.control.add_fault(
        PartialFills.model_validate(
            {"match": When(method="POST", symbol="CCC"), "fraction": "0.4", "max_fills": 1, "then": then, "count": 4}
        )
    )
    report = rig.trade(rig.decision(SWITCH))
    sold = next(leg for leg in report.legs if leg.symbol == "CCC")
    assert sold.filled == rig.traded()[("CCC", "sell")], "the report differs from the exchange"
    assert sold.filled <= sold.intended
    if then == "done_for_day":
        assert sold.status is LegStatus.PARTIAL
        assert report.status is RunStatus.PARTIAL
    assert_no_open_orders(rig)


def test_row_14_positions_and_cash_lag_behind_the_fills(tmp_path: Path) -> None:
    with exchange(quiet_market({"AAA": 100.0, "CCC": 20.0}), tmp_path, cash=Decimal(1000)) as rig:
        rig.control.set_holding("CCC", Decimal(1000))
        rig.control.add_fault(LaggingPositions(match=ORDERS, seconds=10))
        report = rig.trade(rig.decision({"AAA": 0.9}))
        sold_at = max(order.created_at for order in rig.orders() if order.side == "sell")
        bought_at = min(order.created_at for order in rig.orders() if order.side == "buy")
        assert report.status is RunStatus.COMPLETED, report.reason
        assert bought_at - sold_at >= timedelta(seconds=9), "buys were sent before the cash was there"
        assert rig.truth().cash >= 0


def test_row_14_the_average_price_comes_later_than_the_fill(rig: Rig) -> None:
    rig.control.add_fault(LatePrice(match=ORDERS, polls=4))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert all(leg.average_price is not None for leg in report.legs)
    assert_switched(rig)


def test_row_14_buys_wait_for_the_price_of_the_sale(tmp_path: Path) -> None:
    with exchange(quiet_market({"AAA": 100.0, "CCC": 20.0}), tmp_path, cash=Decimal(1000)) as rig:
        rig.control.set_holding("CCC", Decimal(1000))
        rig.control.add_fault(LatePrice(match=When(method="POST", symbol="CCC"), polls=6))
        report = rig.trade(rig.decision({"AAA": 0.9}))
        assert report.status is RunStatus.COMPLETED, report.reason
        assert all(leg.status is LegStatus.FILLED for leg in report.legs), report.reason


def test_row_15_fractional_dust_is_named_and_the_rest_of_an_exit_leaves_with_it(rig: Rig) -> None:
    """The broker takes no order under a dollar, so what is worth less is not offered to it every day."""
    rig.control.set_holding("CCC", Decimal("0.000000123"))
    rig.control.set_holding("DDD", Decimal("7.2273576"))
    report = rig.trade(rig.decision({"AAA": 0.4}))
    assert rig.held().keys() == {"AAA", "CCC"}
    assert report.status is RunStatus.COMPLETED, report.reason
    assert "sell CCC left alone: 1.23E-7 shares are worth 0.0000 USD: the broker takes no order under" in report.reason
    assert all(leg.filled <= leg.intended for leg in report.legs)
    assert {order.symbol for order in rig.orders()} == {"AAA", "DDD"}


def test_row_16_an_asset_that_trades_in_whole_shares_only(tmp_path: Path) -> None:
    market = quiet_market({"AAA": 100.0, "BBB": 50.0})
    with exchange(market, tmp_path, not_fractionable=frozenset({"AAA", "BBB"})) as rig:
        rig.control.set_holding("BBB", Decimal("10.5"))
        report = rig.trade(rig.decision({"AAA": 0.4}))
        assert rig.held()["BBB"] == Decimal("0.5")
        assert rig.held()["AAA"] == Decimal(398), "40 % of 99 % of 100,525 USD are 398 whole shares"
        assert report.status is RunStatus.COMPLETED
        assert "whole shares" in report.reason


def test_row_17_a_halted_symbol_and_one_that_is_not_tradable(rig: Rig) -> None:
    rig.control.set_asset("AAA", AssetChange(halted=True))
    rig.control.set_asset("BBB", AssetChange(tradable=False))
    report = rig.trade(rig.decision(SWITCH, not_after=SCHEDULED + timedelta(minutes=2)))
    status = {leg.symbol: leg.status for leg in report.legs}
    assert status == {"CCC": LegStatus.FILLED, "AAA": LegStatus.UNFILLED, "BBB": LegStatus.REFUSED}
    assert report.status is RunStatus.PARTIAL
    assert "BBB" in report.reason


@pytest.mark.parametrize("flavour", ["zero", "zero_bid", "zero_ask", "crossed", "stale", "absurd", "missing"])
@pytest.mark.parametrize("policy", list(WithoutQuote))
def test_row_18_a_quote_that_is_not_fit_to_trade_on(tmp_path: Path, flavour: str, policy: WithoutQuote) -> None:
    settings = rig_settings(without_quote=policy)
    with exchange(quiet_market({"AAA": 100.0, "CCC": 20.0}), tmp_path, settings=settings) as rig:
        rig.control.set_holding("CCC", Decimal(1000))
        rig.control.add_fault(BadQuote.model_validate({"flavour": flavour, "match": {"path": "quotes"}}))
        report = rig.trade(rig.decision({"AAA": 0.4}))
        for order in rig.orders():
            price = Decimal(100) if order.symbol == "AAA" else Decimal(20)
            assert order.limit_price is not None, "an order without a limit went out on a bad quote"
            assert abs(order.limit_price / price - 1) <= Decimal("0.0101"), f"{order.limit_price} is outside the collar"
        if policy is WithoutQuote.SKIP:
            assert rig.orders() == []
            assert report.status is RunStatus.PARTIAL
            assert "not fit to trade on" in report.reason


def november() -> Iterator[date]:
    day = date(2020, 11, 2)
    while day <= date(2020, 12, 4):
        if day.weekday() < 5 and day != date(2020, 11, 26):
            yield day
        day += timedelta(days=1)


def test_row_19_an_early_close_ends_the_run_in_time(tmp_path: Path) -> None:
    market = quiet_market({"AAA": 100.0}, tuple(november()))
    scheduled = datetime(2020, 11, 27, 17, 50, tzinfo=UTC)
    with exchange(market, tmp_path, start=scheduled) as rig:
        rig.control.add_fault(BadQuote(flavour="missing"))
        decision = rig.decision({"AAA": 0.4}, scheduled=scheduled)
        rig.clock.sleep(4.5 * 60)
        report = rig.trade(decision)
        assert report.status is RunStatus.PARTIAL
        assert rig.clock.now() < datetime(2020, 11, 27, 18, 0, tzinfo=UTC)
        assert all(order.created_at < datetime(2020, 11, 27, 17, 55, tzinfo=UTC) for order in rig.orders())
        assert_no_open_orders(rig)


@pytest.mark.parametrize(
    ("day", "hour", "what"),
    [(3, 12, "opens at"), (3, 20, "closes at"), (6, 14, "not a trading day")],
)
def test_row_19_closed_on_arrival_and_holiday(tmp_path: Path, day: int, hour: int, what: str) -> None:
    start = datetime(2020, 6, day, hour, 5, tzinfo=UTC)
    with exchange(quiet_market({"AAA": 100.0}), tmp_path, start=start) as rig:
        report = rig.trade(rig.decision({"AAA": 0.4}, scheduled=start))
        assert report.status is RunStatus.SKIPPED
        assert what in report.reason
        assert rig.orders() == []


def test_row_20_a_wash_trade_refusal_passes(rig: Rig) -> None:
    message = "potential wash trade detected. use complex orders"
    rig.control.add_fault(Reject(match=When(method="POST", symbol="AAA"), message=message, count=2))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


@pytest.mark.parametrize("times", [2, 20])
def test_row_21_insufficient_buying_power(rig: Rig, times: int) -> None:
    fault = Reject(match=When(method="POST", symbol="AAA"), message="insufficient buying power", count=times)
    rig.control.add_fault(fault)
    report = rig.trade(rig.decision(SWITCH))
    if times == 2:
        assert report.status is RunStatus.COMPLETED, report.reason
        assert_switched(rig)
    else:
        assert report.status is RunStatus.PARTIAL
        assert next(leg for leg in report.legs if leg.symbol == "AAA").status is LegStatus.REFUSED
        assert "buying power" in report.reason


def place_by_hand(rig: Rig) -> None:
    """A person's order."""
    answer = requests.post(
        f"{rig.broker._trading._base_url}/v2/orders",
        json={"symbol": "DDD", "side": "buy", "qty": "1", "type": "limit", "limit_price": "5", "time_in_force": "day"},
        headers={"APCA-API-KEY-ID": "PKTEST", "APCA-API-SECRET-KEY": "test"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text


def test_row_22_a_foreign_open_order_stops_the_run_before_it_starts(rig: Rig) -> None:
    place_by_hand(rig)
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.HALTED
    assert "open orders before the first of this run: not this system's: buy order of DDD" in report.reason
    assert "buy order of DDD" in report.reason
    assert len(rig.orders()) == 1


def test_row_22_a_foreign_order_during_the_run_stops_it(rig: Rig) -> None:
    faults = Faults()
    placed: list[bool] = []

    def once_orders_are_out(name: str) -> None:
        if name == "the day's orders" and len(rig.orders()) > 0 and not placed:
            placed.append(True)
            place_by_hand(rig)

    faults.on_call = once_orders_are_out
    report = faulty(rig, faults).execute(rig.decision(SWITCH), time_left=lambda: QUARTER_HOUR)
    assert report.status is RunStatus.HALTED
    ours = [order for order in rig.orders() if order.symbol != "DDD"]
    assert all(order.status in {"canceled", "filled"} for order in ours), "our orders must be cancelled"


def test_row_23_a_held_symbol_was_renamed_or_delisted(rig: Rig) -> None:
    rig.control.set_asset("CCC", AssetChange(active=False, tradable=False))
    report = rig.trade(rig.decision(SWITCH))
    assert next(leg for leg in report.legs if leg.symbol == "CCC").status is LegStatus.REFUSED
    assert report.status is RunStatus.PARTIAL
    assert ("CCC", "sell") not in rig.traded()


def test_row_24_the_account_is_blocked(rig: Rig) -> None:
    rig.control.set_account(AccountChange(trade_suspended_by_user=True))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.FAILED
    assert "blocked" in report.reason
    assert rig.orders() == []


def test_row_24_the_key_opens_another_account(rig: Rig) -> None:
    report = rig.trade(rig.decision(SWITCH, account_id="another"))
    assert report.status is RunStatus.FAILED
    assert "WrongAccount" in report.reason
    assert rig.orders() == []


@pytest.mark.parametrize(
    ("live", "paper_key", "what"),
    [
        (LiveSettings(), False, "armed"),
        (LiveSettings(armed=True), False, "account_id"),
        (LiveSettings(armed=True, account_id="x"), True, "live key"),
        (LiveSettings(armed=True, account_id="x"), False, "WrongAccount"),
    ],
)
def test_row_24_live_trading_needs_every_lock(rig: Rig, live: LiveSettings, paper_key: bool, what: str) -> None:
    settings = Settings(account_alias="bench", environment=Environment.LIVE, live=live)
    report = rig.trade(rig.decision(SWITCH), settings=settings, broker=KeyedBroker(rig.broker, paper=paper_key))
    assert report.status is RunStatus.FAILED
    assert what in report.reason
    assert rig.orders() == []


def test_row_25_a_clock_that_is_wrong_stops_the_run_and_one_that_is_a_little_off_does_not(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    other = rig.decision(SWITCH, scheduled=SCHEDULED + timedelta(minutes=1))
    rig.clock.skew = timedelta(minutes=-40)
    assert "clock" in rig.trade(decision).reason
    assert rig.orders() == []
    rig.clock.skew = timedelta(seconds=4)
    assert rig.trade(other).status is RunStatus.COMPLETED


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
def test_row_26_the_switch_is_thrown_mid_run(rig: Rig, state: TradingState) -> None:
    faults = Faults()
    thrown: list[int] = []

    def after_the_first_order(name: str) -> None:
        if name == "the day's orders" and len(rig.orders()) > 0 and not thrown:
            thrown.append(len(rig.orders()))
            set_trading_state(rig.state, "bench", state, who="test", reason="row 26", now=rig.clock.now())

    faults.on_call = after_the_first_order
    report = faulty(rig, faults).execute(rig.decision(SWITCH), time_left=lambda: QUARTER_HOUR)
    later = rig.orders()[thrown[0] :]
    if state is TradingState.HALTED:
        assert report.status is RunStatus.HALTED
        assert later == [], "orders were sent after the halt"
    else:
        assert report.status is RunStatus.PARTIAL
        assert all(order.side == "sell" for order in later), "buys were sent while reducing"
        assert rig.traded()[("CCC", "sell")] == SWITCHED[("CCC", "sell")]
    assert_no_open_orders(rig)


def test_row_26_a_switch_that_cannot_be_read_stops_everything(rig: Rig) -> None:
    faults = Faults()
    thrown: list[int] = []

    def spoil(name: str) -> None:
        if name == "the day's orders" and len(rig.orders()) > 0 and not thrown:
            thrown.append(len(rig.orders()))
            rig.state.write(Put(keys.trading_state_record("bench"), '{"state":"sure"}', ABSENT))

    faults.on_call = spoil
    report = faulty(rig, faults).execute(rig.decision(SWITCH), time_left=lambda: QUARTER_HOUR)
    assert report.status is RunStatus.HALTED
    assert "cannot be read" in report.reason
    assert len(rig.orders()) == thrown[0], "an order was sent without a readable switch"
    assert_no_open_orders(rig)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ('"weight":0.4', '"weight":NaN'),
        ('"weight":0.4', '"weight":-0.1'),
        ('"weight":0.4', '"weight":1.4'),
        ('"schema_version":"1.', '"schema_version":"2.'),
        ('"schema_version":', '"extra":1,"schema_version":'),
        ('"account_alias"', '"account_alios"'),
    ],
)
def test_row_27_a_decision_that_breaks_its_contract_never_reaches_the_service(rig: Rig, find: str, put: str) -> None:
    body = rig.decision(SWITCH).model_dump_json()
    assert find in body
    with pytest.raises(InvalidMessage):
        decode(body.replace(find, put, 1), TradeDecision)


@pytest.mark.parametrize("body", ["", "not JSON", "[]", '{"schema_version":', '"' + "x" * 1_100_000 + '"'])
def test_row_27_no_json_truncated_or_oversized(body: str) -> None:
    with pytest.raises(InvalidMessage):
        decode(body, TradeDecision)
