"""Runs a simulator: in a background thread for tests and demonstrations, in the foreground for the command line.

In: a SimulatorConfig and a port. Out: a URL. Must stay on the loopback interface unless told otherwise.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import uvicorn

from alchemiser_simulator.application import application
from alchemiser_simulator.config import SimulatorConfig
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.http.connections import TrackedProtocol

if TYPE_CHECKING:
    from alchemiser_simulator.control.control import SimulatorControl

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8765
_START_TIMEOUT = 15.0


class PortInUseError(OSError):
    """Another program listens on the port; the message names it and the remedy."""


class AlreadyRunningError(RuntimeError):
    """A server was started while it runs; stop it first."""


def _listen(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's delay off for what it accepts: 1 ms an answer instead of 40.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        remedy = "stop that program, choose another port, or give port 0 for any free one"
        raise PortInUseError(error.errno, f"port {port} on {host} is in use; {remedy}") from error
    return listener


def _uvicorn(venue: Venue) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            application(venue),
            http=TrackedProtocol,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )


class SimulatorServer:
    """A simulator in a background thread. Use as a context manager; `url` is the base URL for both Alpaca clients."""

    def __init__(self, config: SimulatorConfig, *, host: str = LOOPBACK, port: int = 0) -> None:
        self._config = config
        self._host = host
        self._port = port
        self._running: tuple[uvicorn.Server, threading.Thread, Venue] | None = None

    @property
    def url(self) -> str:
        """The base URL; the port is known once the server has started."""
        return f"http://{self._host}:{self._port}"

    @property
    def control(self) -> SimulatorControl:
        """A new client of this server's control API; close it, or use it as a context manager."""
        # Imported here: its HTTP library would cost every server a few tenths of a second to start, for nothing.
        from alchemiser_simulator.control.control import SimulatorControl

        return SimulatorControl(self.url)

    def start(self) -> Self:
        """Start and wait until requests are answered. Raises PortInUseError, StateError, ConfigError."""
        if self._running is not None:
            raise AlreadyRunningError("the server is running; stop it before starting it again")
        listener = _listen(self._host, self._port)
        try:
            venue = Venue(self._config)
        except BaseException:
            listener.close()
            raise
        self._port = int(listener.getsockname()[1])
        server = _uvicorn(venue)
        thread = threading.Thread(target=server.run, args=([listener],), name="simulator", daemon=True)
        thread.start()
        self._running = server, thread, venue
        # The socket listens already: requests wait in its queue until the loop takes them.
        return self

    def stop(self) -> None:
        """Stop, and close the state file. Safe to call twice."""
        if self._running is None:
            return
        server, thread, venue = self._running
        self._running = None
        server.should_exit = True
        thread.join(_START_TIMEOUT)
        venue.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    config: SimulatorConfig,
    *,
    host: str = LOOPBACK,
    port: int = DEFAULT_PORT,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve in the foreground until interrupted. `ready` gets the URL once the port is open. Raises PortInUseError."""
    listener = _listen(host, port)
    try:
        venue = Venue(config)
    except BaseException:
        listener.close()
        raise
    if ready is not None:
        ready(f"http://{host}:{listener.getsockname()[1]}")
    try:
        _uvicorn(venue).run([listener])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down cleanly and raises the signal again for whoever wants it
    finally:
        venue.close()
