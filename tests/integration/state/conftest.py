from collections.abc import Iterator

import pytest
from s3fs import S3FileSystem  # type: ignore[import-untyped]

from entropy.settings import RedisSettings, SchedulingSettings
from entropy.state.claims import Claims
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from entropy.state.runs import Runs
from tests.moto_server import running_moto

KEYS = Keys("test")


@pytest.fixture
def connection(redis_url: str) -> Iterator[RedisConnection]:
    connection = RedisConnection(RedisSettings(url=redis_url))
    yield connection
    connection.close()


@pytest.fixture
def runs(connection: RedisConnection) -> Runs:
    return Runs(
        connection, KEYS, SchedulingSettings(capacity=3, capacity_per_repository=2, lease=0.3, dispatch_grace=0.3)
    )


@pytest.fixture
def claims(connection: RedisConnection) -> Claims:
    return Claims(connection, KEYS)


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[str]:
    with running_moto() as address:
        files = S3FileSystem(endpoint_url=address, skip_instance_cache=True)
        files.mkdir("artifacts")
        yield address
