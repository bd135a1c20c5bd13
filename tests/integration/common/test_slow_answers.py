"""Answers that drip, never end, or are gigantic, from a real server: each ends within the time that it is given."""

import gzip
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal

import pytest

from alchemiser_common.alpaca import session
from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.alpaca.session import RequestPolicy
from alchemiser_common.errors import AmbiguousOutcome, BrokerUnavailable
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import MarketOrder, OrderRequest
from alchemiser_common.ports.secrets import BrokerCredentials
from support.answered_broker import KEY, NOON, SECRET
from support.clock import ManualClock

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TOTAL = 0.3


@contextmanager
def server(answer: bytes, *, drip: bytes = b"", pause: float = 0.02) -> Iterator[str]:
    """Answers each connection with these bytes, and then with a few more again and again."""
    listening = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(answer)
                    while drip and not closing.wait(pause):
                        connection.sendall(drip)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        closing.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def broker(url: str, *, read_timeout: float = 0.2) -> AlpacaBroker:
    return AlpacaBroker(
        BrokerCredentials(key_id=KEY, secret_key=SECRET),
        ManualClock(NOON),
        random.Random(1),
        paper=True,
        trading_url=url,
        policy=RequestPolicy(connect_timeout=1, read_timeout=read_timeout, total_timeout=TOTAL, read_attempts=1),
    )


@pytest.mark.parametrize(
    ("answer", "drip"),
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n[", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD, b"X-More: 1\r\n"),
        (b"HTT", b"P"),
        (HEAD + b"Content-Length: 10\r\n\r\n[", b""),
    ],
    ids=["body", "chunks", "head", "status", "cut off"],
)
def test_a_dripped_answer_ends_in_the_total_time(answer: bytes, drip: bytes) -> None:
    with server(answer, drip=drip) as url:
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            broker(url).holdings()
        assert time.monotonic() - began < 4 * TOTAL


def test_the_last_wait_is_no_longer_than_what_is_left_of_the_total_time() -> None:
    with server(HEAD + b"Content-Length: 100000\r\n\r\n[", drip=b" ", pause=5) as url:
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            broker(url, read_timeout=5).holdings()
        assert time.monotonic() - began < 4 * TOTAL


def test_an_order_whose_answer_drips_is_ambiguous() -> None:
    request = OrderRequest(
        client_order_id="alc-1", symbol="SPY", side=Side.BUY, quantity=Decimal(1), order_type=MarketOrder()
    )
    with server(HEAD + b"Content-Length: 100000\r\n\r\n{", drip=b" ") as url, pytest.raises(AmbiguousOutcome):
        broker(url).submit(request)


def test_an_answer_that_unpacks_to_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ANSWER_LIMIT", 1_000_000)
    packed = gzip.compress(b" " * 20_000_000)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with server(head + packed) as url, pytest.raises(BrokerUnavailable, match="more than 1,000,000 bytes"):
        broker(url).holdings()


def test_an_answer_in_time_is_read() -> None:
    with server(HEAD + b"Content-Length: 2\r\n\r\n[]") as url:
        assert broker(url).holdings().positions == ()
