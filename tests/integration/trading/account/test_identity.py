"""One account of the broker, one identity: another account behind an alias, and another home on an account."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from alchemiser_common import keys
from alchemiser_common.account_binding import read_binding
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import WrongAccount
from alchemiser_common.ids import Pipeline, Side, client_order_id
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.broker import OddOrder, OrderList, OrderRequest, order_type
from alchemiser_common.ports.state import ABSENT, put
from alchemiser_common.settings import Environment
from alchemiser_simulator.control.faults import Answer, When
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.account.binding import bind_account
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.journal.own_orders import orders_of_another_home, own_order_ids
from support.faulty_ports import FaultyBroker, Killed, killing_after
from support.trading_rig import SCHEDULED, Rig, exchange, quiet_market
from support.trading_runs import SWITCH, assert_switched

OTHER = UUID("0a0a0a0a-0000-4000-8000-000000000000")
DAY = SCHEDULED.date()


@pytest.fixture
def other_account(rig: Rig, tmp_path: Path) -> Iterator[Rig]:
    """New keys of another account, behind the same alias, in the same home."""
    with exchange(quiet_market({"AAA": 100.0, "BBB": 50.0}), tmp_path / "other", account_id=OTHER) as made:
        yield replace(made, state=rig.state, archive=rig.archive)


def in_another_home(rig: Rig, folder: Path) -> Rig:
    """The same account of the broker, worked on from a folder with a state of its own."""
    state = SqliteStateStore(folder / "state.sqlite")
    set_authority(state, "bench", Pipeline.MODULAR, who="test", reason="a second home", now=rig.clock.now())
    return replace(rig, state=state)


@pytest.mark.parametrize("shadow", [False, True], ids=["trading", "shadow"])
def test_a_key_of_another_account_behind_an_alias_trades_nothing(rig: Rig, other_account: Rig, *, shadow: bool) -> None:
    decision = rig.decision(SWITCH)
    first = decision.account_id
    assert rig.trade(decision).status is RunStatus.COMPLETED
    binding = read_binding(rig.state, "bench")
    assert binding is not None
    assert (binding.value.account_id, binding.value.environment) == (first, "simulated")
    pipeline = Pipeline.MONOLITH if shadow else Pipeline.MODULAR
    later = other_account.decision(SWITCH, pipeline=pipeline, scheduled=SCHEDULED.replace(minute=50))
    settings = other_account.settings.model_copy(update={"shadow": shadow})
    report = other_account.trade(later, settings=settings)
    assert report.status is RunStatus.FAILED
    assert report.error == "WrongAccount"
    assert first in report.reason
    assert str(OTHER) in report.reason
    assert other_account.orders() == []
    assert read_binding(rig.state, "bench") == binding


def test_a_shadow_binds_nothing(rig: Rig) -> None:
    settings = rig.settings.model_copy(update={"shadow": True})
    assert rig.trade(rig.decision(SWITCH), settings=settings).status is RunStatus.SHADOWED
    assert read_binding(rig.state, "bench") is None


def test_the_same_account_id_in_another_environment_is_another_account(rig: Rig) -> None:
    bind_account(rig.state, "bench", Environment.PAPER, "one", SCHEDULED)
    assert bind_account(rig.state, "bench", Environment.PAPER, "one", rig.clock.now()).since == SCHEDULED
    with pytest.raises(WrongAccount, match=r"bound to the broker's paper account one since .* opens live account one"):
        bind_account(rig.state, "bench", Environment.LIVE, "one", rig.clock.now())


def test_the_orders_of_a_store_are_explained_by_it_and_by_no_other(rig: Rig, tmp_path: Path) -> None:
    assert rig.trade(rig.decision(SWITCH)).status is RunStatus.COMPLETED
    orders = rig.broker.orders_since(SCHEDULED.replace(hour=0))
    assert orders.orders
    own = own_order_ids(rig.state, "bench", DAY, DAY)
    assert own.keys() == {order.client_order_id for order in orders.orders}
    assert orders_of_another_home(orders, own) == ()
    for stranger, alias in ((in_another_home(rig, tmp_path / "home"), "bench"), (rig, "second-alias")):
        found = orders_of_another_home(orders, own_order_ids(stranger.state, alias, DAY, DAY))
        assert {item.client_order_id for item in found} == own.keys()
        assert all(item.client_order_id in item.detail and "another home" in item.detail for item in found)


def test_an_order_of_an_earlier_run_of_the_day_is_this_homes_whichever_pipeline_sent_it(rig: Rig) -> None:
    with pytest.raises(Killed):
        rig.trade(rig.decision(SWITCH), broker=FaultyBroker(rig.broker, killing_after("submit sell CCC")))
    beside = rig.decision(SWITCH, pipeline=Pipeline.MONOLITH)
    assert beside.run_id not in own_order_ids(rig.state, "bench", DAY, DAY).values()
    (order,) = rig.broker.open_orders().orders
    own = own_order_ids(rig.state, "bench", DAY, DAY)
    assert order.client_order_id in own
    assert own_order_ids(rig.state, "bench", DAY.replace(day=DAY.day - 2), DAY.replace(day=DAY.day - 1)) == {}
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    assert rig.trade(rig.decision(SWITCH)).status is RunStatus.COMPLETED
    assert_switched(rig)


def test_a_persons_order_is_not_another_homes_and_an_odd_one_may_be(rig: Rig) -> None:
    by_hand = OrderRequest(
        client_order_id="by-hand", symbol="AAA", side=Side.BUY, quantity=Decimal(1), order_type=order_type(Decimal(50))
    )
    rig.broker.submit(by_hand)
    odd = OddOrder(
        order_id="1", client_order_id="alc-X-b1-1-00", symbol="", open=True, detail="a leg of several, unreadable"
    )
    orders = OrderList(rig.broker.open_orders().orders, (odd,))
    (found,) = orders_of_another_home(orders, ())
    assert found.open
    assert "open order 1 of an unknown symbol (alc-X-b1-1-00)" in found.detail


def test_a_run_of_another_home_sends_nothing_beside_the_first_ones(rig: Rig, tmp_path: Path) -> None:
    first = rig.decision(SWITCH)
    assert rig.trade(first).status is RunStatus.COMPLETED
    before = rig.orders()
    stranger = in_another_home(rig, tmp_path / "home")
    report = stranger.trade(stranger.decision({"DDD": 0.5}))
    assert report.status is RunStatus.HALTED
    assert "another home" in report.reason
    assert rig.orders() == before


@pytest.mark.parametrize("refusals", [0, 3], ids=["at once", "when its cancel is taken at last"])
def test_an_open_order_of_an_earlier_run_of_this_home_is_cancelled_and_named(rig: Rig, refusals: int) -> None:
    decision = rig.decision(SWITCH)
    assert rig.trade(decision).status is RunStatus.COMPLETED
    journal = Journal.load(rig.state, decision.run_id)
    assert journal is not None
    intent = journal.intents()[-1]
    name = client_order_id(
        environment="simulated", run=decision.run_id, symbol="DDD", side=Side.BUY, leg=intent.leg, step=9
    )
    forgotten = intent.model_copy(update={"client_order_id": name, "step": 9, "symbol": "DDD", "side": Side.BUY})
    rig.state.write(put(keys.intent_record(decision.run_id, intent.leg, 9), forgotten, ABSENT))
    request = OrderRequest(
        client_order_id=name, symbol="DDD", side=Side.BUY, quantity=Decimal(1), order_type=order_type(Decimal(1))
    )
    rig.broker.submit(request)
    if refusals:
        rig.control.add_fault(Answer(match=When(method="DELETE"), status=451, body={"message": "no"}, count=refusals))
    rig.clock.sleep(600)
    scheduled = rig.clock.now().replace(second=0, microsecond=0)
    report = rig.trade(rig.decision(SWITCH, scheduled=scheduled))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert [order.status for order in rig.orders() if order.client_order_id == name] == ["canceled"]
    assert name in f"{report.reason} {report.notes}"
