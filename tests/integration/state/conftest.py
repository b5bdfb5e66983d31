from collections.abc import Iterator

import pytest

from entropy.settings import RedisSettings, SchedulingSettings
from entropy.state.claims import Claims
from entropy.state.connection import Connection
from entropy.state.keys import Keys
from entropy.state.runs import Runs

KEYS = Keys("test")


@pytest.fixture
def connection(redis_url: str) -> Iterator[Connection]:
    connection = Connection(RedisSettings(url=redis_url))
    yield connection
    connection.close()


@pytest.fixture
def runs(connection: Connection) -> Runs:
    return Runs(
        connection, KEYS, SchedulingSettings(capacity=3, capacity_per_repository=2, lease=0.3, dispatch_grace=0.3)
    )


@pytest.fixture
def claims(connection: Connection) -> Claims:
    return Claims(connection, KEYS)
