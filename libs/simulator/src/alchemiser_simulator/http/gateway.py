"""The door every request passes: counts, authentication, rate limit, transport faults, the commit before the answer.

In: ASGI requests. Out: the routes' answers, or what a fault makes of them. Must never let an answer out before the
state behind it is committed, and never apply a fault to the control API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alchemiser_simulator.control.faults import (
    Answer,
    Delay,
    Drip,
    DropConnection,
    FaultBook,
    LateArrival,
    Patch,
    RateLimited,
    ServerError,
    Stale,
    Taken,
    TimeoutAfterAccept,
    Transport,
)
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.http.answers import Changes, Ear, drip, leave
from alchemiser_simulator.http.connections import Line
from alchemiser_simulator.http.requests import ID, body_of, facts_of, replayed, run_now, swallow

_NAMED = re.compile(r"^(/v2/(?:positions|assets)|/control/assets)/[^/]+")
_MINUTE = 60
_HTML = "<html><head><title>{status}</title></head><body><center><h1>{status} Bad Gateway</h1></center></body></html>"


def endpoint(method: str, path: str) -> str:
    """A request's name in the counts: ids and symbols give way to placeholders."""
    return f"{method} {_NAMED.sub(r'\1/{symbol}', ID.sub('{id}', path))}"


@dataclass(slots=True)
class RateWindow:
    """Requests left in the current minute of the exchange's clock; `limit` a minute."""

    limit: int
    minute: int = 0
    used: int = 0

    def take(self, now: float) -> bool:
        """Count a request at `now`, seconds since 1970; False when the minute's budget is spent."""
        minute = int(now // _MINUTE)
        if minute != self.minute:
            self.minute, self.used = minute, 0
        self.used += 1
        return self.used <= self.limit

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        values = {
            "x-ratelimit-limit": self.limit,
            "x-ratelimit-remaining": max(self.limit - self.used, 0),
            "x-ratelimit-reset": (self.minute + 1) * _MINUTE,
        }
        return [(name.encode(), str(value).encode()) for name, value in values.items()]


def _too_many() -> Response:
    return JSONResponse({"code": 42910000, "message": "rate limit exceeded"}, status_code=429)


# An answer is a promise, so the state behind it is on disk before its first byte leaves:
#
#     request -> tick -> the route changes the books -> response.start -> COMMIT -> head and body go out
#
#     killed before COMMIT   the change is gone, and nobody has been told of it
#     killed after COMMIT    the change is kept; whether its client heard of it is open, as with any broker
#
# Hence the commit sits in `send`, which every answer passes, refusals included: a flowing clock may have moved the
# books before them. All requests share one event loop, so a commit may take along what another request has changed;
# that is kept before its answer leaves, never after. A fault that keeps an answer back lets the route run into
# `swallow` through the same commit: for the exchange the request has been answered.
class Gateway:
    """ASGI middleware around the routes of one venue."""

    def __init__(self, app: ASGIApp, venue: Venue, faults: FaultBook, line: Line) -> None:
        self._app = app
        self._venue = venue
        self._faults = faults
        self._line = line
        self._changes = Changes(faults)
        self._window = RateWindow(venue.config.rate_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"])
        self._venue.counts[endpoint(str(scope["method"]), path)] += 1
        if not path.startswith(("/v1/", "/v2/")):
            await self._run(scope, receive, self._committing(send))
            return
        self._venue.tick()  # what the budget and the rules go by is the time of this request, not of the one before it
        allowed = self._window.take(self._venue.exchange.now.timestamp())
        answering = self._limited(self._committing(send))
        refused = self._unauthorised(scope)
        if refused is None and self._venue.config.enforce_rate_limit and not allowed:
            refused = _too_many()
        if refused is not None:
            await refused(scope, receive, answering)
        elif self._faults:
            await self._run_with_faults(scope, receive, answering)
        else:
            await self._run(scope, receive, answering)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._venue.tick()
        await self._app(scope, receive, send)

    def _committing(self, send: Send) -> Send:
        async def committed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._venue.commit()
            await send(message)

        return committed

    def _limited(self, send: Send) -> Send:
        async def limited(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                fresh = [header for header in self._window.headers if header[0] not in present]
                message = {**message, "headers": [*message["headers"], *fresh]}
            await send(message)

        return limited

    def _unauthorised(self, scope: Scope) -> Response | None:
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        if token := headers.get(b"authorization"):
            reads = token.decode("latin-1").removeprefix("Bearer ") in self._venue.config.reading_tokens
            if reads and scope["method"] != "GET":
                return JSONResponse({"code": 40310000, "message": "insufficient scope"}, status_code=403)
            return None
        key, secret = headers.get(b"apca-api-key-id", b""), headers.get(b"apca-api-secret-key", b"")
        if not key or not secret:
            return JSONResponse({"code": 40110000, "message": "request is not authorized"}, status_code=401)
        known = self._venue.config.api_keys
        if known and key.decode("latin-1") not in known:
            return JSONResponse({"code": 40310000, "message": "forbidden."}, status_code=403)
        return None

    # Rules may ask for the symbol and side that an order's body names, so the body is read before the routes run, and
    # given to them again, once; what comes after it (the client hanging up) they receive as it comes. Delays add up,
    # and rules that change an answer work on it together; of those that stand in for one the first decides, and those
    # behind it do nothing, though they count as applied.
    async def _run_with_faults(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(receive)
        replay, changing = replayed(body, receive), list[Taken]()
        for taken in self._faults.transport(facts_of(scope, body, self._venue.exchange.books)):
            self._venue.tick()  # the body, or the rule before this one, may have taken its time
            match taken.fault:
                case Delay(seconds=seconds):
                    await self._line.wait(seconds)
                case Patch() | Stale() | Drip():
                    changing.append(taken)
                case LateArrival() as late:
                    await self._hold(late, scope, body, receive)
                    return
                case fault:
                    await self._meddle(fault, scope, replay, send)
                    return
        if changing:
            await self._run_changed(changing, scope, replay, send)
        else:
            await self._run(scope, replay, send)

    async def _run_changed(self, changing: Sequence[Taken], scope: Scope, receive: Receive, send: Send) -> None:
        ear = Ear()
        await self._run(scope, receive, self._committing(ear.send))
        request = f"{scope['method']} {scope['path']}?{bytes(scope['query_string']).decode('latin-1')}"
        heard = self._changes.changed(ear.heard, changing, request, self._venue.exchange.now)
        dripping = next((taken.fault for taken in changing if isinstance(taken.fault, Drip)), None)
        if dripping is None:
            await leave(heard, send)
        else:
            await drip(heard, dripping, scope, receive, send, self._line)

    async def _hold(self, late: LateArrival, scope: Scope, body: bytes, receive: Receive) -> None:
        """Keep a request on its way; it arrives when the exchange's clock says so, and nobody hears the answer."""
        due = self._venue.exchange.now + timedelta(seconds=late.seconds)
        self._venue.schedule(due, lambda: run_now(self._arrive(scope, body)))
        if late.hold_seconds:
            await self._line.silence(receive, late.hold_seconds)
        await self._line.hang_up(scope, receive)

    async def _arrive(self, scope: Scope, body: bytes) -> None:
        await self._app(scope, replayed(body), swallow)

    async def _meddle(self, fault: Transport, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the routes' stead, or keep their answer back."""
        match fault:
            case RateLimited():
                answer = _too_many()
                answer.headers["x-ratelimit-remaining"] = "0"
                answer.headers["x-ratelimit-reset"] = str(
                    int(self._venue.exchange.now.timestamp()) + fault.reset_seconds
                )
                await answer(scope, receive, send)
            case ServerError():
                if fault.accepted:
                    await self._run(scope, receive, self._committing(swallow))
                page = _HTML.format(status=fault.status)
                await Response(page, fault.status, media_type="text/html")(scope, receive, send)
            case Answer():
                if fault.accepted:
                    await self._run(scope, receive, self._committing(swallow))
                text = json.dumps(fault.body) if fault.text is None else fault.text
                answer = Response(text.encode(), fault.status, fault.headers, media_type=fault.content_type)
                await answer(scope, receive, send)
            case DropConnection():
                await self._line.hang_up(scope, receive)
            case TimeoutAfterAccept():
                await self._run(scope, receive, self._committing(swallow))
                if fault.hold_seconds:
                    await self._line.silence(receive, fault.hold_seconds)
                await self._line.hang_up(scope, receive)
            case _:
                await self._run(scope, receive, send)
