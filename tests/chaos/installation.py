"""A whole installation of a trial: Redis, forge, workers of two kinds, two reapers, beat and receiver, as shipped."""

import json
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis

from entropy.cli.demo.redis_server import binary, free_port
from entropy.settings import inherited
from tests.chaos.supervisor import Service, Supervisor

ROLES = ("coder", "reviewer", "merger")
CONTROL = ",".join([*(f"{role}.control" for role in ROLES), "scheduling"])
SANDBOX = ",".join(ROLES)
PASSWORD = "chaos"
ROOT = Path(__file__).parents[2]
CODE = ("celeryconfig.py", "entropy", "tests")
"""What is under trial: what this file is a part of, whatever is installed."""
START = 60.0
"""Seconds that a server may take to answer."""


class Size(NamedTuple):
    """How many workers there are of each kind, and how many stages each works on at once."""

    control: int = 2
    sandbox: int = 2
    slots: int = 2

    @property
    def workers(self) -> tuple[str, ...]:
        return tuple(
            [f"control-{n}" for n in range(self.control)] + [f"sandbox-{n}" for n in range(self.sandbox)],
        )


class Installation:
    """What is started, and how to ask it. All settings but addresses and the interval of discovery are defaults."""

    def __init__(self, supervisor: Supervisor, repositories: Sequence[str], size: Size) -> None:
        self.supervisor = supervisor
        self.folder = supervisor.folder
        self.repositories = repositories
        self.size = size
        self.redis_url = f"redis://:{PASSWORD}@127.0.0.1:{free_port()}/0"
        self.forge_url = f"http://127.0.0.1:{free_port()}"
        self.receiver_url = f"http://127.0.0.1:{free_port()}"

    @property
    def celery(self) -> list[str]:
        return [sys.executable, "-m", "celery", "-q", "-A", "entropy"]

    @property
    def sandboxes(self) -> Path:
        return self.folder / "sandboxes"

    @property
    def _code(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder / "code")}

    def environment(self, *, control: bool = False, sandbox: bool = False) -> dict[str, str]:
        shared = {
            **inherited("PATH", "LANG"),
            **self._code,
            "ENTROPY_REDIS__URL": self.redis_url,
            "ENTROPY_SCHEDULING__INTERVAL": "3",
        }
        return shared | (self._control() if control else {}) | (self._sandbox() if sandbox else {})

    def _control(self) -> dict[str, str]:
        return {
            "ENTROPY_GITHUB__API": f"{self.forge_url}/api/v3",
            "ENTROPY_GITHUB__LIMITS__WRITES_PER_MINUTE": "100000",
            "ENTROPY_GITHUB__LIMITS__CONTENT_PER_HOUR": "100000",
            "ENTROPY_GITHUB__LIMITS__BUDGET": "false",
            "ENTROPY_GITHUB__REPOSITORIES": ",".join(self.repositories),
            "ENTROPY_SECRETS__DIRECTORY": str(self.folder / "secrets"),
            "ENTROPY_REPOSITORY__CACHE": str(self.folder / "mirrors"),
        }

    def _sandbox(self) -> dict[str, str]:
        return {
            "ENTROPY_SANDBOX__BACKEND": "bubblewrap",
            "ENTROPY_SANDBOX__DIRECTORY": str(self.sandboxes),
            "ENTROPY_SANDBOX__TIMEOUT": "120",
        }

    def start_servers(self) -> None:
        """Redis with an append-only file that is synced each second, and the forge with faults switched on."""
        self._lay_out()
        place = self.folder / "redis"
        place.mkdir()
        options = f"--bind 127.0.0.1 --requirepass {PASSWORD} --save --appendonly yes --appendfsync everysec".split()
        options.insert(options.index("--save") + 1, "")
        port = self.redis_url.rpartition(":")[2].partition("/")[0]
        argv = [binary(), "--port", port, "--dir", str(place), *options]
        self.supervisor.add("redis", argv, inherited("PATH"))
        served = ["forge", "serve", "--data", str(self.folder / "forge"), "--port", self.forge_url.rpartition(":")[2]]
        self.supervisor.add("forge", [*self.celery, *served, "--faults"], inherited("PATH", "LANG") | self._code)
        self._wait(self.redis_answers, what="Redis")
        self._wait(self.forge_answers, what="the forge")

    def _lay_out(self) -> None:
        """Links, since metadata that lies beside the code would hide which commands are installed."""
        place = Path(self._code["PYTHONPATH"])
        place.mkdir()
        for name in CODE:
            (place / name).symlink_to(ROOT / name)

    def start_all(self) -> None:
        for name in self.size.workers:
            kind = name.partition("-")[0]
            queues = CONTROL if kind == "control" else SANDBOX
            options = ["-Q", queues, "-n", f"{name}@chaos", "-c", str(self.size.slots)]
            options += ["--without-mingle", "--without-gossip"]
            environment = self.environment(control=kind == "control", sandbox=kind == "sandbox")
            self.supervisor.add(name, [*self.celery, "worker", *options], environment)
        for name in ("reaper-0", "reaper-1"):
            self.supervisor.add(name, [*self.celery, "reaper"], self.environment(sandbox=True))
        self.supervisor.add("beat", [*self.celery, "beat", "--pidfile="], self.environment())

    def start_receiver(self) -> None:
        argv = [*self.celery, "webhooks", "--port", self.receiver_url.rpartition(":")[2]]
        self.supervisor.add("receiver", argv, self.environment(control=True))

    def start_native(self, kind: str) -> None:
        """Workers of the comparison, as many as there are otherwise; nothing else."""
        environment = self.native(kind)
        app = [sys.executable, "-m", "celery", "-q", "-A", "tests.chaos.native", "worker", "--loglevel", "INFO"]
        for name in self.size.workers:
            options = ["-n", f"{name}@chaos", "-c", str(self.size.slots), "--without-mingle", "--without-gossip"]
            self.supervisor.add(name, [*app, *options], environment)

    def native(self, kind: str) -> dict[str, str]:
        return self.environment(control=True, sandbox=True) | {"CHAOS_NATIVE": kind}

    def workers(self) -> list[Service]:
        return [self.supervisor.services[name] for name in self.size.workers if name in self.supervisor.services]

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, socket_timeout=5, socket_connect_timeout=2, decode_responses=True)

    def redis_answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def forge_answers(self) -> bool:
        try:
            self.forge("GET", "/api/v3/rate_limit")
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def receiver_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.receiver_url}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def forge(self, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(f"{self.forge_url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def faults_fired(self) -> dict[str, int]:
        """How often the forge's answers went wrong, by effect."""
        fired: Counter[str] = Counter()
        for rule in self.forge("GET", "/_faults"):
            fired[rule["effect"]] += rule["fired"]
        return dict(fired)

    def live(self) -> int | None:
        """How many runs are unfinished; None while Redis is away."""
        try:
            with self.client() as client:
                return int(client.zcard("entropy:live"))
        except redis.RedisError:
            return None

    def _wait(self, true: Callable[[], bool], *, what: str) -> None:
        if not self.supervisor.until(true, seconds=START):
            raise TimeoutError(f"{what} does not answer within {START:.0f} s")
