"""Serves the dashboard on loopback until it is interrupted."""

import errno
import socket

import uvicorn
from starlette.types import ASGIApp

from alchemiser_common.errors import InvalidSettings

LOOPBACK = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 is any free one. Raises InvalidSettings if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        raise InvalidSettings(
            f"--port {port} cannot be used: {error.strerror}; give another, or 0 for any free one"
        ) from error
    return listener


def server_of(application: ASGIApp) -> uvicorn.Server:
    """The server; `run([listener])` serves until it is interrupted."""
    return uvicorn.Server(
        uvicorn.Config(
            application,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
    )
