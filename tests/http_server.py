"""An HTTP server of the standard library, serving in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import TypeVar

Server = TypeVar("Server", bound=HTTPServer)

POLL = 0.01
"""Seconds between two looks at whether it is to end."""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server while it answers; closed afterwards."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL}, name="server")
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
