"""The receiver as a running server."""

import socket

import uvicorn
from starlette.types import ASGIApp

from entropy.errors import ConfigurationError

AT_ONCE = 64
"""Deliveries; each may hold its whole body in memory."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(512)
    except OSError as error:
        listening.close()
        raise ConfigurationError(f"Port {port} of {host} cannot be used: {error}; choose another.") from None
    return listening


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=AT_ONCE,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    with listening:
        uvicorn.Server(config).run(sockets=[listening])
