"""A receiver of webhooks in a thread of the test, and a sender who may do it wrongly."""

import hashlib
import hmac
import http.client
import itertools
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from entropy.forge.serving import AnnouncingServer, address, bind
from entropy.scheduling.receiver import PATH, make_app
from entropy.settings import GitHubSettings, RedisSettings, SecretSettings, Settings
from entropy.wiring import Toolbox

SECRET = "It's a Secret to Everybody"
REPOSITORY = "acme/widgets"
DEADLINE = 30


@dataclass
class Receiving:
    tools: Toolbox
    url: str
    called: list[int]
    lines: list[logging.LogRecord]
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def send(
        self, payload: Any, event: str = "issues", *, body: bytes | None = None, **headers: str | None
    ) -> tuple[int, str]:
        """Deliver as GitHub does; a header that is given as None is left out."""
        raw = json.dumps(payload).encode() if body is None else body
        wanted: dict[str, str | None] = {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": f"delivery-{next(self._ids)}",
            "x-hub-signature-256": signature(raw),
        }
        wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(raw, {name: value for name, value in wanted.items() if value is not None})

    def post(self, body: bytes | Iterator[bytes], headers: dict[str, str]) -> tuple[int, str]:
        return post(urlsplit(self.url).netloc, body, headers)

    def hinted(self) -> list[str]:
        """The items that are to be looked at; nobody looks at them here."""
        found = []
        while (due := self.tools.looks.take()) is not None:
            found.append(str(due.item))
            self.tools.looks.done(due)
        return sorted(found)


def post(address: str, body: bytes | Iterator[bytes], headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=DEADLINE)
    try:
        connection.request("POST", PATH, body, headers, encode_chunked="transfer-encoding" in headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def deliver(address: str, payload: Any, event: str, *, delivery: str) -> tuple[int, str]:
    """As GitHub does, to ``host:port``."""
    raw = json.dumps(payload).encode()
    headers = {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": signature(raw),
    }
    return post(address, raw, headers)


class Kept(logging.Handler):
    def __init__(self, lines: list[logging.LogRecord]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record)


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def settings_of(folder: Path, redis_url: str, api: str = "http://127.0.0.1:9") -> Settings:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    file = secrets / "scheduler_webhook_secret"
    file.touch(mode=0o600)
    file.write_text(SECRET)
    return Settings(
        redis=RedisSettings(url=redis_url),
        secrets=SecretSettings(directory=secrets),
        github=GitHubSettings(api=api, repositories=(REPOSITORY,)),
    )


@contextmanager
def receiving(folder: Path, redis_url: str) -> Iterator[Receiving]:
    tools = Toolbox(settings_of(folder, redis_url))
    tools.rounds.serve([REPOSITORY])
    called: list[int] = []
    lines: list[logging.LogRecord] = []
    kept, log = Kept(lines), logging.getLogger("entropy.scheduling.receiver")
    log.addHandler(kept)
    log.setLevel(logging.INFO)
    listening, answers = bind(), threading.Event()
    server = AnnouncingServer(make_app(tools, lambda: called.append(1)), answers.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="receiver")
    thread.start()
    try:
        assert answers.wait(DEADLINE), "the receiver does not start"
        yield Receiving(tools, address(listening), called, lines)
    finally:
        server.should_exit = True
        thread.join(DEADLINE)
        listening.close()
        log.removeHandler(kept)
        tools.connection.close()
        assert not thread.is_alive(), "the receiver does not end"
