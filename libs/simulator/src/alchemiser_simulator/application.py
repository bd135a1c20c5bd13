"""Puts the routes of one venue together: trading, data and control behind the gateway."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from alchemiser_simulator.control.faults import FaultBook
from alchemiser_simulator.exchange.refusals import Refusal
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.http.connections import Line, SocketLine
from alchemiser_simulator.http.control import ControlRoutes
from alchemiser_simulator.http.data import DataRoutes
from alchemiser_simulator.http.gateway import Gateway
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


def application(venue: Venue, line: Line | None = None) -> ASGIApp:
    """The ASGI application over a venue, with no fault in force. `line`: the way to its clients, uvicorn's sockets if
    that is None.
    """
    faults = FaultBook()  # one for all: the control routes fill it, the others and the gateway obey it
    routes = [
        *TradingRoutes(venue, faults).routes(),
        *DataRoutes(venue, faults).routes(),
        *ControlRoutes(venue, faults).routes(),
    ]
    starlette = Starlette(routes=routes, exception_handlers={Refusal: _refused, HTTPException: _no_route})
    return Gateway(starlette, venue, faults, line or SocketLine())
