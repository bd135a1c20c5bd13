"""Money and shares that come and go without a trade, and the activities that tell of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from alchemiser_simulator import ControlError, SimulatorControl, SimulatorServer
from alchemiser_simulator.exchange.transfers import Transfer
from integration.simulator.calls import OPEN, get


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


def test_a_transfer_that_cannot_be_is_refused(control: SimulatorControl) -> None:
    for transfer, words in (
        (Transfer(code="JNLS", symbol="NOPE", qty=Decimal(1)), "asset not found for NOPE"),
        (Transfer(code="JNLS", symbol="TLT", qty=Decimal(-1)), "insufficient qty"),
        (Transfer(code="CSD", amount=Decimal(1), at=OPEN - timedelta(days=1)), "give a later moment"),
    ):
        with pytest.raises(ControlError, match=words):
            control.transfer(transfer)
    for fields in ({"code": "CSW", "amount": 5}, {"code": "CSD"}, {"code": "JNLS", "qty": 1}):
        with pytest.raises(ValidationError):
            Transfer.model_validate(fields)
    assert control.state().cash == 100_000
