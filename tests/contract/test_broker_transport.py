"""Whatever is said: what counts as an answer at all, where it may come from, and that it gives no key away."""

import json

import pytest

from alchemiser_common.alpaca.broker import AlpacaBroker, open_alpaca
from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.settings import Settings
from support.alpaca_elements import order, position
from support.answered_broker import KEY, NOON, SECRET, Answer, always, answered
from support.clock import ManualClock


def test_null_is_not_an_empty_list() -> None:
    for read in (AlpacaBroker.holdings, AlpacaBroker.open_orders):
        with pytest.raises(BrokerUnavailable, match="null, not a list"):
            read(always(None))


def test_what_is_nested_without_end_is_no_answer() -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"\xff\xfe", b"nothing"):
        with pytest.raises(BrokerUnavailable):
            answered(lambda _, body=body: Answer(200, body)).account()  # type: ignore[misc]


def test_a_bare_nan_costs_its_own_element_only() -> None:
    body = json.dumps([position("SPY"), position("QQQ", qty=float("nan"))]).encode()
    assert b"NaN" in body
    holdings = answered(lambda _: Answer(200, body)).holdings()
    assert [item.symbol for item in holdings.positions] == ["SPY"]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 500])
def test_a_server_that_echoes_the_key_does_not_give_it_away(status: int, caplog: pytest.LogCaptureFixture) -> None:
    echo = {"code": 4, "message": f"headers: {KEY} {SECRET}", "headers": {"APCA-API-KEY-ID": KEY, "x": SECRET}}
    for body in (json.dumps(echo), json.dumps(echo).replace("/", "\\/"), f"<html>{KEY} {SECRET}</html>"):
        broker = answered(lambda _, body=body: Answer(status, body.encode()))  # type: ignore[misc]
        with pytest.raises((BrokerRefused, BrokerUnavailable)) as error:
            broker.account()
        chain: list[BaseException | None] = [error.value]
        while chain[-1] is not None:
            for secret in (KEY, SECRET, SECRET.replace("/", "\\/")):
                assert secret not in f"{chain[-1]!r} {chain[-1]}"
            chain.append(chain[-1].__cause__ or chain[-1].__context__)
    holdings = always([position(SECRET), position(asset_class=KEY)]).holdings()
    listed = always([order(symbol=SECRET, client_order_id=KEY)]).open_orders()
    for secret in (KEY, SECRET):
        assert secret not in repr((holdings, listed, caplog.text))


class NoSecrets:
    def broker_credentials(self) -> BrokerCredentials:
        raise AssertionError("not asked")


def opened(environment: str, url: str) -> AlpacaBroker:
    settings = Settings.model_validate({"environment": environment, "broker": {"trading_url": url}})
    credentials = BrokerCredentials(key_id=KEY, secret_key=SECRET)
    return open_alpaca(AlpacaBroker, settings, credentials, NoSecrets(), ManualClock(NOON))


def test_addresses_that_are_private_or_encrypted_are_fine() -> None:
    for url in ("https://broker.test", "http://127.0.0.1:8765", "http://localhost:8765", "http://[::1]:8765"):
        assert isinstance(opened("paper", url), AlpacaBroker)
    assert isinstance(opened("simulated", "http://alpaca:8765"), AlpacaBroker), "a container's neighbour"
