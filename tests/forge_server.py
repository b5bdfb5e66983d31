"""The embedded forge, running in a thread of the test, over a folder of its own."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from entropy.forge.app import make_app
from entropy.forge.serving import AnnouncingServer, address, bind
from entropy.forge.store import Store

DEADLINE = 30
"""Seconds a start or an end may take."""


@dataclass(frozen=True)
class ForgeServer:
    url: str
    api: str
    data: Path
    store: Store

    def remote(self, full_name: str, token: str = "", login: str = "x-access-token") -> str:
        """The repository's git address, with the token in it where one is given."""
        return f"{self.url.replace('://', f'://{login}:{token}@') if token else self.url}/{full_name}.git"


@contextlib.contextmanager
def running_forge(tmp_path: Path, *, wrap: Callable[[ASGIApp], ASGIApp] | None = None) -> Iterator[ForgeServer]:
    """A forge at ``tmp_path / "forge"``; `wrap` lays an ASGI middleware around it."""
    data = tmp_path / "forge"
    app = make_app(data)
    listening, answers = bind(), threading.Event()
    server = AnnouncingServer(wrap(app) if wrap else app, answers.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="forge")
    url = address(listening)
    thread.start()
    try:
        assert answers.wait(DEADLINE), "the forge does not start"
        yield ForgeServer(url=url, api=f"{url}/api/v3", data=data, store=app.state.store)
    finally:
        server.should_exit = True
        thread.join(DEADLINE)
        listening.close()
        app.state.store.close()
        assert not thread.is_alive(), "the forge does not end"
