"""Cash and shares that are paid in and out are no loss and hide none, through the whole service."""

from decimal import Decimal

from alchemiser_common.messages.report import RunStatus
from alchemiser_simulator.control.lies import Answer, Operation, Patch
from alchemiser_simulator.control.rules import When
from alchemiser_simulator.exchange.transfers import Transfer
from support.faulty_ports import Faults, FaultyBroker
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH


def yesterday(rig: Rig, equity: str) -> None:
    """What equity was at the last close."""
    told = Operation(path="last_equity", value=equity)
    rig.control.add_fault(Patch(match=When(method="GET", path="/v2/account$"), operations=(told,)))


def test_a_withdrawal_is_no_loss_and_is_named(rig: Rig) -> None:
    """120,002 at the last close, 40,000 paid out: less by a third, and nothing lost."""
    yesterday(rig, "120002.47")
    rig.control.transfer(Transfer(code="CSW", amount=Decimal(-40_000)))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    said = "max_daily_loss: equity fell 0.0000 since the last close (120002.47 to 80002.47 USD, "
    assert f"{said}transfers of -40000.00 USD left out)" in report.notes


def test_a_deposit_hides_no_loss(rig: Rig) -> None:
    """120,002 at the last close, 40,000 of it lost and 40,000 paid in."""
    yesterday(rig, "120002.47")
    rig.control.transfer(Transfer(code="CSW", amount=Decimal(-40_000)))  # the loss: told as another activity
    lost = Operation(path="*.activity_type", value="FEE", where={"activity_type": "CSW"})
    rig.control.add_fault(Patch(match=When(method="GET", path="/v2/account/activities"), operations=(lost,)))
    rig.control.transfer(Transfer(code="CSD", amount=Decimal(40_000)))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.HALTED
    assert "trading.max_daily_loss: equity fell 0.3333 since the last close" in report.reason
    assert "transfers of +40000.00 USD left out" in report.reason
    assert "buy AAA left alone: left out: " in report.reason
    assert rig.held() == {}, "the exit is made"
    assert {order.side for order in rig.orders()} == {"sell"}


def test_where_the_days_transfers_are_not_known_only_what_reduces_is_traded(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    refused = Answer(match=When(method="GET", path="/v2/account/activities"), status=403, body={"code": 40310000})
    rig.control.add_fault(refused)
    report = rig.trade(decision)
    assert report.status is RunStatus.HALTED
    assert "trading.max_daily_loss cannot be checked: the day's transfers are not known: " in report.reason
    assert rig.held() == {}


def paid_out_while_prices_are_asked_for(rig: Rig, times: int) -> FaultyBroker:
    """A broker whose prices disagree for a while; with each time they are asked for again, 10,000 USD are gone."""
    wrong = Patch(
        match=When(method="GET", path="/v2/stocks/trades/latest"),
        operations=(Operation(path="trades.AAA.p", value=1.0),),
    )
    rig.control.add_fault(wrong)
    asked: list[str] = []

    def on_call(name: str) -> None:
        if name == "trades":
            asked.append(name)
            if len(asked) % 2 == 0 and len(asked) // 2 <= times:
                rig.control.transfer(Transfer(code="CSW", amount=Decimal(-10_000)))
            if len(asked) // 2 == times + 1:
                rig.control.clear_faults()

    return FaultyBroker(rig.broker, Faults(on_call=on_call))


def test_cash_that_is_paid_out_while_symbols_are_read_is_not_planned_with(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    report = rig.service(broker=paid_out_while_prices_are_asked_for(rig, 1)).execute(
        decision, time_left=lambda: QUARTER_HOUR
    )
    assert report.account_before is not None
    assert abs(report.account_before.equity - Decimal("110002.47")) < Decimal("0.01"), report.reason
    (aaa,) = (leg for leg in report.legs if leg.symbol == "AAA")
    wanted = report.account_before.equity * Decimal(str(SWITCH["AAA"])) / Decimal(100)
    assert abs(aaa.intended - wanted) < wanted / 50, "of what is there"
