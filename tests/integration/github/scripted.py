"""A server that answers what a test tells it to, and remembers what it was asked."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.http_server import running


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    """With the query."""
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    """By their names in lower case."""


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class Scripted(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Callable[[Asked], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.script = script
        self.asked: list[Asked] = []

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v3"

    def count(self, method: str) -> int:
        return sum(asked.method == method for asked in self.asked)


class Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path.removeprefix("/api/v3"), json.loads(sent) if sent else None, headers)
        self.server.asked.append(asked)
        answer = self.server.script(asked)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        sending = {"content-type": "application/json", **answer.headers, "content-length": str(len(body))}
        self.send_response_only(answer.status)
        for name, value in sending.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def log_message(self, format: str, *arguments: object) -> None:
        return


@contextmanager
def scripted(script: Callable[[Asked], Answer]) -> Iterator[Scripted]:
    with running(Scripted(script)) as server:
        yield server
