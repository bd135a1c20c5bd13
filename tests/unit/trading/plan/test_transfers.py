"""The day's result without what was paid in and out."""

from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import AccountEntry, Activities, Activity, Fill
from alchemiser_trading.plan.transfers import CASH, SECURITIES, day_result, transferred
from support.messages import SCHEDULED
from support.plans import account

PRICES = {"AAA": Decimal(20)}


def entry(
    code: str, amount: str = "0", *, quantity: str = "0", symbol: str = "", status: str = "executed"
) -> AccountEntry:
    return AccountEntry(
        activity_id=f"{code}1",
        code=code,
        status=status,
        day=SCHEDULED.date(),
        symbol=symbol,
        quantity=Decimal(quantity),
        amount=Decimal(amount),
    )


SOLD = Fill(
    activity_id="1",
    at=SCHEDULED,
    symbol="AAA",
    side=Side.SELL,
    quantity=Decimal(5),
    price=Decimal(20),
    order_id="2",
)


@pytest.mark.parametrize(
    ("entries", "amount"),
    [
        ((), "0"),
        (tuple(entry(code, "100") for code in CASH), str(100 * len(CASH))),
        ((entry("CSW", "-30000"), entry("CSD", "500")), "-29500"),
        (tuple(entry(code, quantity="10", symbol="AAA") for code in SECURITIES), str(200 * len(SECURITIES))),
        ((entry("JNLS", quantity="-10", symbol="AAA"),), "-200"),
        ((entry("DIV", "12", quantity="100", symbol="AAA"), entry("FEE", "-3"), entry("INT", "4"), SOLD), "0"),
        ((entry("DIV", "12", status="canceled"),), "0"),
    ],
    ids=[
        "nothing",
        "every code that moves cash",
        "in and out",
        "every code that moves shares",
        "shares out",
        "results are no transfers",
        "what is not a transfer may be mended",
    ],
)
def test_what_was_paid_in_and_out(entries: tuple[Activity, ...], amount: str) -> None:
    assert transferred(Activities(entries), PRICES) == Decimal(amount)


@pytest.mark.parametrize(
    ("activities", "why"),
    [
        (Activities((), ("activity 3: qty is null",)), "1 account activities cannot be read: activity 3: qty is null"),
        (Activities((entry("CSD", "5", status="canceled"),)), "transfer CSD1 (CSD, 5 USD) is marked 'canceled'"),
        (Activities((entry("ACATS", quantity="5", symbol="ZZZ"),)), "transfer ACATS1 moved 5 ZZZ, which has no price"),
    ],
)
def test_what_cannot_be_told_is_said_so(activities: Activities, why: str) -> None:
    assert transferred(activities, PRICES) == why


@pytest.mark.parametrize(
    ("equity", "before", "moved", "loss"),
    [
        ("70000", "100000", "-30000", "0"),
        ("110000", "100000", "40000", "0.3"),
        ("90000", "100000", "0", "0.1"),
        ("110000", "100000", "0", "-0.1"),
        ("5000", "0", "5000", "0"),
    ],
    ids=["withdrawn", "a loss behind a deposit", "a loss", "a gain", "a new account"],
)
def test_a_loss_is_what_is_lacking_without_transfers(equity: str, before: str, moved: str, loss: str) -> None:
    now = account("0", equity).model_copy(update={"last_equity": Decimal(before)})
    assert day_result(now, Decimal(moved)).loss == Decimal(loss)


def test_the_words_have_the_figures() -> None:
    now = account("0", "70000").model_copy(update={"last_equity": Decimal(100_000)})
    assert day_result(now, Decimal(-30_000)).said == (
        "equity fell 0.0000 since the last close (100000.00 to 70000.00 USD, transfers of -30000.00 USD left out)"
    )
    assert day_result(now, Decimal(0)).said == "equity fell 0.3000 since the last close (100000.00 to 70000.00 USD)"
    unknown = now.model_copy(update={"last_equity": None})
    assert day_result(unknown, Decimal(0)).loss is None
    assert "does not say" in day_result(unknown, Decimal(0)).said
    assert day_result(now, "the broker is out of reach").said == (
        "the day's transfers are not known: the broker is out of reach"
    )
