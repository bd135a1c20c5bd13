"""Activities of the account: fills and all other entries, with Alpaca's filters and paging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from alchemiser_simulator import SimulatorControl, SimulatorServer
from alchemiser_simulator.control.faults import PartialFills
from integration.simulator.calls import HEADERS, buy

NEVER = "20200601110000000::00000000-0000-5000-8000-000000000000"


def asked(server: SimulatorServer, kind: str = "", **query: str) -> requests.Response:
    path = f"{server.url}/v2/account/activities{kind}"
    return requests.get(path, query, headers=HEADERS, timeout=5)


def pages(server: SimulatorServer, size: int, **query: str) -> Iterator[dict[str, Any]]:
    """All activities, page by page, as a client follows them."""
    token: dict[str, str] = {}
    while page := asked(server, page_size=str(size), **query, **token).json():
        yield from page
        token = {"page_token": page[-1]["id"]}


@pytest.fixture
def traded(server: SimulatorServer, control: SimulatorControl) -> SimulatorServer:
    """Ten fills of one order, a second each, and one of another order the next day."""
    control.add_fault(PartialFills(fraction=Decimal("0.1"), count=1))
    buy(server.url, "one", qty="10")
    control.advance(timedelta(days=1))
    buy(server.url, "two", qty="5")
    control.advance(1)
    return server


def test_a_fill_tells_all_about_itself(server: SimulatorServer, control: SimulatorControl) -> None:
    control.add_fault(PartialFills(fraction=Decimal("0.5"), count=1))
    order = buy(server.url, "one", qty="10").json()
    control.advance(1)
    last, first = asked(server, "/FILL").json()
    assert {"activity_type": "FILL", "side": "buy", "symbol": "SPY", "qty": "5"}.items() <= first.items()
    assert (first["cum_qty"], first["leaves_qty"], first["type"]) == ("5", "5", "partial_fill")
    assert (last["cum_qty"], last["leaves_qty"], last["type"]) == ("10", "0", "fill")
    assert last["transaction_time"] == "2020-06-01T15:00:01Z"
    assert last["id"].startswith("20200601110001000::"), "the id has New York's time"
    assert {first["order_id"], last["order_id"]} == {order["id"]}
    paid = sum(Decimal(fill["qty"]) * Decimal(fill["price"]) for fill in (first, last))
    assert control.state().cash == 100_000 - paid


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 3, 11, 100])
def test_pages_hold_every_activity_once_and_in_order(traded: SimulatorServer, direction: str, size: int) -> None:
    whole = asked(traded, direction=direction).json()
    ids = [activity["id"] for activity in whole]
    assert len(set(ids)) == 11
    assert ids == sorted(ids, reverse=direction == "desc")
    assert list(pages(traded, size, direction=direction)) == whole


def test_what_happens_between_two_pages_shifts_none(traded: SimulatorServer, control: SimulatorControl) -> None:
    first = asked(traded, page_size="4").json()
    buy(traded.url, "three", qty="1")
    rest = asked(traded, page_token=first[-1]["id"]).json()
    ids = [activity["id"] for activity in (*first, *rest)]
    assert len(ids) == len(set(ids)) == 11


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"date": "2020-06-01"}, 10),
        ({"date": "2020-06-03"}, 0),
        ({"after": "2020-06-01T15:00:05Z"}, 5),
        ({"until": "2020-06-01T15:00:05Z"}, 5),
        ({"after": "2020-06-02"}, 1),
        ({"until": "2020-06-02"}, 10),
        ({"after": "2020-06-01T15:00:02Z", "until": "2020-06-01T15:00:05Z"}, 2),
        ({"activity_types": "FILL,DIV"}, 11),
        ({"activity_types": "TRANS"}, 0),
        ({"category": "trade_activity"}, 11),
        ({"category": "non_trade_activity"}, 0),
        ({"page_size": "3"}, 3),
        ({"page_token": NEVER}, 0),
        ({"page_token": NEVER, "direction": "asc"}, 11),
        ({"order_id": "00000000-0000-5000-8000-000000000000"}, 0),
    ],
    ids=str,
)
def test_activities_are_filtered(traded: SimulatorServer, query: dict[str, str], expected: int) -> None:
    assert len(asked(traded, **query).json()) == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"activity_types": "FFFFF"}, "invalid activity type: FFFFF"),
        ({"activity_types": "FILL", "category": "trade_activity"}, "category cannot be used with activity_types"),
        ({"date": "2020-06-01", "after": "2020-06-01"}, "date cannot be used with after or until"),
        ({"after": "yesterday"}, "invalid after 'yesterday'"),
        ({"page_size": "101"}, "invalid page_size '101'"),
        ({"page_token": "3"}, "invalid page_token '3'"),
    ],
)
def test_a_query_that_cannot_be_is_refused(server: SimulatorServer, query: dict[str, str], words: str) -> None:
    refused = asked(server, **query)
    assert (refused.status_code, words in refused.json()["message"]) == (422, True)
