"""`alchemiser doctor` at the first contact with a broker's account: each thing that is not well has its line."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.broker_doctor import FirstContact, first_contact
from alchemiser_cli.stage.check_result import CheckResult, Verdict
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import LimitOrder, OrderRequest
from alchemiser_common.settings import BrokerSettings, Environment, Settings
from alchemiser_simulator.control.lies import Answer, Operation, Patch
from alchemiser_simulator.control.models import AccountChange, AssetChange, HoldingChange
from alchemiser_simulator.control.rules import When
from support.command import alchemiser
from support.trading_rig import Rig, exchange, quiet_market

SYMBOLS = ("AAA", "BBB")
OK, WARNING, WRONG, UNKNOWN, SKIPPED = Verdict


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with exchange(quiet_market({"AAA": 50.0, "BBB": 20.0, "CCC": 10.0}), tmp_path) as made:
        yield made


def asked(rig: Rig, settings: Settings | None = None) -> dict[str, CheckResult]:
    settings = settings or Settings(environment=Environment.PAPER, broker=BrokerSettings(trading_url=rig.control_url))
    return {item.check: item for item in first_contact(FirstContact(rig.broker, rig.clock, settings, SYMBOLS))}


def test_a_well_account_is_well_in_every_line(rig: Rig) -> None:
    found = asked(rig)
    assert {name: item.verdict for name, item in found.items() if item.verdict is not OK} == {}
    assert list(found) == [
        "key",
        "status",
        "clock",
        "calendar",
        "bars",
        "tradable",
        "quotes",
        "money",
        "orders",
        "positions",
    ]
    assert "the market is open; the next decision is due 2020-06-04 13:45 UTC" in found["calendar"].says
    assert "the bar of 2020-06-02 for all 2 symbols" in found["bars"].says


@dataclass(frozen=True)
class Ill:
    check: str
    verdict: Verdict
    says: str
    cause: Callable[[Rig], object]


def by_hand(rig: Rig) -> None:
    order = OrderRequest(
        client_order_id="mine", symbol="AAA", side=Side.BUY, quantity=Decimal(1), order_type=LimitOrder(Decimal(1))
    )
    rig.broker.submit(order)


def option(rig: Rig) -> None:
    change = HoldingChange(symbol="AAA200619C00050000", qty=Decimal(1), asset_class="us_option", price=Decimal(2))
    rig.control.put_holding(change)


def patched(path: str, *operations: Operation) -> Callable[[Rig], object]:
    return lambda rig: rig.control.add_fault(Patch(match=When(method="GET", path=path), operations=operations))


ILLS = [
    Ill(
        "status", WRONG, "trading is blocked", lambda rig: rig.control.set_account(AccountChange(trading_blocked=True))
    ),
    Ill("clock", WARNING, "are -3600.0 s apart", lambda rig: setattr(rig.clock, "skew", timedelta(hours=1))),
    Ill(
        "bars",
        WARNING,
        "has no bar of 2020-06-02 for BBB",
        patched("/v2/stocks/bars", Operation(path="bars.BBB", value=None)),
    ),
    Ill(
        "tradable", WARNING, "does not trade AAA", lambda rig: rig.control.set_asset("AAA", AssetChange(tradable=False))
    ),
    Ill(
        "tradable",
        OK,
        "in whole shares only: BBB",
        lambda rig: rig.control.set_asset("BBB", AssetChange(fractionable=False)),
    ),
    Ill(
        "quotes",
        WARNING,
        "no quote younger than 60 s for AAA",
        patched("/v2/stocks/quotes/latest", Operation(path="quotes.AAA.t", value="2020-06-03T13:00:00Z")),
    ),
    Ill(
        "money",
        WARNING,
        "buys are cut to the buying power",
        patched("/v2/account$", Operation(path="buying_power", value="40000")),
    ),
    Ill("orders", WARNING, "1 open orders are not this system's: buy AAA", by_hand),
    Ill("positions", OK, "left alone, and not allocated: AAA200619C00050000", option),
    Ill(
        "positions",
        WARNING,
        "CCC: held, and no strategy reads them",
        lambda rig: rig.control.set_holding("CCC", Decimal(5)),
    ),
]


@pytest.mark.parametrize("ill", ILLS, ids=lambda ill: f"{ill.check} {ill.says}")
def test_what_is_not_well_has_its_line_and_what_to_do(rig: Rig, ill: Ill) -> None:
    ill.cause(rig)
    found = asked(rig)[ill.check]
    assert (found.verdict, ill.says in found.says) == (ill.verdict, True), found
    assert bool(found.remedy) is (ill.verdict is not OK)


def test_at_the_real_broker_another_time_and_another_kind_of_key_are_wrong(rig: Rig) -> None:
    rig.clock.skew = timedelta(hours=1)
    assert asked(rig, Settings(environment=Environment.PAPER))["clock"].verdict is WRONG
    assert asked(rig, Settings(environment=Environment.LIVE, account_alias="live"))["key"].verdict is WRONG


def test_after_the_close_the_age_of_quotes_is_not_judged(rig: Rig) -> None:
    rig.clock.move_to(datetime(2020, 6, 3, 23, 0, tzinfo=UTC))
    assert asked(rig)["quotes"].verdict is SKIPPED


def test_a_broker_that_does_not_answer_is_said_once(rig: Rig) -> None:
    rig.control.add_fault(Answer(match=When(path="/v2/"), status=503))
    found = asked(rig)
    assert [(item.check, item.verdict) for item in found.values()] == [
        ("key", OK),
        ("status", UNKNOWN),
        ("the rest", SKIPPED),
    ]


def test_shares_that_no_strategy_reads_are_sold_as_it_says(rig: Rig) -> None:
    rig.control.set_holding("CCC", Decimal(5))
    rig.trade(rig.decision({"AAA": 0.5}))
    assert set(rig.held()) == {"AAA"}


def test_the_first_run_of_a_broker_s_account_says_what_doctor_says(tmp_path: Path, rig: Rig) -> None:
    url = {"ALCHEMISER_BROKER__TRADING_URL": rig.control_url, "ALCHEMISER_BROKER__DATA_URL": rig.control_url}
    extra = url | {
        "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 1.0}',
        "APCA_API_KEY_ID": "PKQ7ZL2M9X4C6V8B1N3D",
        "APCA_API_SECRET_KEY": "hush-hush-hush-hush",
    }
    ran = alchemiser(tmp_path, "run", "--paper", extra=extra)
    assert "first contact with the paper account:" in ran.err
    assert "ok: status: account " in ran.err
    told = json.loads(alchemiser(tmp_path, "doctor", "--json", extra=extra | {"ALCHEMISER_ENVIRONMENT": "paper"}).out)
    verdicts = {item["check"]: item["verdict"] for item in told}
    assert (verdicts["status"], verdicts["clock"]) == ("ok", "warning"), "the exchange's time is another"
