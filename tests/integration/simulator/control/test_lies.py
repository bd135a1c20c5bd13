"""An exchange that lies: what its clients are told, for so many reads, while the truth behind it stays what it is."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from pydantic import JsonValue

from alchemiser_simulator import SimulatorControl, SimulatorServer
from alchemiser_simulator.control.faults import (
    Answer,
    BadQuote,
    BadTrade,
    Drip,
    Fault,
    LateArrival,
    OtherOrder,
    Patch,
    Stale,
    When,
)
from alchemiser_simulator.control.lies import Operation
from alchemiser_simulator.control.models import AccountChange
from integration.simulator.calls import HEADERS, buy, get

POST = When(method="POST", path="^/v2/orders$")
LIST = When(method="GET", path="^/v2/orders$")
LOOK_UP = When(method="GET", path="by_client_order_id")


def told(server: SimulatorServer, path: str, **query: str) -> Any:
    return requests.get(server.url + path, query, headers=HEADERS, timeout=5).json()


def look_up(server: SimulatorServer, name: str) -> requests.Response:
    return get(server.url, "/v2/orders:by_client_order_id", client_order_id=name)


def listed(server: SimulatorServer) -> dict[str, Any]:
    return {order["client_order_id"]: order for order in told(server, "/v2/orders", status="all")}


@pytest.mark.parametrize(
    ("fault", "status", "text", "accepted"),
    [
        (
            Answer(match=POST, status=403, text="<h1>no</h1>", content_type="text/html", accepted=True),
            403,
            "<h1>",
            True,
        ),
        (Answer(match=POST, status=409, body={"message": "conflict"}, accepted=True), 409, "conflict", True),
        (Answer(match=POST, status=451, body={"code": 1}), 451, '"code"', False),
        (Answer(match=POST, status=200, text="{truncated"), 200, "{truncated", False),
        (Answer(match=POST, status=200, headers={"X-Odd": "1"}), 200, "null", False),
    ],
)
def test_any_answer_stands_in_for_the_true_one(
    server: SimulatorServer, control: SimulatorControl, fault: Fault, status: int, text: str, *, accepted: bool
) -> None:
    control.add_fault(fault.model_copy(update={"count": 1}))
    answer = buy(server.url, "one")
    assert (answer.status_code, text in answer.text) == (status, True)
    assert answer.headers["X-RateLimit-Limit"] == "200"
    assert (look_up(server, "one").status_code == 200) is accepted
    assert buy(server.url, "two").status_code == 200, "the lie lasted more than one answer"


def test_one_read_amid_a_run_is_refused_and_the_others_are_not(
    server: SimulatorServer, control: SimulatorControl
) -> None:
    control.add_fault(Answer(match=LIST, skip=2, count=1, status=401, body={"message": "unauthorized"}))
    assert [get(server.url, "/v2/orders").status_code for _ in range(5)] == [200, 200, 401, 200, 200]


def patch(path: str, value: JsonValue = None, **fields: Any) -> Operation:
    return Operation(path=path, value=value, **fields)


@pytest.mark.parametrize(
    ("path", "operation", "place"),
    [
        ("/v2/account", patch("equity", "0.5", do="multiply"), lambda answer: Decimal(answer["equity"]) == 50_000),
        ("/v2/account", patch("last_equity"), lambda answer: answer["last_equity"] is None),
        ("/v2/account", patch("cash", do="remove"), lambda answer: "cash" not in answer),
        ("/v2/positions", patch("", []), lambda answer: answer == []),
        ("/v2/positions", patch("*.current_price"), lambda answer: answer[0]["current_price"] is None),
        ("/v2/positions", patch("*.qty_available", "0"), lambda answer: answer[0]["qty_available"] == "0"),
        ("/v2/positions", patch("*.qty", "2", do="multiply"), lambda answer: answer[0]["qty"] == "20"),
        ("/v2/clock", patch("timestamp", 3600, do="shift"), lambda answer: "T12:00:00" in answer["timestamp"]),
        ("/v2/stocks/snapshots?symbols=SPY", patch("*.dailyBar"), lambda answer: answer["SPY"]["dailyBar"] is None),
        ("/v2/stocks/trades/latest?symbols=SPY", patch("trades.SPY"), lambda answer: answer["trades"]["SPY"] is None),
    ],
)  # fmt: skip
def test_a_patch_changes_an_answer_for_so_many_reads(
    server: SimulatorServer, control: SimulatorControl, path: str, operation: Operation, place: Any
) -> None:
    control.set_holding("TLT", Decimal(10), Decimal(150))
    control.set_account(AccountChange(cash=Decimal(100_000) - 10 * _price(server, "TLT")))
    true = told(server, path)
    control.add_fault(Patch(match=When(path=path.partition("?")[0]), operations=(operation,), count=2))
    assert [place(told(server, path)) for _ in range(3)] == [True, True, False]
    assert told(server, path) == true


def _price(server: SimulatorServer, symbol: str) -> Decimal:
    return Decimal(str(told(server, "/v2/stocks/trades/latest", symbols=symbol)["trades"][symbol]["p"]))


def test_list_and_look_up_contradict_each_other(server: SimulatorServer, control: SimulatorControl) -> None:
    for name in ("one", "two"):
        buy(server.url, name, qty="10")
    without = Operation(path="*", do="remove", where={"client_order_id": "one"})
    control.add_fault(Patch(match=LIST, operations=(without,), count=1))
    control.add_fault(Answer(match=LOOK_UP.model_copy(update={"client_order_id": "^two$"}), status=404, count=1))
    told(server, "/v2/orders", status="closed", symbols="QQQ")
    assert "one" not in listed(server), "an answer without the order used up the lie"
    assert look_up(server, "one").json()["filled_qty"] == "10"
    assert [look_up(server, "two").status_code for _ in range(2)] == [404, 200]
    assert listed(server).keys() == {"one", "two"}


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ((patch("filled_qty", "0"),), {"status": "filled", "filled_qty": "0"}),
        ((patch("filled_qty", 0.5, do="copy", source="qty"),), {"status": "filled", "filled_qty": "5"}),
        ((patch("filled_qty", "-100"),), {"filled_qty": "-100"}),
        ((patch("status", "calculated"),), {"status": "calculated", "filled_qty": "10"}),
        ((patch("status", "canceled"), patch("filled_qty", "0")), {"status": "canceled", "filled_qty": "0"}),
    ],
)
def test_status_and_quantity_contradict_each_other(
    server: SimulatorServer, control: SimulatorControl, operations: tuple[Operation, ...], expected: dict[str, str]
) -> None:
    buy(server.url, "one", qty="10")
    control.add_fault(Patch(match=LOOK_UP, operations=operations, count=1))
    assert expected.items() <= look_up(server, "one").json().items()
    assert look_up(server, "one").json()["filled_qty"] == "10"


def test_a_post_is_answered_with_another_order(server: SimulatorServer, control: SimulatorControl) -> None:
    control.add_fault(OtherOrder(match=When(symbol="SPY", side="buy"), count=2))
    unknown = buy(server.url, "one").json()["client_order_id"]
    assert look_up(server, unknown).status_code == 404
    assert buy(server.url, "two").json()["client_order_id"] == "one"
    assert buy(server.url, "three").json()["client_order_id"] == "three"
    assert listed(server).keys() == {"one", "two", "three"}


def test_a_stale_answer_is_as_old_as_it_says(server: SimulatorServer, control: SimulatorControl) -> None:
    control.add_fault(Stale(match=LIST, reads=2, count=3))
    control.add_fault(Stale(match=When(path="^/v2/clock$"), seconds=20))
    seen, times = [], []
    for number in range(7):
        seen.append(len(listed(server)))
        times.append(told(server, "/v2/clock")["timestamp"][17:19])
        buy(server.url, f"n{number}")
        control.advance(10)
    assert seen == [0, 0, 0, 1, 4, 5, 6], "three answers are untrue, each two reads old or the first"
    assert times == ["00", "00", "00", "10", "20", "30", "40"]


@pytest.mark.parametrize("by", ["advance", "jump"])
def test_a_request_arrives_late_and_in_its_place(server: SimulatorServer, control: SimulatorControl, by: str) -> None:
    control.add_fault(LateArrival(match=POST, seconds=6, count=1))
    sent = control.clock().now
    with pytest.raises(requests.ConnectionError):
        buy(server.url, "late")
    control.advance(5)
    assert look_up(server, "late").status_code == 404
    control.advance(1 if by == "advance" else timedelta(hours=1))
    order = look_up(server, "late").json()
    assert order["status"] == "filled"
    assert order["created_at"] == (sent + timedelta(seconds=6)).isoformat().replace("+00:00", "Z")
    assert control.state().fills == 1


def test_an_answer_drips_is_cut_off_or_has_no_end(server: SimulatorServer, control: SimulatorControl) -> None:
    control.add_fault(Drip(match=When(path="^/v2/clock$"), interval=0.001, piece=10, padding=25, count=1))
    answer = get(server.url, "/v2/clock")
    assert answer.json()["is_open"] is True
    assert answer.content.endswith(b" " * 25)
    control.add_fault(Drip(match=When(path="^/v2/clock$"), interval=0, piece=100, cut_after=20, count=1))
    with pytest.raises(requests.RequestException):
        get(server.url, "/v2/clock")
    control.add_fault(Drip(match=When(path="^/v2/clock$"), interval=0, piece=10_000, padding=10**10, count=1))
    started, size = time.perf_counter(), 0
    with requests.get(f"{server.url}/v2/clock", headers=HEADERS, stream=True, timeout=5) as endless:
        for piece in endless.iter_content(10_000):
            size += len(piece)
            if size > 200_000:
                break
    assert time.perf_counter() - started < 5
    assert get(server.url, "/v2/clock").status_code == 200, "the exchange is busy with a client that has gone"


def test_last_trade_and_quote_contradict_each_other(server: SimulatorServer, control: SimulatorControl) -> None:
    def seen() -> tuple[float, float, str]:
        snapshot = told(server, "/v2/stocks/snapshots", symbols="SPY")["SPY"]
        assert told(server, "/v2/stocks/trades/latest", symbols="SPY")["trades"].get("SPY") == snapshot["latestTrade"]
        trade = snapshot["latestTrade"] or {"p": None, "t": None}
        return snapshot["latestQuote"]["bp"], trade["p"], trade["t"]

    bid, price, at = seen()
    for fault, expected in (
        (BadTrade(flavour="scaled"), (bid, pytest.approx(price / 100), at)),
        (BadTrade(flavour="zero"), (bid, 0, at)),
        (BadTrade(flavour="stale"), (bid, price, "2020-05-02T15:00:00Z")),
        (BadTrade(flavour="missing"), (bid, None, None)),
        (BadQuote(flavour="scaled", factor=Decimal("0.5")), (pytest.approx(bid / 2), price, at)),
    ):
        control.add_fault(fault)
        assert seen() == expected, fault
        control.clear_faults()
    assert seen() == (bid, price, at)
