"""What a large repository costs on its way into a sandbox: seconds, and the memory of the process at its peak."""

import contextlib
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from entropy.models import WorkItem
from entropy.repository.mirror import Mirror
from entropy.sandbox.factory import make_backend
from entropy.sections import ArtifactSettings, SandboxSettings
from entropy.settings import RedisSettings, RepositorySettings, SchedulingSettings, inherited
from entropy.state.artifacts import Artifacts
from entropy.state.compression import pack, unpack
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from entropy.state.objects import Objects
from entropy.state.runs import Runs
from entropy.state.snapshots import Snapshots
from tests.redis_server import running_redis

MIB = 2**20
KEYS = Keys("bench")
SOURCE = "bench/large@main"


class Repository(NamedTuple):
    files: int
    mib: int


class Place(NamedTuple):
    """Where a phase finds what the one before has left."""

    folder: Path
    redis: str
    mib: int

    def mirror(self) -> Mirror:
        settings = RepositorySettings(cache=self.folder / "cache", snapshot_mib=2 * self.mib + 64)
        return Mirror(settings, url=f"file://{self.folder / 'origin.git'}", token=None, protocols=("file",))

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[io.BufferedRandom]:
        path = self.folder / name
        path.touch()
        with path.open("r+b") as file:
            yield file

    @contextlib.contextmanager
    def connected(self) -> Iterator[tuple[RedisConnection, Objects, str]]:
        """Redis, what lies in a folder beside it, and the run that it is for."""
        connection = RedisConnection(RedisSettings(url=self.redis))
        objects = Objects(connection, KEYS, ArtifactSettings(url=str(self.folder / "artifacts")))
        run = Runs(connection, KEYS, SchedulingSettings()).admit(WorkItem(repository="bench/large", number=1), "coder")[
            1
        ]
        yield connection, objects, run
        connection.close()


def fetch(place: Place) -> None:
    """The mirror's first fetch of everything."""
    place.mirror().fetch()


def archive(place: Place) -> None:
    """From the mirror to a tar."""
    with place.open("tree.tar") as tree:
        place.mirror().snapshot("main", into=tree)


def store(place: Place) -> None:
    """From the tar, packed, to the store: a folder."""
    with (
        place.connected() as (connection, objects, run),
        place.open("tree.tar") as tree,
        place.open("packed") as packed,
    ):
        pack(tree, packed)
        Snapshots(connection, KEYS, objects, keep=3600).share(run, SOURCE, packed)


def load(place: Place) -> None:
    """From the store to a tar."""
    with place.connected() as (connection, objects, run), place.open("loaded") as packed, place.open("tree.2") as tree:
        digest = Snapshots(connection, KEYS, objects, keep=3600).find(run, SOURCE)
        Artifacts(connection, KEYS, objects).read(run, digest or "", into=packed)
        unpack(packed, tree, limit=4 * place.mib * MIB + 64 * MIB, remedy="measure less")


def put(place: Place) -> None:
    """From the tar into a sandbox, by bubblewrap."""
    sizes = {"workspace_mib": 2 * place.mib + 64, "memory_mib": 8 * place.mib + 1024, "inodes": 1_000_000}
    settings = SandboxSettings.model_validate(
        {"backend": "bubblewrap", "directory": place.folder / "sandboxes", "timeout": 3600, **sizes}
    )
    with make_backend(settings).open("bench") as sandbox, place.open("tree.2") as tree:
        sandbox.put(tree)
        if b"1" not in sandbox.exec(["sh", "-c", "test -d folder0 && echo 1"]).stdout.encode():
            raise AssertionError("the tree did not arrive")


PHASES: dict[str, Callable[[Place], None]] = {phase.__name__: phase for phase in (fetch, archive, store, load, put)}


def moved(repository: Repository) -> dict[str, Any]:
    """One row."""
    with tempfile.TemporaryDirectory(prefix="entropy-bench-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        (place / "redis").mkdir()
        _say(f"making {repository.files} files of {repository.mib} MiB in all")
        _make(repository, place / "origin.git")
        row: dict[str, Any] = {"files": repository.files, "mib": repository.mib, "phases": {}}
        with running_redis(place / "redis") as redis:
            for phase in ("nothing", *PHASES):
                _say(phase)
                row["phases"][phase] = _measured(phase, Place(place, redis, repository.mib))
        row["tar_mib"] = _mib(place / "tree.tar")
        row["packed_mib"] = _mib(place / "packed")
    idle = row["phases"].pop("nothing")["peak_mib"]
    for facts in row["phases"].values():
        facts["share_of_tree"] = round((facts["peak_mib"] - idle) / row["tar_mib"], 3)
    return row | {"idle_mib": idle}


def _measured(phase: str, place: Place) -> dict[str, Any]:
    """In a process of its own, whose memory is this phase's."""
    argv = [sys.executable, "-m", "tests.bench.snapshots", phase, str(place.folder), place.redis, str(place.mib)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _peak_mib() -> float:
    """Of this process since it began to run its own program; not what the one had that started it."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return round(int(line.split()[1]) / 1024, 1)


def _make(repository: Repository, folder: Path) -> None:
    """A bare repository with one commit; its content packs to half."""
    environment = inherited("PATH")
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", folder], check=True, env=environment)
    words = ["git", "-c", "core.compression=1", "fast-import", "--quiet"]
    with subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.PIPE) as importer:
        if importer.stdin is None:
            raise AssertionError("there is no pipe")
        importer.stdin.write(b"commit refs/heads/main\ncommitter B <b@example.org> 1 +0000\ndata 1\nx\n")
        chance, size = random.Random(1), repository.mib * MIB // repository.files // 2
        for number in range(repository.files):
            content = chance.randbytes(size).hex().encode()
            importer.stdin.write(b"M 100644 inline folder%d/%d.txt\n" % (number // 200, number))
            importer.stdin.write(b"data %d\n%s\n" % (len(content), content))
        importer.stdin.close()


def _mib(path: Path) -> float:
    return round(path.stat().st_size / MIB, 1)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(phase: str, folder: str, redis: str, mib: str) -> None:
    begin = time.monotonic()
    if phase in PHASES:
        PHASES[phase](Place(Path(folder), redis, int(mib)))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    facts = {"seconds": round(time.monotonic() - begin, 2), "peak_mib": _peak_mib(), "children_mib": round(children, 1)}
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
