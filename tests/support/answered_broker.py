"""A broker whose HTTP requests are answered by a function: the real adapter and client, without a socket."""

import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.alpaca.session import RequestPolicy
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.secrets import BrokerCredentials
from support.clock import ManualClock

KEY, SECRET = "PKANSWEREDKEY", "answered/secret"
NOON = datetime(2020, 6, 3, 16, tzinfo=UTC)
ORDER_ID = str(UUID(int=7))


@dataclass(frozen=True)
class Asked:
    """A request as the broker sees it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""


def as_json(content: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode())


type Answering = Callable[[Asked], Answer]


class _Answered(BaseAdapter):
    def __init__(self, answering: Answering) -> None:
        super().__init__()
        self._answering = answering

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        parts = urlsplit(str(request.url))
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        asked = Asked(str(request.method), parts.path, dict(parse_qsl(parts.query)), body)
        answer = self._answering(asked)
        response = requests.Response()
        response.status_code, response.reason = answer.status, "said so"
        response.raw, response.request, response.url = io.BytesIO(answer.body), request, str(request.url)
        return response

    def close(self) -> None:
        pass


def answered(answering: Answering, clock: Clock | None = None, *, attempts: int = 1) -> AlpacaBroker:
    broker = AlpacaBroker(
        BrokerCredentials(key_id=SecretStr(KEY), secret_key=SecretStr(SECRET)),
        clock or ManualClock(NOON),
        random.Random(1),
        paper=True,
        trading_url="http://broker.test",
        data_url="http://broker.test",
        policy=RequestPolicy(read_attempts=attempts),
    )
    adapter = _Answered(answering)
    for client in (broker._trading, *broker._market_data.clients):
        client._session.mount("http://", adapter)
    return broker


def always(content: object, status: int = 200) -> AlpacaBroker:
    """Whatever is asked for, the answer is this JSON."""
    return answered(lambda _: as_json(content, status))
