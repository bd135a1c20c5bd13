"""Money and shares that come and go without a trade, and the activities that tell of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from alchemiser_simulator import ControlError, SimulatorControl, SimulatorServer
from alchemiser_simulator.exchange.transfers import Transfer
from alchemiser_simulator.market.changes import Renamed
from integration.simulator.calls import HEADERS, OPEN, get

MINUTE = timedelta(minutes=1)


def told(server: SimulatorServer, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(server.url, "/v2/account/activities", direction="asc", **query).json()
    return found


def test_a_deposit_and_a_withdrawal_change_cash_and_are_told(
    server: SimulatorServer, control: SimulatorControl
) -> None:
    control.deposit(Decimal("2500.50"))
    assert control.withdraw(Decimal(30_000)).cash == Decimal("72500.50")
    account = get(server.url, "/v2/account").json()
    assert (account["cash"], account["last_equity"]) == ("72500.5", "100000")
    deposit, withdrawal = told(server, activity_types="TRANS")
    assert (deposit["activity_type"], deposit["net_amount"]) == ("CSD", "2500.5")
    assert {"net_amount": "-30000", "date": "2020-06-01", "status": "executed"}.items() <= withdrawal.items()
    assert withdrawal["created_at"] == "2020-06-01T15:00:00Z"
    assert deposit["id"] < withdrawal["id"]
    assert "symbol" not in withdrawal
    assert told(server, category="trade_activity") == []


def test_a_transfer_happens_at_its_moment_and_may_be_told_late(
    server: SimulatorServer, control: SimulatorControl
) -> None:
    control.transfer(Transfer(code="CSW", amount=Decimal(-500), at=OPEN + timedelta(minutes=5), told_after=60))
    control.advance(299)
    assert control.state().cash == 100_000
    control.advance(1)
    assert control.state().cash == 99_500
    assert told(server) == []
    control.advance(timedelta(days=1))
    (withdrawal,) = told(server)
    assert withdrawal["created_at"] == "2020-06-01T15:06:00Z"
    assert control.state().cash == 99_500, "it happened twice"


def test_shares_are_journaled_in_and_out(server: SimulatorServer, control: SimulatorControl) -> None:
    control.transfer(Transfer(code="ACATS", symbol="TLT", qty=Decimal(10), price=Decimal(150)))
    state = control.transfer(Transfer(code="JNLS", symbol="TLT", qty=Decimal(-4), description="to another account"))
    assert [(held.symbol, held.qty, held.cost) for held in state.holdings] == [("TLT", Decimal(6), Decimal(900))]
    assert state.cash == 100_000
    assert [(one["activity_type"], one["symbol"], one["qty"]) for one in told(server)] == [
        ("ACATS", "TLT", "10"),
        ("JNLS", "TLT", "-4"),
    ]
    assert told(server)[1]["description"] == "to another account"


def test_a_planned_transfer_takes_the_shares_that_are_there_and_never_more(
    server: SimulatorServer, control: SimulatorControl
) -> None:
    control.set_holding("TLT", Decimal(10))
    for minutes, qty in ((1, -4), (2, -25), (3, -1), (4, 7)):
        control.transfer(
            Transfer(code="JNLS", symbol="TLT", qty=Decimal(qty), price=Decimal(150), at=OPEN + minutes * MINUTE)
        )
    control.advance(3 * MINUTE)
    assert control.state().holdings == []
    assert [one["qty"] for one in told(server)] == ["-4", "-6"]
    control.advance(MINUTE)
    assert [(held.qty, held.cost) for held in control.state().holdings] == [(Decimal(7), Decimal(1050))]


def test_shares_that_an_open_sale_has_promised_stay(server: SimulatorServer, control: SimulatorControl) -> None:
    control.set_holding("TLT", Decimal(10))
    sale = {"symbol": "TLT", "qty": "6", "side": "sell", "type": "limit", "limit_price": "900", "time_in_force": "gtc"}
    order = requests.post(f"{server.url}/v2/orders", json=sale, headers=HEADERS, timeout=5).json()
    with pytest.raises(ControlError, match=r"requested: 5, available: 4"):
        control.transfer(Transfer(code="JNLS", symbol="TLT", qty=Decimal(-5)))
    control.transfer(Transfer(code="JNLS", symbol="TLT", qty=Decimal(-5), at=OPEN + MINUTE))
    control.advance(MINUTE)
    assert [held.qty for held in control.state().holdings] == [6]
    requests.delete(f"{server.url}/v2/orders/{order['id']}", headers=HEADERS, timeout=5)
    assert control.transfer(Transfer(code="JNLS", symbol="TLT", qty=Decimal(-6))).holdings == []


def test_a_planned_transfer_follows_its_symbol_to_the_new_name(
    server: SimulatorServer, control: SimulatorControl
) -> None:
    control.set_holding("TLT", Decimal(10))
    control.change_market(Renamed(symbol="TLT", day=date(2020, 6, 2), into="TLTX"))
    control.change_market(Renamed(symbol="TLTX", day=date(2020, 6, 3), into="TLTY"))
    for days, qty in ((0, -1), (1, -2), (2, 5)):
        at = OPEN + timedelta(days=days, minutes=1)
        control.transfer(Transfer(code="ACATS", symbol="TLT", qty=Decimal(qty), at=at))
    control.advance(timedelta(days=3))
    assert [(held.symbol, held.qty) for held in control.state().holdings] == [("TLTY", Decimal(12))]
    moved = [(one["symbol"], one["qty"]) for one in told(server, activity_types="ACATS")]
    assert moved == [("TLT", "-1"), ("TLTX", "-2"), ("TLTY", "5")]


def test_a_transfer_that_cannot_be_is_refused(control: SimulatorControl) -> None:
    for transfer, words in (
        (Transfer(code="JNLS", symbol="NOPE", qty=Decimal(1)), "asset not found for NOPE"),
        (Transfer(code="JNLS", symbol="TLT", qty=Decimal(-1)), "insufficient qty"),
        (Transfer(code="CSD", amount=Decimal(1), at=OPEN - timedelta(days=1)), "give a later moment"),
    ):
        with pytest.raises(ControlError, match=words):
            control.transfer(transfer)
    shares = {"code": "JNLS", "symbol": "TLT", "qty": 1}
    for fields in (
        {"code": "CSW", "amount": 5},
        {"code": "CSD"},
        {"code": "JNLS", "qty": 1},
        {"code": "CSD", "amount": "1e999999"},
        {**shares, "qty": "-1e13"},
        {**shares, "price": "1e999999"},
        {**shares, "told_after": 1e12},
    ):
        with pytest.raises(ValidationError):
            Transfer.model_validate(fields)
    assert control.state().cash == 100_000
