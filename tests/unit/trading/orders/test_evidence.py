"""What a report proves of an order, and that it never proves less than an earlier one did."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, MarketOrder, OrderStatus
from alchemiser_trading.orders.evidence import Asked, Judgement, Proof, judge
from support.legs import AT_MID, TEN, order

ASKED = Asked("AAA", Side.SELL, TEN, AT_MID)


def said(status: OrderStatus, filled: str, **changes: object) -> BrokerOrder:
    return order(1, TEN, status, filled).model_copy(update=changes)


@pytest.mark.parametrize(
    ("report", "most", "proof", "filled"),
    [
        (said(OrderStatus.OPEN, "0"), "0", Proof.OPEN, "0"),
        (said(OrderStatus.OPEN, "4"), "3", Proof.OPEN, "4"),
        (said(OrderStatus.OPEN, "3"), "4", Proof.OPEN, "4"),
        (said(OrderStatus.CANCELLING, "3"), "4", Proof.OPEN, "4"),
        *((said(status, "10"), "4", Proof.FILLED, "10") for status in OrderStatus),
        *(
            (said(status, "4"), "3", Proof.ENDED, "4")
            for status in OrderStatus
            if status.terminal and status is not OrderStatus.FILLED
        ),
        (said(OrderStatus.CANCELLED, "0"), "0", Proof.ENDED, "0"),
        (said(OrderStatus.CANCELLED, "4"), "4", Proof.ENDED, "4"),
        # A replaced order and its successors: a person has made another size and limit of it.
        (said(OrderStatus.OPEN, "4", quantity=Decimal(7), order_type=MarketOrder(), links=2), "0", Proof.OPEN, "4"),
        (said(OrderStatus.FILLED, "7", quantity=Decimal(7), links=2), "4", Proof.FILLED, "7"),
        (said(OrderStatus.OPEN, "12", quantity=Decimal(14), links=3), "4", Proof.OPEN, "12"),
    ],
)
def test_what_a_report_proves(report: BrokerOrder, most: str, proof: Proof, filled: str) -> None:
    assert judge(report, ASKED, Decimal(most)) == Judgement(proof, Decimal(filled))


IMPOSSIBLE = [
    (said(OrderStatus.FILLED, "4"), "is called filled with 4 of 10 shares"),
    (said(OrderStatus.FILLED, "0"), "is called filled with 0 of 10 shares"),
    (said(OrderStatus.CANCELLED, "2"), "is cancelled with 2 filled, after 3 were"),
    (said(OrderStatus.REJECTED, "0"), "is rejected with 0 filled, after 3 were"),
    (said(OrderStatus.OPEN, "-1"), "is said to have filled -1 of 10 shares"),
    (said(OrderStatus.FILLED, "11"), "is said to have filled 11 of 10 shares"),
    (said(OrderStatus.OPEN, "8", quantity=Decimal(7), links=2), "is said to have filled 8 of 7 shares"),
    (said(OrderStatus.OPEN, "4", symbol="BBB"), "is sell BBB instead of sell AAA"),
    (said(OrderStatus.FILLED, "10", side=Side.BUY), "is buy AAA instead of sell AAA"),
    (said(OrderStatus.OPEN, "4", symbol="BBB", links=2), "is sell BBB instead of sell AAA"),
    (said(OrderStatus.OPEN, "4", quantity=Decimal(11)), "is for 11 shares instead of 10"),
    (said(OrderStatus.FILLED, "4", quantity=Decimal(4)), "is for 4 shares instead of 10"),
    (said(OrderStatus.OPEN, "4", quantity=None), "is for None shares instead of 10"),
    (said(OrderStatus.OPEN, "4", order_type=LimitOrder(Decimal(99))), "has the limit 99 instead of 100.00"),
    (said(OrderStatus.OPEN, "4", order_type=MarketOrder()), "has the limit None instead of 100.00"),
]


@pytest.mark.parametrize(("report", "detail"), IMPOSSIBLE, ids=[detail for _, detail in IMPOSSIBLE])
def test_what_cannot_be_true_proves_nothing_and_is_named(report: BrokerOrder, detail: str) -> None:
    assert judge(report, ASKED, Decimal(3)) == Judgement(Proof.CONTRADICTION, Decimal(3), f"order order-1 {detail}")


REPORTS = st.builds(
    said,
    st.sampled_from(list(OrderStatus)),
    st.integers(-1, 12).map(str),
    quantity=st.sampled_from([TEN, TEN, TEN, Decimal(7), Decimal(14), None]),
    links=st.sampled_from([1, 1, 2]),
    side=st.sampled_from([Side.SELL, Side.SELL, Side.SELL, Side.BUY]),
    symbol=st.sampled_from(["AAA", "AAA", "AAA", "BBB"]),
    order_type=st.sampled_from([AT_MID, AT_MID, MarketOrder()]),
)


@given(st.lists(REPORTS, max_size=12))
def test_whatever_is_reported_the_least_never_falls_the_most_is_never_below_it_and_a_contradiction_changes_nothing(
    reports: list[BrokerOrder],
) -> None:
    low = Decimal(0)
    for report in reports:
        judged = judge(report, ASKED, low)
        assert judged.filled >= low, "what was filled was taken back"
        if judged.proof is Proof.CONTRADICTION:
            assert (judged.filled, judged.detail != "") == (low, True)
            continue
        high = ASKED.quantity if report.quantity is None or report.links == 1 else report.quantity
        assert 0 <= report.filled_quantity <= high
        assert judged.filled == max(low, report.filled_quantity)
        if judged.proof is Proof.FILLED:
            assert report.filled_quantity == high
        if judged.proof is Proof.ENDED:
            assert report.status.terminal
            assert judged.filled == report.filled_quantity
        if report.links == 1:
            assert judged.filled <= ASKED.quantity
            low = judged.filled
