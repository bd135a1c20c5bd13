"""HTTP without a socket: a `requests` adapter that asks an exchange in the same thread.

The real client stays in the path, and so does the real application; only the network between them is gone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from alchemiser_simulator import ConnectionDroppedError, InProcess

URL = "http://exchange"
"""Where the in-process exchange answers."""

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it leaves the client."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    headers: Mapping[str, str]
    target: str
    """Path and query as they were written."""

    @property
    def json(self) -> dict[str, Json]:
        """The body of a request that has one."""
        content: dict[str, Json] = json.loads(self.body or b"{}")
        return content


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Json:
        """The body, parsed; None where there is none."""
        content: Json = json.loads(self.body) if self.body else None
        return content

    def saying(self, content: Json) -> "Answer":
        """The same with another body."""
        return replace(self, body=json.dumps(content).encode())


def refusal(status: int, code: int, message: str, **fields: Json) -> Answer:
    """An error as Alpaca words it."""
    return Answer(status, json.dumps({"code": code, "message": message, **fields}).encode())


def page(status: int) -> Answer:
    """An error of something between us and the broker: HTML."""
    text = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Answer(status, text.encode(), "text/html")


class Teller(Protocol):
    """Stands between client and exchange."""

    def tell(self, asked: Asked, ask: Callable[[Asked], Answer]) -> Answer:
        """The answer the client gets, true or not. Raises requests' errors for none."""
        ...


class Honest:
    """Tells what is."""

    def tell(self, asked: Asked, ask: Callable[[Asked], Answer]) -> Answer:
        """The exchange's answer."""
        return ask(asked)


class ToldAdapter(BaseAdapter):
    """Mount it on a session: its requests go to `simulator` past `teller`."""

    def __init__(self, simulator: InProcess, teller: Teller) -> None:
        super().__init__()
        self._simulator, self._teller = simulator, teller

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_: object
    ) -> requests.Response:
        """As requests' own adapter."""
        url = urlsplit(request.url or "")
        body = request.body or b""
        asked = Asked(
            method=request.method or "GET",
            path=url.path,
            query=dict(parse_qsl(url.query)),
            body=body.encode() if isinstance(body, str) else body,
            headers={name: str(value) for name, value in request.headers.items()},
            target=request.path_url,
        )
        answer = self._teller.tell(asked, self._true)
        response = requests.Response()
        response.status_code = answer.status
        response._content = answer.body
        response._content_consumed = True  # type: ignore[attr-defined]
        response.encoding = "utf-8"
        response.headers = CaseInsensitiveDict(answer.headers)
        response.headers["content-type"] = answer.content_type
        response.url, response.request = request.url or "", request
        return response

    def _true(self, asked: Asked) -> Answer:
        """The exchange's answer. It must keep nobody waiting: time passes only where the world lets it."""
        try:
            reply = self._simulator.ask(asked.method, asked.target, asked.headers, asked.body)
        except ConnectionDroppedError as error:
            raise requests.ConnectionError(str(error)) from error
        assert reply.waited == 0, f"{asked.method} {asked.path}: the exchange waits for something"
        return Answer(reply.status, reply.body, reply.headers.get("content-type", ""), reply.headers)

    def close(self) -> None:
        """Nothing to close."""
