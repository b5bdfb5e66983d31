"""A whole installation for one story: Redis, the forge, workers, beat and reaper as real processes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from github import Auth, Github
from github.Issue import Issue
from github.Repository import Repository

from entropy.cli.demo.processes import Child, Children, Spawn
from entropy.cli.demo.signals import Interruption
from entropy.forge.faults import Faults
from entropy.settings import RedisSettings, inherited
from entropy.state.announcements import Announcement, Announcements
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from tests.forge_server import ForgeServer, running_forge
from tests.redis_server import running_redis

ROLES = ("coder", "reviewer", "merger")
CONTROL = ",".join([*(f"{role}.control" for role in ROLES), "scheduling"])
SANDBOX = ",".join(ROLES)
NAME = "acme/widgets"


CELERY = (sys.executable, "-m", "celery", "-q", "-A", "entropy")


class Cluster:
    """The processes, and a person's view of the forge."""

    def __init__(self, folder: Path, redis_url: str, forge: ForgeServer, children: Children) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.forge = forge
        self.children = children
        self.started: dict[str, Child] = {}
        self._connection = RedisConnection(RedisSettings(url=redis_url))
        self.announcements = Announcements(self._connection, Keys("entropy"))

    # -- processes -------------------------------------------------------------------------------------------------

    def shared(self) -> dict[str, str]:
        """What every process is told."""
        return {
            **inherited("PATH", "LANG"),
            "ENTROPY_REDIS__URL": self.redis_url,
            "ENTROPY_SCHEDULING__INTERVAL": "1",
            "ENTROPY_SCHEDULING__LEASE": "2",
            "ENTROPY_SCHEDULING__REAPER_INTERVAL": "0.5",
            "ENTROPY_SCHEDULING__DISPATCH_GRACE": "10",
        }

    def control(self) -> dict[str, str]:
        """What holds credentials and no sandbox."""
        return {
            **self.shared(),
            "ENTROPY_GITHUB__API": self.forge.api,
            "ENTROPY_GITHUB__LIMITS__WRITES_PER_MINUTE": "100000",
            "ENTROPY_GITHUB__LIMITS__CONTENT_PER_HOUR": "100000",
            "ENTROPY_GITHUB__LIMITS__BUDGET": "false",
            "ENTROPY_GITHUB__REPOSITORIES": NAME,
            "ENTROPY_SECRETS__DIRECTORY": str(self.folder / "secrets"),
            "ENTROPY_REPOSITORY__CACHE": str(self.folder / "mirrors"),
        }

    def sandbox(self) -> dict[str, str]:
        """What runs untrusted work and holds no credential."""
        binds = (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
        return {
            **self.shared(),
            "ENTROPY_SANDBOX__BACKEND": "bubblewrap",
            "ENTROPY_SANDBOX__DIRECTORY": str(self.folder / "sandboxes"),
            "ENTROPY_SANDBOX__BINDS": ",".join(map(str, binds)),
            "ENTROPY_SANDBOX__PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
            "ENTROPY_SANDBOX__TIMEOUT": "120",
        }

    def start(self, name: str, *arguments: str, environment: Mapping[str, str]) -> Child:
        self.started[name] = self.children.start(name, [*CELERY, *arguments], environment=environment)
        return self.started[name]

    def worker(self, name: str, queues: str | None, environment: Mapping[str, str]) -> Child:
        chosen = ["-Q", queues] if queues else []
        alone = ("--without-mingle", "--without-gossip")  # they cost a second at every start
        return self.start(name, "worker", "-n", f"{name}@test", "-c", "2", *alone, *chosen, environment=environment)

    def beat(self) -> Child:
        return self.start("beat", "beat", environment=self.shared())

    def reaper(self) -> Child:
        return self.start("reaper", "reaper", environment=self.shared())

    def split(self) -> None:
        """The recommended installation: two kinds of worker, beat, reaper."""
        self.worker("control", CONTROL, self.control())
        self.worker("sandbox", SANDBOX, self.sandbox())
        self.beat()
        self.reaper()

    def forget(self) -> None:
        """Redis loses everything that it holds."""
        self._connection.redis.flushall()

    def celery(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a celery command to its end, as a user types it."""
        return subprocess.run(
            [*CELERY, *arguments],
            env=dict(environment or self.control()),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def python(self, code: str, *arguments: str, environment: Mapping[str, str]) -> str:
        """Run a script as a user does in a Python shell; returns what it printed."""
        argv = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(
            argv, env=dict(environment), cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log(self, name: str) -> list[dict[str, object]]:
        """The lines a process logged."""
        text = (self.folder / "logs" / f"{name}.log").read_text()
        whole = text[: text.rfind("\n") + 1]  # the last line may be on its way
        return [json.loads(line) for line in whole.splitlines() if line.strip()]

    # -- waiting ---------------------------------------------------------------------------------------------------

    def until(self, true: Callable[[], object], *, what: str, seconds: float = 60) -> None:
        """Look at each announcement, and at least every half second, whether `true` is true."""
        deadline = time.monotonic() + seconds
        for _ in self.announcements.listen(timeout=0.5):
            self.children.check()
            if true():
                return
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s\n{self.children.tails(30)}"

    def hear(
        self, wanted: Callable[[Announcement], bool], *, after: Callable[[], object], seconds: float = 30
    ) -> Announcement:
        """Do `after` once the channel is open; return the first announcement that is wanted."""
        deadline = time.monotonic() + seconds
        channel = self.announcements.listen(timeout=0.05)
        next(channel)
        after()
        for told in channel:
            if told is not None and wanted(told):
                channel.close()
                return told
            assert time.monotonic() < deadline, f"nothing of the kind heard\n{self.children.tails(30)}"
        raise AssertionError("the channel closed")

    # -- the forge as a person sees it -----------------------------------------------------------------------------

    @property
    def repository(self) -> Repository:
        return self._person().get_repo(NAME)

    def as_person(self, login: str) -> Repository:
        """The repository as somebody else than the owner sees it; their token stands in the folder of secrets."""
        return self._person(login).get_repo(NAME)

    def _person(self, login: str = "ada") -> Github:
        token = (self.folder / "secrets" / login).read_text()
        return Github(auth=Auth.Token(token), base_url=self.forge.api, retry=None, seconds_between_writes=0)

    def file_issue(self, title: str, *labels: str) -> Issue:
        return self.repository.create_issue(title, body="Please.", labels=list(labels))

    def comments(self, number: int) -> list[tuple[str, str]]:
        return [(comment.user.login, comment.body) for comment in self.repository.get_issue(number).get_comments()]

    def labels(self, number: int) -> set[str]:
        return {label.name for label in self.repository.get_issue(number).labels}

    def merged(self) -> list[int]:
        return [pull.number for pull in self.repository.get_pulls(state="closed") if pull.merged]

    def go_wrong(self, **rule: object) -> None:
        """Have the forge answer wrongly; `rule` as its fault API takes it."""
        request = Request(
            f"{self.forge.url}/_faults", json.dumps([rule]).encode(), {"Content-Type": "application/json"}
        )
        urlopen(request, timeout=10).close()

    def branches(self) -> set[str]:
        return {branch.name for branch in self.repository.get_branches()}

    def push(self, files: Mapping[str, str], *, branch: str) -> None:
        """Commit and push as the person, with ordinary git."""
        clone = self.folder / f"clone-{len(list(self.folder.glob('clone-*')))}"
        token = (self.folder / "secrets" / "ada").read_text()
        git("clone", "-q", self.forge.remote(NAME, token), str(clone), at=self.folder)
        git("checkout", "-q", "-B", branch, at=clone)
        for path, content in files.items():
            (clone / path).write_text(content)
        git("add", "-A", at=clone)
        git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "By hand", at=clone)
        git("push", "-q", "origin", branch, at=clone)

    def close(self) -> None:
        self._connection.close()


def git(*arguments: str, at: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=at, check=True, timeout=30, capture_output=True, text=True).stdout


def seed(forge: ForgeServer, folder: Path, tree: Path) -> None:
    """One repository, one identity for each role, one person."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    forge.store.import_repository(tree, NAME)
    for login, permission, file in (
        ("entropy-coder", "write", "coder_github_token"),
        ("entropy-reviewer", "write", "reviewer_github_token"),
        ("entropy-merger", "write", "merger_github_token"),
        ("entropy-scheduler", "read", "scheduler_github_token"),
        ("ada", "admin", "ada"),
    ):
        token = forge.store.add_user(login)
        forge.store.add_collaborator(NAME, login, permission)
        path = secrets / file
        path.touch(mode=0o600)
        path.write_text(token)


@contextmanager
def running_cluster(folder: Path, tree: Path, *, spawn: Spawn) -> Iterator[Cluster]:
    """Redis and forge are up, nothing else; all processes end with the ``with``."""
    (folder / "redis").mkdir()
    with running_redis(folder / "redis") as redis_url, running_forge(folder, wrap=Faults) as forge:
        seed(forge, folder, tree)
        with Children(folder, Interruption(), spawn=spawn) as children:
            cluster = Cluster(folder, redis_url, forge, children)
            try:
                yield cluster
            finally:
                cluster.close()
