"""Orders as a broker lists, finds and cancels them: what is odd may fill, and only Alpaca's own words end anything."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, OrderStatus
from support.alpaca_elements import HTML, order
from support.answered_broker import NOON, ORDER_ID, Answer, Asked, always, answered, as_json


def test_the_order_types_stay_what_they_are() -> None:
    (found,) = always([order()]).open_orders().orders
    assert isinstance(found, BrokerOrder)
    assert found.order_type == LimitOrder(Decimal(400))
    assert found.submitted_at == datetime(2020, 6, 3, 14, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (order(order_class="mleg", symbol="", side="", qty="1"), "several legs"),
        (order(symbol="AAPL251219C00200000", asset_class="us_option"), "us_option, not us_equity"),
        (order(limit_price="0"), "a limit of 0"),
        (order(limit_price=None), "no limit"),
        (order(type="market"), "a limit of 400"),
        (order(type="trailing_stop", limit_price=None), "trailing_stop"),
        (order(filled_qty=None), "filled_qty"),
        (order(filled_qty="half"), "filled_qty"),
        (order(qty=None), "neither a quantity nor an amount"),
        (order(filled_avg_price="-3"), "average_price"),
        (order(id="../../v2/orders"), "id"),
        (order(side="sideways"), "side"),
        (None, "null, not an object"),
    ],
)
def test_an_element_that_is_no_order_of_ours_is_odd_and_may_fill(odd: object, words: str) -> None:
    listed = always([order(client_order_id="alc-before"), odd, order(client_order_id="alc-after")]).open_orders()
    assert [item.client_order_id for item in listed.orders] == ["alc-before", "alc-after"]
    (found,) = listed.odd
    assert found.open
    assert words in found.detail


def test_an_odd_order_that_has_ended_is_not_open() -> None:
    (found,) = always([order(limit_price="0", status="canceled")]).orders_since(NOON).odd
    assert (found.order_id, found.client_order_id, found.symbol, found.open) == (ORDER_ID, "alc-1", "SPY", False)


@pytest.mark.parametrize("status", ["calculated", "held", "suspended", "wholly_new"])
def test_a_status_is_told_as_the_broker_wrote_it_and_counts_as_open(status: str) -> None:
    (found,) = always([order(status=status)]).open_orders().orders
    assert (found.raw_status, found.status) == (status, OrderStatus.OPEN)


def test_figures_that_contradict_each_other_are_passed_on_as_reported() -> None:
    for filled in ("-100", "99"):
        (found,) = always([order(filled_qty=filled)]).open_orders().orders
        assert found.filled_quantity == Decimal(filled)


def test_only_alpacas_own_words_make_an_order_unknown() -> None:
    unknown = as_json({"code": 40410000, "message": "order not found"}, 404)
    look_ups: list[Callable[[AlpacaBroker], BrokerOrder | None]] = [
        lambda broker: broker.order_by_client_id("alc-1"),
        lambda broker: broker.order(ORDER_ID),
    ]
    for look_up in look_ups:
        assert look_up(answered(lambda _: unknown)) is None
        for answer in (Answer(404, HTML), Answer(404, b""), as_json({"message": "endpoint not found."}, 404)):
            with pytest.raises(BrokerUnavailable):
                look_up(answered(lambda _, answer=answer: answer))  # type: ignore[misc]
        with pytest.raises(BrokerUnavailable, match="the answer is order"):
            look_up(always(order(client_order_id="alc-2", id=str(UUID(int=8)))))


def test_a_cancel_that_alpaca_has_not_answered_is_not_done() -> None:
    for status in (404, 422):
        answered(lambda _, status=status: as_json({"code": 42210000, "message": "x"}, status)).cancel(ORDER_ID)  # type: ignore[misc]
        with pytest.raises(BrokerUnavailable):
            answered(lambda _, status=status: Answer(status, HTML)).cancel(ORDER_ID)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["..", "../orders", ".", "", "alc-1"])
def test_what_is_no_id_never_becomes_part_of_a_path(name: str) -> None:
    def nothing(asked: Asked) -> Answer:
        raise AssertionError(f"{asked.method} {asked.path} was sent")

    for call in (AlpacaBroker.cancel, AlpacaBroker.order):
        with pytest.raises(BrokerRefused, match="UUID"):
            call(answered(nothing), name)
