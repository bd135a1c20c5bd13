"""Fills and other activities of the account: read page by page, each once, and odd ones named."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import AccountEntry, Fill
from support.alpaca_elements import DAY, entry, fill
from support.answered_broker import ORDER_ID, Answer, Asked, always, answered, as_json


def test_fills_and_other_activities_are_read_and_odd_ones_named() -> None:
    found = always(
        [
            fill(1),
            fill(2, side="sell_short", symbol="QQQ"),
            entry(3, "CSW", net_amount="-30000", description="withdrawal"),
            entry(4, "DIV", symbol="T", qty="2", net_amount="1.02", per_share_amount="0.51"),
            entry(5, "SPLIT", symbol="SOXL", qty="200", net_amount=None),
            entry(6, "DIV", net_amount=None, qty="2"),
            entry(7, net_amount=None),
            entry(8, currency="EUR"),
            fill(9, qty="-1"),
            fill(10, price=None),
            None,
        ]
    ).activities(DAY, DAY)
    assert found.entries == (
        Fill(
            activity_id="20200603140000001::x",
            at=datetime(2020, 6, 3, 14, 0, 0, 100_000, tzinfo=UTC),
            symbol="SPY",
            side=Side.BUY,
            quantity=Decimal("1.5"),
            price=Decimal("300.25"),
            order_id=ORDER_ID,
        ),
        Fill(
            activity_id="20200603140000002::x",
            at=datetime(2020, 6, 3, 14, 0, 0, 100_000, tzinfo=UTC),
            symbol="QQQ",
            side=Side.SELL,
            quantity=Decimal("1.5"),
            price=Decimal("300.25"),
            order_id=ORDER_ID,
        ),
        AccountEntry(activity_id="20200603::3", code="CSW", day=DAY, amount=Decimal(-30000), description="withdrawal"),
        AccountEntry(
            activity_id="20200603::4", code="DIV", day=DAY, symbol="T", quantity=Decimal(2), amount=Decimal("1.02")
        ),
        AccountEntry(activity_id="20200603::5", code="SPLIT", day=DAY, symbol="SOXL", quantity=Decimal(200)),
    )
    assert len(found.entries) == 5
    assert len(found.odd) == 6
    assert found.odd[0].startswith("DIV 20200603::6: net_amount: is missing")


def test_an_options_fill_is_the_cash_and_contracts_it_moved() -> None:
    (found,) = always([fill(1, symbol="AAPL251219C00200000", qty="2", price="3.5")]).activities(DAY, DAY).entries
    assert isinstance(found, AccountEntry)
    assert (found.code, found.quantity, found.amount) == ("FILL", Decimal(2), Decimal(-700))


def test_activities_count_by_the_day_they_happened_or_were_entered() -> None:
    late = entry(1, date="2020-05-20", created_at="2020-06-03T23:00:00Z")
    listed = [entry(2, date="2020-06-02"), entry(3, date="2020-06-04"), entry(4), late]
    found = always(listed).activities(DAY, DAY)
    assert [item.activity_id for item in found.entries] == ["20200603::1", "20200603::4"], "oldest first"
    night = always([fill(1, transaction_time="2020-06-04T01:00:00Z")])
    assert len(night.activities(DAY, DAY).entries) == 1, "still the third of June in New York"


def test_activities_are_followed_page_by_page() -> None:
    everything = [fill(number) for number in range(1000, 1250)]
    asked_for: list[Mapping[str, str]] = []

    def answering(asked: Asked) -> Answer:
        asked_for.append(asked.query)
        ids = [item["id"] for item in everything]
        start = ids.index(asked.query["page_token"]) + 1 if "page_token" in asked.query else 0
        return as_json(everything[start : start + int(asked.query["page_size"])])

    broker = answered(answering)
    assert len(broker.activities(DAY, DAY).entries) == 250
    assert len(asked_for) == 3
    assert {(query["direction"], query["after"] < "2020-06-03" < query["until"]) for query in asked_for} == {
        ("asc", True)
    }
    with pytest.raises(BrokerUnavailable, match="brings nothing new"):
        always([fill(number) for number in range(1000, 1100)]).activities(DAY, DAY)


def test_an_id_that_means_two_things_is_named() -> None:
    found = always([entry(1), entry(1), entry(1, net_amount="7")]).activities(DAY, DAY)
    assert len(found.entries) == 1
    assert "its id was used for another" in found.odd[0]
