"""The door that every request passes: keys, rate limits, orders at once, and routes that are not there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from alchemiser_simulator import SimulatorControl, SimulatorServer
from integration.simulator.calls import HEADERS, buy, config, get


def test_keys_are_asked_for_and_can_be_restricted() -> None:
    with SimulatorServer(config(api_keys=frozenset({"PK1"}))) as server:
        missing = get(server.url, "/v2/account", headers={})
        assert (missing.status_code, missing.json()["code"]) == (401, 40110000)
        assert get(server.url, "/v2/account").status_code == 403
        assert get(server.url, "/v2/account", headers=HEADERS | {"APCA-API-KEY-ID": "PK1"}).status_code == 200


def test_the_rate_limit_can_be_enforced() -> None:
    with SimulatorServer(config(rate_limit=5, enforce_rate_limit=True)) as server, server.control as control:
        codes = [get(server.url, "/v2/clock").status_code for _ in range(12)]
        assert codes == [200] * 5 + [429] * 7
        control.advance(60)
        assert get(server.url, "/v2/clock").status_code == 200, "a minute of the exchange's clock later"


def test_of_many_orders_with_one_id_at_once_one_is_accepted(server: SimulatorServer, control: SimulatorControl) -> None:
    with ThreadPoolExecutor(8) as threads:
        codes = sorted(threads.map(lambda _: buy(server.url, "same").status_code, range(24)))
    assert codes == [200] + [422] * 23
    assert [held.qty for held in control.state().holdings] == [Decimal(1)]


def test_an_unknown_endpoint_is_named(server: SimulatorServer) -> None:
    answer = get(server.url, "/v2/watchlists")
    assert answer.status_code == 404
    assert answer.json()["message"] == "the simulator has no endpoint GET /v2/watchlists"
