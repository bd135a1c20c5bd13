"""The account adds up before it is planned with, whatever the broker says once or for good."""

from decimal import Decimal

import pytest
from pydantic import JsonValue

from alchemiser_common import keys
from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.state import load
from alchemiser_common.records.plan import Plan
from alchemiser_simulator.control.lies import Answer, Operation, Patch
from alchemiser_simulator.control.rules import When
from support.trading_rig import Rig
from support.trading_runs import SWITCH, assert_switched

CASH = 100_000


def lie(rig: Rig, path: str, *operations: Operation, times: int | None = 1) -> None:
    rig.control.add_fault(Patch(match=When(method="GET", path=path), operations=operations, count=times))


def plan_of(rig: Rig, report: ExecutionReport) -> Plan:
    plan = load(rig.state, keys.plan_record(report.run_id), Plan)
    assert plan is not None
    return plan.value


ONCE_WRONG = {
    "no positions": ("/v2/positions$", Operation(path="", value=[])),
    "a market value of nothing": ("/v2/positions$", Operation(path="*.market_value", value="0")),
    "no readable quantity": ("/v2/positions$", Operation(path="*.qty", value="many")),
}


@pytest.mark.parametrize("name", ONCE_WRONG)
def test_what_is_wrong_once_is_read_again_and_nothing_comes_of_it(rig: Rig, name: str) -> None:
    decision = rig.decision(SWITCH)
    lie(rig, *ONCE_WRONG[name])
    report = rig.trade(decision)
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


@pytest.mark.parametrize("path", ["/v2/positions$", "/v2/stocks/quotes/latest"])
def test_a_read_that_is_refused_once_is_asked_again(rig: Rig, path: str) -> None:
    decision = rig.decision(SWITCH)
    rig.control.add_fault(Answer(match=When(method="GET", path=path), status=403, body={"code": 40310000}, count=1))
    report = rig.trade(decision)
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_what_stays_wrong_stops_the_run_before_its_first_order_with_the_figures(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    lie(rig, *ONCE_WRONG["no positions"], times=None)
    report = rig.trade(decision)
    assert (report.status, report.error) == (RunStatus.HALTED, "Unreconciled")
    figures = "equity is 120002.47 USD, but cash 100000.00, 0 positions 0.00 and 0 other holdings 0.00 are 100000.00"
    assert f"the account does not add up, read again for 30 s: {figures}" in report.reason
    assert rig.orders() == []


def test_a_holding_that_cannot_be_read_counts_as_what_equity_is_above_the_rest_and_only_it_is_left_alone(
    rig: Rig,
) -> None:
    decision = rig.decision({"AAA": 0.5, "CCC": 0.5})
    lie(rig, "/v2/positions$", Operation(path="*.qty", value="many"), times=None)
    report = rig.trade(decision)
    plan = plan_of(rig, report)
    assert abs(plan.unmanaged - Decimal("20002.47")) < 1
    assert rig.held()["CCC"] == Decimal("1000.123456789")
    assert abs(rig.held()["AAA"] * 100 - CASH * Decimal("0.99") / 2) < 100
    assert [(leg.symbol, leg.cause) for leg in plan.skipped] == [("CCC", LegReason.OTHER_HOLDING)]
    assert any("CCC" in note and "left alone" in note for note in report.notes)


def test_holdings_that_are_not_managed_are_left_alone_and_their_value_is_not_allocated(rig: Rig) -> None:
    """A crypto holding of 30,000 and a short of 5,000, whose proceeds are in cash: they stay there to cover it."""
    decision = rig.decision(SWITCH)
    template = {"avg_entry_price": "1", "current_price": "1", "exchange": "", "cost_basis": "1"}
    coins = {"symbol": "BTCUSD", "asset_class": "crypto", "qty": "0.5", "market_value": "30000", "side": "long"}
    short = {"symbol": "AAA", "asset_class": "us_equity", "qty": "-50", "market_value": "-5000", "side": "short"}
    available = {"qty_available": "0"}
    lie(
        rig,
        "/v2/positions$",
        Operation(path="", do="append", value={**template, **available, **coins}),
        Operation(path="", do="append", value={**template, **available, **short, "current_price": "100"}),
        times=None,
    )
    lie(
        rig,
        "/v2/account$",
        Operation(path="equity", value="150002.47"),
        Operation(path="cash", value="105000"),
        times=None,
    )
    plan = plan_of(rig, rig.trade(decision))
    assert plan.unmanaged == 30_000
    assert plan.base == Decimal("120002.47")
    assert [(leg.side, leg.symbol) for leg in plan.legs] == [(Side.SELL, "CCC"), (Side.BUY, "BBB")]
    assert abs(plan.legs[1].value - Decimal("120002.47") * Decimal("0.99") * Decimal("0.4")) < 1
    assert [(leg.symbol, leg.cause) for leg in plan.skipped] == [("AAA", LegReason.OTHER_HOLDING)]
    assert sum("left alone" in note for note in plan.notes) == 2


def test_shares_that_are_gone_since_the_snapshot_are_asked_about(rig: Rig) -> None:
    """Sold by hand in between they are explained by their fill; vanished with their value they are not."""
    decision = rig.decision(SWITCH)
    rig.control.set_holding("CCC", Decimal(900))
    report = rig.trade(decision)
    assert (report.status, report.error) == (RunStatus.HALTED, "Unreconciled")
    assert "no activity says why: CCC -100.123456789 shares" in report.reason
    assert rig.orders() == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"p": 70.0, "t": "2020-06-03T13:45:00Z"}, "the last trade 70.0 against the quote's middle 100"),
        ({"p": 14.0, "t": "2020-05-04T14:00:00Z"}, None),
    ],
    ids=["wrong and fresh: named", "wrong and old: absent"],
)
def test_a_quantity_has_a_price_that_two_sources_agree_on(
    rig: Rig, told: dict[str, JsonValue], said: str | None
) -> None:
    decision = rig.decision(SWITCH)
    lie(rig, "/v2/stocks/trades/latest", Operation(path="trades.AAA", value=told), times=None)
    plan = plan_of(rig, rig.trade(decision))
    named = [(leg.symbol, leg.cause) for leg in plan.skipped]
    assert named == ([("AAA", LegReason.PRICES_DISAGREE)] if said else [])
    assert all(leg.reason.startswith(str(said)) for leg in plan.skipped)
    assert {leg.symbol for leg in plan.legs} == {"BBB", "CCC"} | (set() if said else {"AAA"})
    assert all(abs(leg.price - 100) < 1 for leg in plan.legs if leg.symbol == "AAA")


def test_a_price_that_is_wrong_once_is_asked_for_again(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    lie(rig, "/v2/stocks/trades/latest", Operation(path="trades.AAA.p", value=1.0))
    assert rig.trade(decision).status is RunStatus.COMPLETED
    assert_switched(rig)
