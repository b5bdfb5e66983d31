"""The schedule of blows: seeded, some at random intervals, some once when a share of the work is done."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from tests.chaos.installation import Installation
from tests.chaos.record import Strike
from tests.chaos.supervisor import Service, children_of, signal_group

RECURRING = {
    "worker main": 4,
    "pool child": 4,
    "worker group": 3,
    "freeze": 2,
    "reaper": 1,
    "beat": 1,
}
"""How often each comes relative to the others."""

RECEIVER = {"receiver": 1, "receiver away": 1}
"""The same for the receiver of webhooks, with dice of its own: it is struck besides the others, not in their place."""
SELDOM = 5
"""So many times as long as between two other blows passes between two at the receiver."""

ONCE = (
    (0.15, "redis kill"),
    (0.35, "redis flush"),
    (0.55, "redis outage"),
    (0.7, "rolling restart"),
    (0.8, "redis kill"),
)
"""After which share of the work each comes."""

OUTAGE = 30.0
AWAY = 5.0
"""Seconds without a receiver."""

WRITES = ("POST", "PUT", "PATCH", "DELETE")
API = "^/api/v3/repos/"
FORGE = (
    *(("502_after_applying", method, API, 0.03, 0) for method in WRITES),
    *(("drop_connection", method, API, 0.01, 0) for method in WRITES),
    ("502_after_applying", "POST", "git-receive-pack$", 0.03, 0),
    ("502_before", "", API, 0.005, 0),
    ("403_secondary", "", API, 0.005, 1),
    ("429", "", API, 0.005, 1),
    ("hang", "POST", API, 0.003, 17),  # longer than the client waits
    ("stale_list", "GET", API, 0.1, 1.5),  # a replica that lags behind
)
"""Effect, method, path, probability, seconds."""

WEBHOOKS = {"webhook lost": ("lose_webhook", 0.2), "webhook doubled": ("double_webhook", 0.1)}
"""What becomes of each webhook on its way: effect, probability."""

EACH = frozenset([*RECURRING, *RECEIVER, *WEBHOOKS])
"""All that comes again and again."""


class Pace(NamedTuple):
    """Mean seconds between two blows, how long a freeze lasts, and what there is of each."""

    mean: float = 6.0
    freeze: float = 15.0
    recurring: frozenset[str] = EACH
    once: tuple[tuple[float, str], ...] = ONCE
    forge: bool = True
    """Whether the forge's answers go wrong too."""


class Recurrence:
    """Blows at random intervals."""

    def __init__(self, weights: Mapping[str, int], mean: float, dice: random.Random) -> None:
        self._weights = weights
        self._mean = mean
        self._dice = dice
        self._next = time.monotonic() + self._pause()

    def due(self) -> str | None:
        """The next, if it is time for it."""
        if not self._weights or time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + self._pause()
        return self._dice.choices(list(self._weights), list(self._weights.values()))[0]

    def _pause(self) -> float:
        return self._dice.expovariate(1 / self._mean) if self._mean else 0


class Schedule:
    """Deals out the blows; `strike_when_due` is called again and again."""

    def __init__(self, installation: Installation, pace: Pace, seed: int) -> None:
        self._there = installation
        self._pace = pace
        self._random = random.Random(seed)
        self._pending = list(pace.once)
        self._thaws: list[tuple[float, Service, int]] = []
        self._rolling: list[tuple[Service, int]] = []
        self.strikes: list[Strike] = []
        self._recurring = [
            Recurrence(_chosen(RECURRING, pace), pace.mean, self._random),
            Recurrence(_chosen(RECEIVER, pace), pace.mean * SELDOM, random.Random(f"receiver {seed}")),
        ]
        self._blows: dict[str, Callable[[], Strike | None]] = {
            "worker main": self._worker_main,
            "pool child": self._pool_child,
            "worker group": self._worker_group,
            "freeze": self._freeze,
            "reaper": lambda: self._one("reaper", ("reaper-0", "reaper-1")),
            "beat": lambda: self._one("beat", ("beat",)),
            "receiver": lambda: self._receiver("receiver", 0),
            "receiver away": lambda: self._receiver("receiver away", AWAY),
            "redis kill": lambda: self._down("redis", "redis kill", 0),
            "redis outage": lambda: self._down("redis", "redis outage", OUTAGE),
            "redis flush": self._flush,
            "everything": self._everything,
            "rolling restart": self._roll,
        }

    def strike_when_due(self, share_done: float) -> Strike | None:
        """Thaw what has been frozen long enough; deal the next blow if it is time."""
        self.thaw(time.monotonic())
        self._roll_on()
        if self._pending and share_done >= self._pending[0][0]:
            return self._deal(self._pending.pop(0)[1])
        name = next(filter(None, (recurrence.due() for recurrence in self._recurring)), None)
        return self._deal(name) if name else None

    def thaw(self, now: float = float("inf")) -> None:
        """Let go on what was frozen until `now`."""
        for due, service, pid in [entry for entry in self._thaws if entry[0] <= now]:
            if service.pid == pid:
                signal_group(pid, signal.SIGCONT)
            service.frozen = False
            self._thaws.remove((due, service, pid))

    def _deal(self, name: str) -> Strike | None:
        strike = self._blows[name]()
        if strike is not None:
            self.strikes.append(strike)
        return strike

    def _victim(self) -> Service | None:
        alive = [worker for worker in self._there.workers() if worker.pid and not worker.frozen]
        return self._random.choice(alive) if alive else None

    def _worker_main(self) -> Strike | None:
        victim = self._victim()
        if victim is None:
            return None
        pids = frozenset([victim.pid, *children_of(victim.pid)])
        victim.popen and victim.popen.kill()
        return Strike("worker main", time.time(), pids)

    def _pool_child(self) -> Strike | None:
        victim = self._victim()
        pool = sorted(children_of(victim.pid)) if victim else []
        if not pool:
            return None
        pid = self._random.choice(pool)
        _kill(pid)
        return Strike("pool child", time.time(), frozenset([pid]))

    def _worker_group(self) -> Strike | None:
        victim = self._victim()
        if victim is None:
            return None
        pids = frozenset([victim.pid, *children_of(victim.pid)])
        signal_group(victim.pid, signal.SIGKILL)
        return Strike("worker group", time.time(), pids)

    def _freeze(self) -> Strike | None:
        """Never all workers of a kind at once: then nobody could take over, and nothing would be learned."""
        victim = self._victim()
        kind = victim.name.partition("-")[0] if victim else ""
        others = [w for w in self._there.workers() if w.name.startswith(kind) and w is not victim and not w.frozen]
        if victim is None or not others:
            return None
        pids = frozenset([victim.pid, *children_of(victim.pid)])
        signal_group(victim.pid, signal.SIGSTOP)
        victim.frozen = True
        self._thaws.append((time.monotonic() + self._pace.freeze, victim, victim.pid))
        return Strike("freeze", time.time(), pids, time.time() + self._pace.freeze)

    def _one(self, kind: str, names: tuple[str, ...]) -> Strike | None:
        service = self._there.supervisor.services.get(self._random.choice(names))
        if service is None or service.popen is None:
            return None
        service.popen.kill()
        return Strike(kind, time.time())

    def _receiver(self, kind: str, seconds: float) -> Strike | None:
        """Not while it starts, or hardly any webhook would arrive."""
        return self._down("receiver", kind, seconds) if self._there.receiver_answers() else None

    def _down(self, name: str, kind: str, seconds: float) -> Strike:
        service = self._there.supervisor.services[name]
        service.down_until = time.monotonic() + seconds
        if service.popen is not None:
            service.popen.kill()
            service.popen.wait()
        return Strike(kind, time.time(), until=time.time() + seconds + 1)

    def _everything(self) -> Strike:
        """All that is ours at once: workers, reapers, beat, receiver and Redis."""
        pids = {pid for worker in self._there.workers() if worker.pid for pid in (worker.pid, *children_of(worker.pid))}
        for name, service in self._there.supervisor.services.items():
            if name != "forge":
                signal_group(service.pid, signal.SIGKILL)
        return Strike("everything", time.time(), frozenset(pids))

    def _roll(self) -> Strike:
        """Each worker is asked to end once the one before is up again."""
        self._rolling = [(worker, worker.starts) for worker in self._there.workers()]
        if self._rolling:
            _ask_to_end(self._rolling[0][0])
        return Strike("rolling restart", time.time())

    def _roll_on(self) -> None:
        if self._rolling and self._rolling[0][0].starts > self._rolling[0][1]:
            self._rolling.pop(0)
            if self._rolling:
                _ask_to_end(self._rolling[0][0])

    def _flush(self) -> Strike:
        with self._there.client() as client:
            client.flushall()
        return Strike("redis flush", time.time())


def forge_faults(seed: int) -> Iterator[dict[str, object]]:
    """The forge's share of the trouble, as its fault API takes it."""
    for index, (effect, method, path, probability, seconds) in enumerate(FORGE):
        yield {
            "effect": effect,
            "method": method,
            "path": path,
            "probability": probability,
            "seed": 1000 * seed + index,
            "seconds": seconds,
        }


def webhook_faults(names: Collection[str], seed: int) -> Iterator[dict[str, object]]:
    """What becomes of webhooks, of those blows that are among `names`."""
    for index, (name, (effect, probability)) in enumerate(WEBHOOKS.items()):
        if name in names:
            yield {"effect": effect, "probability": probability, "seed": 1000 * seed + len(FORGE) + index}


def _chosen(weights: Mapping[str, int], pace: Pace) -> dict[str, int]:
    return {name: weight for name, weight in weights.items() if name in pace.recurring}


def _ask_to_end(service: Service) -> None:
    if service.pid:
        os.kill(service.pid, signal.SIGTERM)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
