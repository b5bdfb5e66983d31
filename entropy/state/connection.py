"""The way to Redis, and the translation of its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from urllib.parse import urlsplit

import redis
from redis.backoff import ConstantBackoff
from redis.commands.core import Script
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.retry import Retry

from entropy.errors import ConfigurationError, StateUnavailable
from entropy.settings import RedisSettings

PAUSE = 0.5
"""Seconds between two tries."""


class RedisConnection:
    """One process's pool of connections to the Redis of the settings."""

    def __init__(self, settings: RedisSettings, *, patience: int = 1) -> None:
        """`patience`: for how many seconds, about, a Redis that is away is waited for.

        Whatever is sent twice by that is harmless: each of our scripts compares before it writes.
        """
        try:
            self.redis = redis.Redis.from_url(
                settings.url,
                socket_timeout=10,
                socket_connect_timeout=3,
                socket_keepalive=True,
                health_check_interval=10,
                retry=Retry(ConstantBackoff(PAUSE), int(patience / PAUSE)),
            )
        except ValueError as error:
            raise ConfigurationError(f"ENTROPY_REDIS__URL is not usable: {error}.") from None
        self.address = address(settings.url)

    def script(self, name: str) -> Script:
        """The Lua script ``lua/<name>.lua``."""
        return self.redis.register_script(files("entropy.state").joinpath("lua", f"{name}.lua").read_text("utf-8"))

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise our errors instead of Redis's."""
        try:
            yield
        except AuthenticationError:
            raise ConfigurationError(
                f"Redis at {self.address} refuses the password; check the one in ENTROPY_REDIS__URL."
            ) from None
        except ResponseError as error:
            raise StateUnavailable(f"Redis at {self.address} answers with an error: {error}") from error
        except RedisError as error:
            raise StateUnavailable(
                f"Redis at {self.address} does not answer; start it or set ENTROPY_REDIS__URL."
            ) from error

    def now(self) -> float:
        """The Redis server's clock, in seconds since the epoch."""
        with self.translated():
            seconds, micros = self.redis.time()
        return float(seconds) + float(micros) / 1_000_000

    def close(self) -> None:
        self.redis.close()


def address(url: str) -> str:
    """Host, port and database of a Redis URL, without its credentials."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}{parts.path}"


def text(value: object) -> str:
    """An answer of Redis that is a name or a number, as text; redis-py types it more widely than it is."""
    return value.decode() if isinstance(value, bytes) else str(value)


def raw(value: object) -> bytes:
    """An answer of Redis that is content, as bytes."""
    return value if isinstance(value, bytes) else str(value).encode()
