"""The elements of Alpaca's answers, each usual in all but what a test changes."""

from collections.abc import Mapping
from datetime import date

from support.answered_broker import ORDER_ID

DAY = date(2020, 6, 3)
HTML = b"<html>Access denied</html>"
"""What something between us and Alpaca says."""
type Json = Mapping[str, object]


def position(symbol: str = "SPY", **changes: object) -> Json:
    usual = {
        "symbol": symbol,
        "asset_class": "us_equity",
        "side": "long",
        "qty": "10",
        "qty_available": "10",
        "market_value": "3000",
        "current_price": "300",
        "avg_entry_price": "290.5",
    }
    return usual | changes


def order(**changes: object) -> Json:
    usual = {
        "id": ORDER_ID,
        "client_order_id": "alc-1",
        "symbol": "SPY",
        "asset_class": "us_equity",
        "order_class": "",
        "side": "buy",
        "type": "limit",
        "limit_price": "400",
        "qty": "1.5",
        "notional": None,
        "filled_qty": "0",
        "filled_avg_price": None,
        "status": "new",
        "submitted_at": "2020-06-03T14:00:00.123456789Z",
    }
    return usual | changes


def account(**changes: object) -> Json:
    usual = {
        "id": "acc-1",
        "status": "ACTIVE",
        "currency": "USD",
        **dict.fromkeys(("equity", "last_equity", "cash", "buying_power"), "1000.5"),
        **dict.fromkeys(("trading_blocked", "account_blocked", "trade_suspended_by_user"), False),
    }
    return usual | changes


def asset(symbol: str = "SPY", **changes: object) -> Json:
    return {
        "symbol": symbol,
        "class": "us_equity",
        "status": "active",
        "tradable": True,
        "fractionable": True,
    } | changes


def days(**changes: object) -> list[Json]:
    return [
        {"date": "2020-06-01", "open": "09:30", "close": "16:00"},
        {"date": "2020-06-02", "open": "16:00", "close": "09:30"},
        {"date": "2020-06-03", "open": "09:30", "close": "16:00"} | changes,
    ]


def bar(day: int, close: object) -> Json:
    return {"t": f"2020-06-{day:02}T04:00:00Z", "c": close}


def fill(number: int, **changes: object) -> Json:
    usual = {
        "activity_type": "FILL",
        "id": f"2020060314000000{number}::x",
        "transaction_time": "2020-06-03T14:00:00.1Z",
        "symbol": "SPY",
        "side": "buy",
        "qty": "1.5",
        "price": "300.25",
        "order_id": ORDER_ID,
    }
    return usual | changes


def entry(number: int, code: str = "CSD", **changes: object) -> Json:
    return {"activity_type": code, "id": f"20200603::{number}", "date": "2020-06-03", "net_amount": "500"} | changes
