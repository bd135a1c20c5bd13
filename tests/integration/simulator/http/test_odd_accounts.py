"""Accounts that hold more than stock, or less than they seem to: what is listed, and what it counts for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests
from alpaca.trading.client import TradingClient

from alchemiser_simulator import SimulatorControl, SimulatorServer
from alchemiser_simulator.control.models import AccountChange, AssetChange, HoldingChange
from integration.simulator.calls import HEADERS, buy, get

OPTION = "AAPL251219C00200000"

type Client = Any  # alpaca-py's methods return a model or a dict; here always the model


def held(server: SimulatorServer) -> dict[str, dict[str, Any]]:
    return {position["symbol"]: position for position in get(server.url, "/v2/positions").json()}


@pytest.mark.parametrize(
    ("change", "worth", "shown"),
    [
        (
            HoldingChange(symbol=OPTION, qty=Decimal(2), asset_class="us_option", price=Decimal("3.5")),
            Decimal(700),
            {"asset_class": "us_option", "qty": "2", "side": "long", "market_value": "700", "current_price": "3.5"},
        ),
        (
            HoldingChange(symbol=OPTION, qty=Decimal(-1), asset_class="us_option", price=Decimal(4)),
            Decimal(-400),
            {"qty": "-1", "side": "short", "market_value": "-400", "avg_entry_price": "4", "cost_basis": "-400"},
        ),
        (
            HoldingChange(symbol="BTCUSD", qty=Decimal("0.5"), asset_class="crypto", price=Decimal(60_000)),
            Decimal(30_000),
            {"asset_class": "crypto", "exchange": "CRYPTO", "market_value": "30000"},
        ),
        (
            HoldingChange(symbol="TLT", qty=Decimal(30), worthless=True),
            Decimal(0),
            {"asset_class": "us_equity", "qty": "30", "current_price": None, "market_value": None},
        ),
        (
            HoldingChange(symbol="TLT", qty=Decimal(30), price=Decimal(0)),
            Decimal(0),
            {"current_price": "0", "market_value": "0"},
        ),
    ],
    ids=lambda value: f"{value.asset_class} {value.qty}" if isinstance(value, HoldingChange) else "",
)
def test_any_holding_is_listed_and_counts(
    server: SimulatorServer, control: SimulatorControl, change: HoldingChange, worth: Decimal, shown: dict[str, Any]
) -> None:
    control.put_holding(change)
    assert shown.items() <= held(server)[change.symbol].items()
    assert get(server.url, f"/v2/positions/{change.symbol}").json() == held(server)[change.symbol]
    account = get(server.url, "/v2/account").json()
    assert Decimal(account["equity"]) == 100_000 + worth
    assert Decimal(account["cash"]) == 100_000
    assert Decimal(account["long_market_value"]) + Decimal(account["short_market_value"]) == worth
    assert control.state().equity == 100_000 + worth
    assert Decimal(account["buying_power"]) <= 200_000


def test_a_short_stock_counts_against_the_equity_and_can_be_bought_back(
    server: SimulatorServer, control: SimulatorControl, trading: TradingClient
) -> None:
    control.set_holding("TLT", Decimal(-10))
    short = held(server)["TLT"]
    assert (short["qty"], short["side"], short["qty_available"]) == ("-10", "short", "-10")
    price = Decimal(short["current_price"])
    account = get(server.url, "/v2/account").json()
    assert Decimal(account["equity"]) == 100_000 - 10 * price
    assert Decimal(account["buying_power"]) == 2 * (100_000 - 10 * price) - 10 * price
    trading.close_position("TLT")
    control.advance(1)
    assert held(server) == {}
    assert control.state().orders[0].side == "buy"


def test_an_order_of_several_legs_is_open_until_it_is_cancelled(
    server: SimulatorServer, control: SimulatorControl
) -> None:
    identity = control.put_odd_order({"client_order_id": "spread", "status": "held"})
    buy(server.url, "mine", price="1.00")
    odd, mine = get(server.url, "/v2/orders").json()
    assert (odd["symbol"], odd["side"], odd["order_class"], len(odd["legs"])) == ("", "", "mleg", 2)
    assert mine["client_order_id"] == "mine"
    for path, query in (
        (f"/v2/orders/{identity}", {}),
        ("/v2/orders:by_client_order_id", {"client_order_id": "spread"}),
    ):
        assert requests.get(server.url + path, query, headers=HEADERS, timeout=5).json() == odd
    for status in (204, 422):
        ended = requests.delete(f"{server.url}/v2/orders/{identity}", headers=HEADERS, timeout=5)
        assert ended.status_code == status
    assert [order["client_order_id"] for order in get(server.url, "/v2/orders").json()] == ["mine"]
    assert get(server.url, "/v2/orders", status="closed").json()[0]["status"] == "canceled"


# Names by the minute in which they were submitted; "mine" is no odd order, and "timeless" tells no time.
ODD: dict[str, dict[str, Any]] = {
    "early": {"submitted_at": "2020-06-01T14:58:00Z", "symbol": "TLT", "side": "sell", "status": "suspended"},
    "filled": {"submitted_at": "2020-06-01T10:59:00-04:00", "symbol": "TLT", "side": "buy", "status": "filled"},
    "late": {"submitted_at": "2020-06-01T15:01:00", "symbol": "SPY", "side": "buy", "status": "accepted_for_bidding"},
    "strange": {"submitted_at": None, "created_at": "2020-06-01T15:02:00Z", "status": ["?"]},
    "timeless": {"submitted_at": "soon", "created_at": 5, "symbol": 7, "side": None},
}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, "strange late mine early timeless"),
        ({"direction": "asc"}, "timeless early mine late strange"),
        ({"limit": "2"}, "strange late"),
        ({"status": "closed"}, "filled"),
        ({"status": "all", "direction": "asc"}, "timeless early filled mine late strange"),
        ({"side": "buy"}, "late mine"),
        ({"side": "sell", "status": "all"}, "early"),
        ({"symbols": "SPY,QQQ"}, "late mine"),
        ({"symbols": "TLT", "status": "all"}, "filled early"),
        ({"after": "2020-06-01T15:00:00Z"}, "strange late"),
        ({"until": "2020-06-01T15:00:00Z", "status": "all"}, "filled early"),
        ({"after": "2020-06-01T14:58:00Z", "until": "2020-06-01T15:02:00Z", "status": "all"}, "late mine filled"),
    ],
    ids=str,
)
def test_odd_orders_are_listed_among_the_others_by_every_filter(
    server: SimulatorServer, control: SimulatorControl, query: dict[str, Any], names: str
) -> None:
    for name, fields in ODD.items():
        control.put_odd_order({"client_order_id": name, **fields})
    buy(server.url, "mine", price="1.00")
    listed = get(server.url, "/v2/orders", **query).json()
    assert " ".join(order["client_order_id"] for order in listed) == names


def test_all_open_orders_are_cancelled_whatever_their_status(
    server: SimulatorServer, control: SimulatorControl
) -> None:
    for name, fields in ODD.items():
        control.put_odd_order({"client_order_id": name, **fields})
    done = requests.delete(f"{server.url}/v2/orders", headers=HEADERS, timeout=5)
    assert [one["status"] for one in done.json()] == [200] * 4
    assert get(server.url, "/v2/orders").json() == []


def test_buying_power_may_be_less_than_cash(server: SimulatorServer, control: SimulatorControl) -> None:
    state = control.set_account(AccountChange(withheld=Decimal(160_000)))
    assert [state.cash, state.buying_power] == [100_000, 40_000]
    account = get(server.url, "/v2/account").json()
    assert (account["cash"], account["buying_power"], account["non_marginable_buying_power"]) == (
        "100000",
        "40000",
        "0",
    )
    assert "insufficient buying power" in buy(server.url, "large", qty="200", price="250.00").text
    assert buy(server.url, "small", qty="100", price="250.00").status_code == 200


def test_an_asset_may_be_listed_twice(server: SimulatorServer, control: SimulatorControl) -> None:
    control.set_asset("TLT", AssetChange(listed_twice=True))
    both = [asset for asset in get(server.url, "/v2/assets").json() if asset["symbol"] == "TLT"]
    assert [(asset["status"], asset["tradable"]) for asset in both] == [("active", True), ("inactive", False)]
    assert both[0]["id"] != both[1]["id"]
    assert (
        len([asset for asset in get(server.url, "/v2/assets", status="active").json() if asset["symbol"] == "TLT"]) == 1
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"order_class": "bracket"}, 'order class "bracket" is not offered'),
        ({"trail_percent": "1"}, "trail_percent is not offered"),
        ({"stop_price": "1"}, "stop_price is not offered"),
        ({"legs": [{}]}, "legs is not offered"),
        ({"position_intent": "sell_to_open"}, 'position intent "sell_to_open" is not offered'),
        ({"extended_hours": True}, "extended hours order must be DAY limit orders"),
        ({"clientOrderId": "x"}, "unknown field clientOrderId"),
        ({"type": "stop"}, 'order type "stop" is not offered'),
    ],
)
def test_a_field_that_is_not_played_is_refused(
    server: SimulatorServer, control: SimulatorControl, fields: dict[str, Any], words: str
) -> None:
    body = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day", **fields}
    refused = requests.post(f"{server.url}/v2/orders", json=body, headers=HEADERS, timeout=5)
    assert (refused.status_code, words in refused.json()["message"]) == (422, True)
    null = {"order_class": "simple", "stop_price": None, "extended_hours": False, "position_intent": "buy_to_open"}
    accepted = requests.post(f"{server.url}/v2/orders", json=body | dict.fromkeys(fields) | {"type": "market"} | null,
                             headers=HEADERS, timeout=5)  # fmt: skip
    assert accepted.status_code == (200 if "clientOrderId" not in fields else 422)
