"""Somebody at the other end of a webhook, who checks signatures and remembers what came."""

import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.http_server import running

SECRET = "It's a secret to everybody"
DEADLINE = 20


@dataclass(frozen=True)
class Told:
    event: str
    guid: str
    headers: dict[str, str]
    payload: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.event}.{self.payload['action']}" if "action" in self.payload else self.event


@dataclass
class Listener:
    url: str = ""
    status: int = 202
    """What it answers."""
    heard: list[Told] = field(default_factory=list)
    unsigned: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, headers: dict[str, str], body: bytes) -> None:
        expected = f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
        with self._changed:
            self.unsigned += not hmac.compare_digest(headers.get("x-hub-signature-256", ""), expected)
            told = Told(headers["x-github-event"], headers["x-github-delivery"], headers, json.loads(body))
            self.heard.append(told)
            self._changed.notify_all()

    def wait(self, *names: str) -> list[Told]:
        """The first message of each of these names, which may be still to come."""
        with self._changed:
            self._changed.wait_for(lambda: {*names} <= self.names(), DEADLINE)
            missing = {*names} - self.names()
            assert not missing, (missing, self.names())
            return [next(told for told in self.heard if told.name == name) for name in names]

    def wait_count(self, name: str, count: int) -> list[Told]:
        with self._changed:
            self._changed.wait_for(lambda: len(self.of(name)) >= count, DEADLINE)
            assert len(self.of(name)) == count, [told.name for told in self.heard]
            return self.of(name)

    def names(self) -> set[str]:
        return {told.name for told in self.heard}

    def of(self, name: str) -> list[Told]:
        return [told for told in self.heard if told.name == name]


def until(condition: Any) -> None:
    """Wait for something that is about to be so."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.02)


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.note({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(listener.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads along."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        listener.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield listener
