"""A server between our client and any forge: passes everything on, and writes down every exchange with the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from tests.contract.contract import Exchange
from tests.http_server import running

PREFIX = "/api/v3"
HOP_BY_HOP = {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}


class Between(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.target = target.rstrip("/")
        self.exchanges: list[Exchange] = []

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PREFIX}"

    def place(self, path: str) -> str:
        """The same place at the target; GraphQL stands beside the REST root of a server, below that of github.com."""
        if path.startswith(PREFIX):
            return self.target + path.removeprefix(PREFIX)
        return self.target.removesuffix("/v3") + "/graphql"

    def own(self, text: str) -> str:
        """What points to the target, pointing here: the client goes to no other address."""
        return text.replace(self.target, self.api)


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Between

    def pass_on(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", *HOP_BY_HOP}}
        place = self.server.place(self.path)
        answer = requests.request(
            self.command, place, headers=headers, data=sent, allow_redirects=False, timeout=30, auth=lambda asked: asked
        )
        if self.path.startswith(PREFIX):
            self._note(sent, answer)
        body = self.server.own(answer.content.decode()).encode()
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, self.server.own(value))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = pass_on

    def log_message(self, format: str, *arguments: object) -> None:
        return

    def _note(self, sent: bytes, answer: requests.Response) -> None:
        path, _, query = self.path.removeprefix(PREFIX).partition("?")
        kind = answer.headers.get("content-type", "")
        self.server.exchanges.append(
            Exchange(self.command, path, query, sent, answer.status_code, kind, answer.content)
        )


@contextmanager
def between(target: str) -> Iterator[Between]:
    with running(Between(target)) as server:
        yield server
