"""Puts the routes of one venue together: trading, data and control behind the gateway.

`application` is what a server serves; `build` is the same exchange in this process, without server or socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Scope

from alchemiser_simulator.config import SimulatorConfig
from alchemiser_simulator.control.faults import FaultBook
from alchemiser_simulator.exchange.refusals import Refusal
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.http.answers import Ear
from alchemiser_simulator.http.connections import ImaginedLine, Line, SocketLine
from alchemiser_simulator.http.control import ControlRoutes
from alchemiser_simulator.http.data import DataRoutes
from alchemiser_simulator.http.gateway import Gateway
from alchemiser_simulator.http.requests import replayed, run_now
from alchemiser_simulator.http.trading import TradingRoutes
from alchemiser_simulator.http.wire import refusal_json


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return JSONResponse(refusal_json(error), status_code=error.status)


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"the simulator has no endpoint {request.method} {request.url.path}"
    return JSONResponse({"code": status * 100_000, "message": message}, status_code=status)


def application(venue: Venue, line: Line | None = None, faults: FaultBook | None = None) -> ASGIApp:
    """The ASGI application over a venue. `line`: the way to its clients, uvicorn's sockets if that is None; `faults`:
    those in force, none to begin with if that is None.
    """
    # One book for all: the control routes fill it, the others and the gateway obey it.
    faults = FaultBook() if faults is None else faults
    routes = [
        *TradingRoutes(venue, faults).routes(),
        *DataRoutes(venue, faults).routes(),
        *ControlRoutes(venue, faults).routes(),
    ]
    starlette = Starlette(routes=routes, exception_handlers={Refusal: _refused, HTTPException: _no_route})
    return Gateway(starlette, venue, faults, line or SocketLine())


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of an exchange in this process. `waited`: seconds that faults would have kept a client waiting;
    `whole`: False if the answer had no end within the bytes that were asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    waited: float
    whole: bool


class _EnoughError(Exception):
    """As many bytes of an answer as anybody wants."""


# Nothing here waits: no route, and no fault either, for a line without a socket only adds up what a client would have
# waited. So one step of a request's coroutine is the whole request, and no event loop is needed. Whoever plays the
# client decides what the waiting means: `waited` beyond its time-out is a time-out (the exchange has done, or will do,
# its part all the same), and a ConnectionDroppedError is a broken connection.
@dataclass(frozen=True, slots=True)
class InProcess:
    """One exchange without a server. `venue` is its state and clock, `faults` are the rules in force; its time moves
    only through the control API or `venue.advance_to`. Not for several threads at once.
    """

    app: ASGIApp
    venue: Venue
    faults: FaultBook
    line: ImaginedLine

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        most: int = 8 * 2**20,
    ) -> Reply:
        """The answer to a request; `target` is path and query as in an address, `most` the bytes of a body after which
        it counts as endless. Raises ConnectionDroppedError.
        """
        path, _, query = target.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "client": None,
            "server": None,
        }
        ear, self.line.waited = Ear(), 0.0

        async def hear(message: Message) -> None:
            await ear.send(message)
            if len(ear.body) > most:
                raise _EnoughError

        async def run() -> bool:
            try:
                await self.app(scope, replayed(body), hear)
            except _EnoughError:
                return False
            return True

        whole = run_now(run())
        told = {name.decode(): value.decode("latin-1") for name, value in ear.headers}
        return Reply(ear.status, told, bytes(ear.body), self.line.waited, whole)

    def close(self) -> None:
        """Close the state file."""
        self.venue.close()


def build(config: SimulatorConfig) -> InProcess:
    """An exchange in this process, which goes on from its state file or begins as configured. Raises StateError,
    ConfigError.
    """
    venue, faults, line = Venue(config), FaultBook(), ImaginedLine()
    return InProcess(application(venue, line, faults), venue, faults, line)
