"""Snapshots: made once for each commit of a repository, lent to runs, and thrown away when nobody uses them."""

import io
import os
import time
from pathlib import Path

import pytest

from entropy.errors import StaleGeneration
from entropy.sections import ArtifactSettings
from entropy.state.connection import RedisConnection
from entropy.state.lifetimes import STRAY
from entropy.state.objects import Objects
from entropy.state.snapshots import Snapshots
from tests.integration.state.conftest import KEYS
from tests.integration.state.stores import DEPOTS, LARGE, FolderDepot, RedisDepot, read

pytestmark = pytest.mark.redis
SOURCE = "acme/widgets@" + "1" * 40


@pytest.fixture(params=["redis", "folder"])
def depot(request: pytest.FixtureRequest, connection: RedisConnection, tmp_path: Path) -> RedisDepot | FolderDepot:
    depot = DEPOTS[request.param](connection, tmp_path, "")
    assert isinstance(depot, RedisDepot | FolderDepot)
    return depot


@pytest.fixture
def folder(connection: RedisConnection, tmp_path: Path) -> FolderDepot:
    return FolderDepot(connection, tmp_path, "")


def shared(depot: RedisDepot | FolderDepot, run: str, content: bytes = LARGE) -> str:
    return depot.snapshots.share(run, SOURCE, io.BytesIO(content))


def test_a_snapshot_is_made_once_and_lent_to_every_run_that_needs_it(depot: RedisDepot | FolderDepot) -> None:
    coder, reviewer = depot.run(1), depot.run(2)
    assert depot.snapshots.find(coder, SOURCE) is None
    digest = shared(depot, coder)
    assert depot.snapshots.find(reviewer, SOURCE) == digest
    depot.artifacts.drop(coder)
    assert read(depot, reviewer, digest) == LARGE
    assert len(depot.names()) == 1


def test_it_is_not_lent_for_another_repository_or_to_a_run_that_is_over(depot: RedisDepot | FolderDepot) -> None:
    mine, theirs = depot.run(1), depot.run(2, "evil/widgets")
    digest = shared(depot, mine)
    assert depot.snapshots.find(theirs, SOURCE.replace("acme", "evil")) is None
    assert not depot.connection.redis.exists(KEYS.places(theirs))
    depot.over(mine)
    with pytest.raises(StaleGeneration):
        depot.snapshots.find(mine, SOURCE)
    depot.connection.redis.delete(KEYS.snapshot(SOURCE))
    before = depot.names()
    with pytest.raises(StaleGeneration):
        shared(depot, mine)
    assert depot.names() == before
    assert digest


def test_of_two_that_make_it_at_once_one_is_kept(depot: RedisDepot | FolderDepot) -> None:
    first, second = depot.run(1), depot.run(2)
    digest = shared(depot, first)
    assert shared(depot, second, LARGE + b"packed by another version") == digest
    assert read(depot, second, digest) == LARGE
    assert len(depot.names()) == 1


def test_it_is_kept_while_it_is_used_and_then_for_a_while(depot: RedisDepot | FolderDepot) -> None:
    run = depot.run()
    digest = shared(depot, run)
    live = depot.runs.live()
    assert depot.snapshots.sweep(live) == []
    depot.age()
    assert depot.snapshots.sweep(live) == []
    assert read(depot, run, digest) == LARGE
    depot.age()
    depot.artifacts.drop(run)
    assert depot.snapshots.find(depot.run(2), SOURCE) == digest  # lent after somebody has asked which runs are live
    assert depot.snapshots.sweep(live) == []
    depot.age()
    assert len(depot.snapshots.sweep(live)) == 1
    assert depot.names() == []
    assert depot.snapshots.find(depot.run(3), SOURCE) is None


class Meddling(Objects):
    """Somebody is lent another snapshot while one is thrown away."""

    def __init__(self, depot: FolderDepot, source: str) -> None:
        super().__init__(depot.connection, KEYS, ArtifactSettings(url=str(depot.folder)))
        self._lend = lambda: depot.snapshots.find(depot.run(9), source)

    def delete(self, place: str) -> None:
        super().delete(place)
        assert self._lend()


def test_what_is_lent_while_others_are_thrown_away_stays(folder: FolderDepot) -> None:
    run, other = folder.run(), SOURCE.replace("1", "2")
    digests = [folder.snapshots.share(run, source, io.BytesIO(LARGE)) for source in (SOURCE, other)]
    folder.connection.redis.zadd(KEYS.objects, {m: n for n, m in enumerate(_members(folder, SOURCE, other), 1)})
    sweep = Snapshots(folder.connection, KEYS, Meddling(folder, other), keep=60)
    assert len(sweep.sweep([])) == 1
    assert folder.snapshots.find(run, SOURCE) is None
    assert folder.snapshots.find(run, other) == digests[1]


def _members(depot: FolderDepot, *sources: str) -> list[bytes]:
    """The entries of the list of objects, in this order."""
    entries: list[bytes] = depot.connection.redis.zrange(KEYS.objects, 0, -1)
    return sorted(entries, key=lambda entry: sources.index(entry.decode().partition(" ")[2]))


def test_the_large_artifact_of_a_run_that_was_never_cleaned_up_goes_too(depot: RedisDepot | FolderDepot) -> None:
    depot.artifacts.put(depot.run(), LARGE)
    depot.age()
    assert depot.snapshots.sweep(depot.runs.live()) == []
    depot.age()
    assert len(depot.snapshots.sweep([])) == 1
    assert depot.names() == []


def test_it_is_made_again_when_the_store_has_lost_it(depot: RedisDepot | FolderDepot) -> None:
    run = depot.run()
    digest = shared(depot, run)
    for name in depot.names():
        depot.objects.delete(f"{'store' if isinstance(depot, FolderDepot) else 'redis'}:{name}")
    assert depot.snapshots.find(run, SOURCE) is None
    assert shared(depot, run) == digest
    assert read(depot, run, digest) == LARGE


def test_what_redis_has_forgotten_goes_when_nobody_can_be_using_it(folder: FolderDepot) -> None:
    shared(folder, folder.run())
    folder.connection.redis.flushall()
    assert folder.snapshots.sweep_strays() == []
    (file,) = folder.folder.glob("snapshots/*")
    part = file.with_name("killed.part")
    part.write_bytes(b"half")
    for path in (file, part):
        old = time.time() - STRAY - 60
        os.utime(path, (old, old))
    assert len(folder.snapshots.sweep_strays()) == 2
    assert folder.names() == []


def test_the_sweep_has_its_turn_once_for_all_workers(folder: FolderDepot) -> None:
    assert [folder.snapshots.due("snapshots", 60) for _ in range(3)] == [True, False, False]
