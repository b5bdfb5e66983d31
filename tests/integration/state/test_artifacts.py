"""Artifacts small and large, in every store there is: Redis, a folder, a bucket behind a server that speaks S3."""

import hashlib
import io
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError, IllegalStep, PolicyViolation, StaleGeneration, TransientError
from entropy.sections import ArtifactSettings
from entropy.state.connection import RedisConnection
from entropy.state.objects import Objects, make_store
from tests.integration.state.conftest import KEYS
from tests.integration.state.stores import DEPOTS, KINDS, LARGE, AnyDepot, Broken, FolderDepot, read

pytestmark = pytest.mark.redis


@pytest.fixture(params=KINDS)
def depot(request: pytest.FixtureRequest, connection: RedisConnection, tmp_path: Path) -> AnyDepot:
    endpoint = request.getfixturevalue("bucket_server") if request.param == "bucket" else ""
    return DEPOTS[request.param](connection, tmp_path, endpoint)


@pytest.mark.parametrize("content", [b"\x00tree", LARGE], ids=["small", "large"])
def test_an_artifact_is_what_its_digest_says(depot: AnyDepot, content: bytes) -> None:
    run, other = depot.run(1), depot.run(2)
    digest = depot.artifacts.put(run, content)
    assert digest == hashlib.sha256(content).hexdigest() == depot.artifacts.put(run, content)
    assert depot.artifacts.get(run, digest) == read(depot, run, digest) == content
    with pytest.raises(IllegalStep, match="is gone"):
        depot.artifacts.get(other, digest)
    if content == LARGE:
        depot.spoil(depot.names()[0], b"swapped")
    else:
        assert depot.names() == []  # it lies with the run, in Redis
        depot.connection.redis.hset(KEYS.artifacts(run), digest, b"swapped")
    with pytest.raises(IllegalStep, match="not what its name says"):
        depot.artifacts.get(run, digest)


def test_artifacts_go_with_their_run_and_no_other(depot: AnyDepot) -> None:
    first, second = depot.run(1), depot.run(2)
    for run in (first, second):
        for content in (b"x", LARGE):
            depot.artifacts.put(run, content)
    wanted = depot.artifacts.put(first, LARGE + b"wanted")
    depot.artifacts.drop(first, but=wanted)
    assert depot.artifacts.get(first, wanted) == LARGE + b"wanted"
    assert len(depot.names()) == 2
    depot.artifacts.drop(first)
    assert depot.names() == [f"runs/{second}-{hashlib.sha256(LARGE).hexdigest()}"]
    assert depot.artifacts.get(second, hashlib.sha256(b"x").hexdigest()) == b"x"
    assert not depot.connection.redis.keys(f"{KEYS.artifacts(first)}*")
    assert depot.connection.redis.zcard(KEYS.objects) == 1


@pytest.mark.parametrize("content", [b"x", LARGE], ids=["small", "large"])
def test_nothing_is_kept_for_a_run_that_is_over_or_forgotten(depot: AnyDepot, content: bytes) -> None:
    over = depot.run()
    depot.over(over)
    for run in (over, "forgotten"):
        with pytest.raises(StaleGeneration):
            depot.artifacts.put(run, content)
        assert not depot.connection.redis.keys(f"{KEYS.artifacts(run)}*")
    assert depot.names() == []


def test_what_is_not_written_to_its_end_is_not_there(depot: AnyDepot) -> None:
    with pytest.raises((TransientError, OSError), match="the disk is gone"):
        depot.objects.put("runs/half", Broken(LARGE), size=len(LARGE))
    assert depot.names() == []


def test_without_a_store_redis_holds_so_much_and_no_more(connection: RedisConnection) -> None:
    objects = Objects(connection, KEYS, ArtifactSettings(redis_mib=1, small_kib=64))
    content = bytes(2**20)
    objects.put("runs/most", io.BytesIO(content), size=len(content))
    with pytest.raises(PolicyViolation, match="1 MiB that Redis is to hold; set ENTROPY_ARTIFACTS__URL"):
        objects.put("runs/more", io.BytesIO(content + b"x"), size=len(content) + 1)


def test_a_worker_without_the_store_of_the_others_says_so(connection: RedisConnection, tmp_path: Path) -> None:
    depot = FolderDepot(connection, tmp_path, "")
    run = depot.run()
    digest = depot.artifacts.put(run, LARGE)
    other = DEPOTS["redis"](connection, tmp_path, "")
    with pytest.raises(ConfigurationError, match="set ENTROPY_ARTIFACTS__URL as on the worker"):
        other.artifacts.get(run, digest)


@pytest.mark.parametrize("url", ["relative/folder", "file://relative", "https://example.org/x", "s3://", "s3:///"])
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="ENTROPY_ARTIFACTS__URL"):
        make_store(ArtifactSettings(url=url))


def test_a_bucket_that_is_not_there_or_a_server_that_is_not_are_told_apart(bucket_server: str) -> None:
    nowhere = make_store(ArtifactSettings(url="s3://nowhere/prefix", endpoint=bucket_server))
    with pytest.raises(ConfigurationError, match="There is no bucket for s3://nowhere"):
        nowhere.put("runs/x", io.BytesIO(b"x"))


def test_a_folder_that_may_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = make_store(ArtifactSettings(url=str(tmp_path / "file" / "artifacts")))
    with pytest.raises(TransientError, match="cannot be reached"):
        store.put("runs/x", io.BytesIO(b"x"))
