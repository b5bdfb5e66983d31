"""The installation whose workers die."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from github.Repository import Repository

from entropy.cli.demo.processes import Child, Children
from entropy.cli.demo.signals import Interruption
from entropy.state.connection import text
from entropy.state.keys import Keys
from tests.chaos.work import Task, seed
from tests.e2e.cluster import CONTROL, SANDBOX, Cluster
from tests.forge_server import running_forge
from tests.redis_server import running_redis
from tests.services import require

KEYS = Keys("entropy")
ABOUT_RUNS = {"run", "live", "finished", "active", "claim", "hold", "idle", "artifacts", "intents"}
ROOT = Path(__file__).parents[2]
HOME = "acme/chaos-0"
HURRY = {
    "ENTROPY_SCHEDULING__LEASE": "2",
    "ENTROPY_SCHEDULING__DISPATCH_GRACE": "4",
    "ENTROPY_SCHEDULING__CAPACITY": "12",
    "ENTROPY_SCHEDULING__CAPACITY_PER_REPOSITORY": "12",
}


class DyingCluster(Cluster):
    """A cluster whose workers run the app of this folder."""

    def dying_worker(self, name: str, queues: str, environment: dict[str, str], *, slots: int) -> Child:
        more = {"CRASH_FOLDER": str(self.folder / "crash"), "PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-m", "celery", "-q", "-A", "tests.crash.app", "worker"]
        argv += ["-n", f"{name}@test", "-c", str(slots), "-Q", queues, "--without-mingle", "--without-gossip"]
        self.started[name] = self.children.start(name, argv, environment=environment | HURRY | more)
        return self.started[name]

    @property
    def repository(self) -> Repository:
        return self._person().get_repo(HOME)

    def left(self) -> set[str]:
        """What Redis still holds of runs, apart from the records of those that are over."""
        redis = self._connection.redis
        keys = {text(key) for key in redis.scan_iter("entropy:*", count=1000)}
        ours = {key for key in keys if key.split(":")[1] in ABOUT_RUNS}
        return {
            key for key in ours if key != KEYS.finished and not (key.startswith(KEYS.run("")) and redis.ttl(key) > 0)
        }


@contextmanager
def dying_cluster(
    folder: Path, work: tuple[Task, ...], *, more: Mapping[str, str] | None = None
) -> Iterator[DyingCluster]:
    """Everything runs, and the coder's label is on every issue of `work`."""
    require(shutil.which("bwrap"), "bubblewrap (bwrap)")
    (folder / "redis").mkdir()
    for name in ("seen", "died", "items"):
        (folder / "crash" / name).mkdir(parents=True)
    with running_redis(folder / "redis") as redis_url, running_forge(folder) as forge:
        seed(forge.store, folder / "secrets", work, trigger="entropy:code")
        with Children(folder, Interruption()) as children:
            cluster = DyingCluster(folder, redis_url, forge, children)
            repositories = {"ENTROPY_GITHUB__REPOSITORIES": HOME}
            cluster.dying_worker("control", CONTROL, cluster.control() | repositories | (more or {}), slots=3)
            cluster.dying_worker("sandbox", SANDBOX, cluster.sandbox() | (more or {}), slots=2)
            cluster.beat()
            cluster.reaper()
            try:
                yield cluster
            finally:
                cluster.close()
