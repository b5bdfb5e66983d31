"""The forge as a running server, on this machine only unless told otherwise."""

import contextlib
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from entropy.forge.app import make_app
from entropy.forge.store import StoreError

HOST = "127.0.0.1"


class AnnouncingServer(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, app: ASGIApp, announce: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=5)
        )
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


def bind(port: int = 0, host: str = HOST) -> socket.socket:
    """A listening socket, on the loopback interface by default; port 0 lets the system choose."""
    # asyncio switches Nagle's delay off (40 ms for each answer) only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(512)
    except (OSError, OverflowError) as error:
        listening.close()
        raise StoreError(f"Port {port} of {host} cannot be used: {error}; choose another, or 0 for any.") from None
    return listening


def address(listening: socket.socket) -> str:
    host, port = listening.getsockname()
    return f"http://{host}:{port}"


def serve(
    data: Path,
    *,
    port: int,
    url_file: Path | None,
    say: Callable[[str], None],
    host: str = HOST,
    make: Callable[[Path], ASGIApp] = make_app,
) -> None:
    """Serve what `make` makes of the folder until SIGTERM or SIGINT, then return."""
    if url_file and not url_file.absolute().parent.is_dir():
        raise StoreError(f"The folder {url_file.parent} does not exist; make it, or write the address elsewhere.")
    listening = bind(port, host)
    url = address(listening)

    def announce() -> None:
        if url_file:
            _write(url_file, url)
        say(f"The forge answers at {url} (API {url}/api/v3, git {url}/OWNER/NAME.git); end it with Ctrl-C.")

    with contextlib.closing(listening):
        server = AnnouncingServer(make(data), announce)
        # uvicorn raises the signals again that ended it; here they have done their work.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        server.run(sockets=[listening])


def _write(path: Path, text: str) -> None:
    """All of it or nothing, for somebody who waits for the file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(f"{text}\n")
    Path(name).replace(path)
