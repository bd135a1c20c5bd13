"""Bodies that do not fit are refused by field and value."""

from __future__ import annotations

import requests

from alchemiser_simulator import SimulatorServer
from integration.simulator.calls import HEADERS


def test_bodies_that_do_not_fit_are_refused_by_field_and_value(server: SimulatorServer) -> None:
    def answer(body: str | bytes) -> tuple[int, str]:
        got = requests.post(f"{server.url}/v2/orders", data=body, headers=HEADERS, timeout=5)
        return got.status_code, got.json()["message"]

    assert answer("{")[0] == 422
    assert "not JSON" in answer("{")[1]
    assert answer('{"symbol": "SPY"}') == (422, "side is required")
    broken = '{"symbol":"SPY","side":"buy","type":"market","time_in_force":"day","qty":"many"}'
    assert answer(broken)[1].startswith("invalid qty 'many'")
    for wrong in ("NaN", "Infinity", '"nan"', "1e9999999999999999999"):
        assert answer(broken.replace('"many"', wrong))[0] == 422
    assert "not offered" in answer(broken.replace("market", "trailing_stop"))[1]
