"""The way to a client: how an answer is kept back and a connection dropped, over a socket and without one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Receive, Scope
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


class Line(Protocol):
    """What faults do to the way between a client and the exchange. Seconds are those a client waits."""

    async def wait(self, seconds: float) -> None:
        """Hold a request up, whatever its client does meanwhile."""
        ...

    async def silence(self, receive: Receive, seconds: float, /) -> None:
        """Say nothing until the client gives up or the time is over."""
        ...

    async def pause(self, receive: Receive, seconds: float, /) -> bool:
        """Wait between two pieces of an answer; whether the client has gone."""
        ...

    async def hang_up(self, scope: Scope, receive: Receive, /) -> None:
        """Break the connection: its client gets no answer, or no more of it."""
        ...


class SocketLine:
    """A connection of uvicorn's with the `TrackedProtocol`."""

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def silence(self, receive: Receive, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await _gone(receive)
        except TimeoutError:
            return

    async def pause(self, receive: Receive, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await _gone(receive)
        except TimeoutError:
            return False
        return True

    async def hang_up(self, scope: Scope, receive: Receive) -> None:
        """Reset the connection and wait until it is gone, so that the server does not answer for us."""
        transport = _open.get((scope.get("client"), scope.get("server")))
        if transport is not None:
            transport.abort()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class ConnectionDroppedError(Exception):
    """A fault broke the connection of a request that came without a socket, before its answer was whole; `waited`:
    after how many seconds of silence.
    """

    def __init__(self, waited: float) -> None:
        super().__init__(f"the connection was dropped after {waited} s")
        self.waited = waited


@dataclass(slots=True)
class ImaginedLine:
    """A connection without a socket: nothing waits, `waited` is how many seconds a client would have by now, and a
    broken connection raises ConnectionDroppedError out of the application. It serves one request at a time.
    """

    waited: float = field(default=0.0)

    async def wait(self, seconds: float) -> None:
        self.waited += seconds

    async def silence(self, _receive: Receive, seconds: float) -> None:
        self.waited += seconds

    async def pause(self, _receive: Receive, seconds: float) -> bool:
        self.waited += seconds
        return False

    async def hang_up(self, _scope: Scope, _receive: Receive) -> None:
        raise ConnectionDroppedError(self.waited)
