"""HTTP without a socket: a `requests` adapter that calls the exchange's ASGI application in the same thread.

The real client stays in the path, and so does the real application; only the network between them is gone.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

URL = "http://exchange"
"""Where the in-process exchange answers."""

type Message = MutableMapping[str, Any]
type Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""ASGI: scope, receive, send."""
type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it leaves the client."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    query_string: bytes = b""

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
    headers: tuple[tuple[bytes, bytes], ...] = ()

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


def call(app: Application, asked: Asked) -> Answer:
    """The application's true answer. It must never wait for anything: it is run to its end on the spot."""
    parts: list[bytes] = []
    head: MutableMapping[str, Any] = {}
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "root_path": "",
        "query_string": asked.query_string,
        "headers": list(asked.headers),
        "client": ("127.0.0.1", 1),
        "server": ("exchange", 80),
        "state": {},
    }
    running = app(scope, receive, send)
    try:
        running.send(None)  # type: ignore[attr-defined]
    except StopIteration:
        headers = tuple(head["headers"])
        kind = dict(headers).get(b"content-type", b"").decode()
        return Answer(head["status"], b"".join(parts), kind, headers)
    raise AssertionError(f"{asked.method} {asked.path}: the application waits for something")


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


class InProcess(BaseAdapter):
    """Mount it on a session: its requests go to `app` past `teller`."""

    def __init__(self, app: Application, teller: Teller) -> None:
        super().__init__()
        self._app, self._teller = app, teller

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
            headers=tuple((name.lower().encode(), str(value).encode()) for name, value in request.headers.items()),
            query_string=url.query.encode(),
        )
        answer = self._teller.tell(asked, lambda wanted: call(self._app, wanted))
        response = requests.Response()
        response.status_code = answer.status
        response._content = answer.body
        response._content_consumed = True  # type: ignore[attr-defined]
        response.encoding = "utf-8"
        response.headers = CaseInsensitiveDict({name.decode(): value.decode() for name, value in answer.headers})
        response.headers["content-type"] = answer.content_type
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """Nothing to close."""
