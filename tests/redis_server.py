"""A Redis of the tests' own."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from entropy.cli.demo.redis_server import binary, free_port
from tests.services import require


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Start a server with an append-only file in `folder`; yields its URL."""
    require(shutil.which("redis-server") or shutil.which("valkey-server"), "a Redis server (redis-server)")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir", str(folder)]
    with subprocess.Popen([binary(), *options, "--requirepass", "test"], stdout=subprocess.DEVNULL) as server:
        url = f"redis://:test@127.0.0.1:{port}/0"
        try:
            _wait(url)
            yield url
        finally:
            server.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 15
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
