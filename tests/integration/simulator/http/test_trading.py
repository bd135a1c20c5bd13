"""The trading API through an unmodified alpaca-py TradingClient.

| endpoint | test |
|---|---|
| GET /v2/account | test_the_account_* |
| GET /v2/account/activities/FILL | test_activities.py |
| GET /v2/clock, /v2/calendar | test_clock_*, test_the_calendar_* |
| GET /v2/assets, /v2/assets/{symbol or id} | test_assets_* |
| GET /v2/positions, /v2/positions/{symbol or id} | test_a_position_* |
| DELETE /v2/positions/{symbol}, /v2/positions | test_closing_* |
| POST /v2/orders | test_market_*, test_limit_*, test_refusals_*, test_a_client_order_id_* |
| GET /v2/orders/{id}, /v2/orders:by_client_order_id, /v2/orders | test_an_order_is_found_*, test_orders_are_listed_* |
| PATCH /v2/orders/{id} | test_replacing_* |
| DELETE /v2/orders/{id}, /v2/orders | test_cancelling_* |
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from alpaca.common.enums import Sort
from alpaca.common.exceptions import APIError
from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.models import Order, Position, TradeAccount
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
)

from alchemiser_simulator import SimulatorControl
from alchemiser_simulator.control.models import AccountChange, AssetChange

type Client = Any  # alpaca-py's methods return a model or a dict; here always the model


def market(trading: Client, symbol: str = "SPY", side: OrderSide = OrderSide.BUY, **fields: Any) -> Order:
    request = MarketOrderRequest(symbol=symbol, side=side, time_in_force=TimeInForce.DAY, **({"qty": 10} | fields))
    order: Order = trading.submit_order(request)
    return order


def limit(trading: Client, price: float, symbol: str = "SPY", side: OrderSide = OrderSide.BUY, **fields: Any) -> Order:
    values: dict[str, Any] = {"qty": 10, "time_in_force": TimeInForce.DAY} | fields
    request = LimitOrderRequest(symbol=symbol, side=side, limit_price=price, **values)
    order: Order = trading.submit_order(request)
    return order


def again(trading: Client, order: Order) -> Order:
    found: Order = trading.get_order_by_id(order.id)
    return found


def position(trading: Client, symbol: str) -> Position:
    found: Position = trading.get_open_position(symbol)
    return found


def account(trading: Client) -> TradeAccount:
    found: TradeAccount = trading.get_account()
    return found


def test_the_account_parses_without_the_fields_alpaca_removed(trading: Client) -> None:
    found = account(trading)
    assert (found.cash, found.buying_power, found.multiplier) == ("100000", "200000", "2")
    assert found.pattern_day_trader is None
    assert found.daytrade_count is None
    trading._use_raw_data = True
    raw = trading.get_account()
    assert not {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"} & set(raw)


def test_the_account_follows_a_trade(trading: Client) -> None:
    order = again(trading, market(trading))
    spent = Decimal(str(order.filled_avg_price)) * 10
    found = account(trading)
    assert Decimal(found.cash or "") == 100_000 - spent
    assert Decimal(found.equity or "") == Decimal(found.cash or "") + Decimal(found.long_market_value or "")
    assert Decimal(found.last_equity or "") == 100_000


def test_clock_and_session_times_are_new_yorks(trading: Client, control: SimulatorControl) -> None:
    clock = trading.get_clock()
    assert clock.is_open
    assert clock.timestamp.isoformat() == "2020-06-01T11:00:00-04:00"
    assert clock.next_close.isoformat() == "2020-06-01T16:00:00-04:00"
    control.set_now(clock.next_close)
    clock = trading.get_clock()
    assert not clock.is_open
    assert clock.next_open.isoformat() == "2020-06-02T09:30:00-04:00"


def test_the_calendar_knows_early_closes_and_the_future(trading: Client) -> None:
    thanksgiving = trading.get_calendar(GetCalendarRequest(start=date(2020, 11, 25), end=date(2020, 11, 30)))
    assert [(str(day.date), day.close.hour) for day in thanksgiving] == [
        ("2020-11-25", 16),
        ("2020-11-27", 13),
        ("2020-11-30", 16),
    ]
    beyond = trading.get_calendar(GetCalendarRequest(start=date(2026, 11, 26), end=date(2026, 11, 27)))
    assert [(str(day.date), day.close.hour) for day in beyond] == [("2026-11-27", 13)]


def test_assets_are_listed_and_found_by_symbol_and_id(trading: Client, control: SimulatorControl) -> None:
    control.set_asset("LEU", AssetChange(fractionable=False, active=False))
    assets = trading.get_all_assets(GetAssetsRequest(status="active"))
    assert len(assets) == 50
    asset = trading.get_asset("LEU")
    assert not asset.fractionable
    assert trading.get_asset(asset.id).symbol == "LEU"
    with pytest.raises(APIError) as refused:
        trading.get_asset("NOPE")
    assert (refused.value.status_code, refused.value.code) == (404, 40410000)


def test_market_orders_by_quantity_and_by_notional_fill(trading: Client) -> None:
    shares = market(trading, qty=7.227358)
    assert shares.status is OrderStatus.PENDING_NEW
    dollars = again(trading, market(trading, "TQQQ", qty=None, notional=1234.56))
    shares = again(trading, shares)
    assert (shares.status, shares.filled_qty) == (OrderStatus.FILLED, "7.227358")
    assert dollars.qty is None
    assert dollars.notional == "1234.56"
    cost = Decimal(str(dollars.filled_qty)) * Decimal(str(dollars.filled_avg_price))
    assert Decimal("1234.55") < cost <= Decimal("1234.56")


def test_limit_orders_rest_and_fill_when_the_path_reaches_them(trading: Client, control: SimulatorControl) -> None:
    price = float(str(again(trading, market(trading, "UVXY", qty=1)).filled_avg_price))
    order = limit(trading, round(price * 0.9, 2), "UVXY", time_in_force=TimeInForce.GTC)
    assert again(trading, order).status is OrderStatus.NEW
    control.advance(timedelta(days=30))
    order = again(trading, order)
    assert order.status is OrderStatus.FILLED
    assert Decimal(str(order.filled_avg_price)) <= Decimal(str(order.limit_price))
    assert order.filled_at is not None
    assert order.filled_at < datetime(2020, 7, 1, 15, tzinfo=UTC)


def test_a_client_order_id_serves_once_for_ever(trading: Client) -> None:
    first = limit(trading, 1.00, client_order_id="once")
    trading.cancel_order_by_id(first.id)
    for _ in range(2):
        with pytest.raises(APIError, match="client_order_id must be unique") as refused:
            market(trading, client_order_id="once")
        assert (refused.value.status_code, refused.value.code) == (422, 40010001)
    assert trading.get_order_by_client_id("once").id == first.id


def test_refusals_carry_alpacas_codes_and_fields(trading: Client, control: SimulatorControl) -> None:
    with pytest.raises(APIError) as power:
        market(trading, qty=5000)
    assert (power.value.status_code, power.value.code, power.value.message) == (
        403,
        40310000,
        "insufficient buying power",
    )
    body = power.value.response.json()
    assert body["buying_power"] == "200000"
    assert Decimal(body["cost_basis"]) > 200_000
    with pytest.raises(APIError) as shares:
        market(trading, side=OrderSide.SELL)
    assert shares.value.response.json()["held_for_orders"] == "0"
    control.set_asset("TLT", AssetChange(tradable=False))
    for symbol, words in (("TLT", "is not tradable"), ("NOPE", "not found")):
        with pytest.raises(APIError, match=words) as refused:
            market(trading, symbol)
        assert refused.value.status_code == 422
    control.set_account(AccountChange(account_blocked=True))
    with pytest.raises(APIError, match="account is blocked"):
        market(trading)
    assert account(trading).account_blocked


def test_an_order_is_found_by_both_ids_or_not_at_all(trading: Client) -> None:
    order = limit(trading, 1.00, client_order_id="mine")
    assert trading.get_order_by_id(order.id, GetOrderByIdRequest(nested=True)).client_order_id == "mine"
    assert trading.get_order_by_client_id("mine").id == order.id
    for look, name in ((trading.get_order_by_id, UUID(int=7)), (trading.get_order_by_client_id, "other")):
        with pytest.raises(APIError, match="order not found") as missing:
            look(name)
        assert (missing.value.status_code, missing.value.code) == (404, 40410000)


def test_orders_are_listed_by_every_filter(trading: Client, control: SimulatorControl) -> None:
    first = limit(trading, 1.00)
    control.advance(60)
    second = limit(trading, 1.00, "TLT")
    control.advance(60)
    third = market(trading, "IEF")

    def listed(**fields: Any) -> list[UUID]:
        return [order.id for order in trading.get_orders(GetOrdersRequest(**fields))]

    everything = QueryOrderStatus.ALL
    assert listed() == [second.id, first.id]
    assert listed(status=QueryOrderStatus.CLOSED) == [third.id]
    assert listed(status=everything, direction=Sort.ASC) == [first.id, second.id, third.id]
    assert listed(status=everything, limit=1) == [third.id]
    assert listed(status=everything, symbols=["TLT", "SPY"]) == [second.id, first.id]
    assert listed(status=everything, side=OrderSide.SELL) == []
    assert listed(status=everything, after=first.submitted_at) == [third.id, second.id]
    assert listed(status=everything, until=second.submitted_at) == [first.id]


def test_replacing_gives_a_new_order_linked_to_the_old(trading: Client) -> None:
    old = limit(trading, 1.00)
    new = trading.replace_order_by_id(old.id, ReplaceOrderRequest(qty=5, limit_price=2.00, client_order_id="new"))
    old = again(trading, old)
    assert (old.status, old.replaced_by, new.replaces) == (OrderStatus.REPLACED, new.id, old.id)
    assert (new.qty, new.limit_price, new.client_order_id) == ("5", "2", "new")
    with pytest.raises(APIError, match=r"already in .*replaced") as refused:
        trading.replace_order_by_id(old.id, ReplaceOrderRequest(qty=6))
    assert refused.value.status_code == 422


def test_cancelling_one_order_all_orders_and_a_finished_one(trading: Client) -> None:
    one, two, three = (limit(trading, 1.00, symbol) for symbol in ("SPY", "TLT", "IEF"))
    trading.cancel_order_by_id(one.id)
    results = trading.cancel_orders()
    assert {(result.id, result.status) for result in results} == {(two.id, 200), (three.id, 200)}
    with pytest.raises(APIError, match=r"already in .*canceled") as refused:
        trading.cancel_order_by_id(one.id)
    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    assert again(trading, one).canceled_at is not None


def test_a_position_shows_what_is_free_to_sell(trading: Client) -> None:
    market(trading)
    limit(trading, 900.00, side=OrderSide.SELL, qty=4)
    found = position(trading, "SPY")
    assert (found.qty, found.qty_available) == ("10", "6")
    assert trading.get_open_position(found.asset_id).symbol == "SPY"
    assert [held.symbol for held in trading.get_all_positions()] == ["SPY"]
    with pytest.raises(APIError, match="position does not exist") as missing:
        trading.get_open_position("TLT")
    assert (missing.value.status_code, missing.value.code) == (404, 40410000)


def test_closing_part_of_a_position_and_the_rest(trading: Client) -> None:
    market(trading, qty=10.5)
    trading.close_position("SPY", ClosePositionRequest(qty="0.5"))
    trading.close_position("SPY", ClosePositionRequest(percentage="20"))
    assert position(trading, "SPY").qty == "8"
    order = trading.close_position("SPY")
    assert (order.side, order.qty) == (OrderSide.SELL, "8")
    assert trading.get_all_positions() == []


def test_closing_sells_a_fraction_of_an_asset_that_became_whole_shares_only(
    trading: Client, control: SimulatorControl
) -> None:
    market(trading, "LEU", qty=0.3)
    control.set_asset("LEU", AssetChange(fractionable=False))
    with pytest.raises(APIError, match="not fractionable"):
        market(trading, "LEU", OrderSide.SELL, qty=0.3)
    trading.close_position("LEU")
    assert trading.get_all_positions() == []


def test_closing_everything_reports_each_position(trading: Client) -> None:
    for symbol in ("SPY", "TLT"):
        market(trading, symbol)
    limit(trading, 900.00, side=OrderSide.SELL)
    held = {result.symbol: result.status for result in trading.close_all_positions()}
    assert held == {"SPY": 403, "TLT": 200}
    assert {result.status for result in trading.close_all_positions(cancel_orders=True)} == {200}
    assert trading.get_all_positions() == []
