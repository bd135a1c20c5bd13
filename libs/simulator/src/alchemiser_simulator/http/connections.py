"""Lets the application drop a connection: uvicorn's HTTP/1.1 protocol with its transports on record."""

from __future__ import annotations

import asyncio

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

# ASGI gives an application no way to break its connection, but tells it both ends. No two living connections have
# the same two ends, so these find the transport.
type _Ends = tuple[object, object]
_open: dict[_Ends, asyncio.Transport] = {}


class TrackedProtocol(H11Protocol):
    """Records its transport under (client, server) while the connection lives."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _open[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _open.pop((self.client, self.server), None)
        super().connection_lost(exc)


def drop(scope: Scope) -> None:
    """Reset the connection a request came on; its client gets no answer."""
    transport = _open.get((scope.get("client"), scope.get("server")))
    if transport is not None:
        transport.abort()
