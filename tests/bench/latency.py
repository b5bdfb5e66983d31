"""From a label to its claim: a real worker, with webhooks and without."""

import math
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

from entropy.cli.demo.processes import Children
from entropy.cli.demo.signals import Interruption
from entropy.models import Stage
from entropy.settings import inherited
from tests.bench.seeding import CODER
from tests.integration.scheduling.country import Country, open_country
from tests.integration.scheduling.receiving import SECRET, deliver
from tests.redis_server import running_redis

REPOSITORIES = 5
BURST, SENDERS = 400, 8
CELERY = (sys.executable, "-m", "celery", "-q", "-A", "entropy")
QUEUES = "coder.control,scheduling"
DEADLINE = 60.0
STEP = (math.sqrt(5) - 1) / 8
"""Of an interval, from one label to the next: no part of the interval is met more often than another, and few labels
wait for the same tick, so that none waits for the work on the others."""


class Claims:
    """When a worker had the run of an item, when its claim, and when its snapshot; nobody serves what would follow."""

    def __init__(self, country: Country) -> None:
        self._country = country
        self._over = threading.Event()
        self._listens = threading.Event()
        self.seen: dict[str, float] = {}
        self.taken: dict[str, float] = {}
        self.frozen: dict[str, float] = {}
        self._thread = threading.Thread(target=self._listen, name="claims")

    def __enter__(self) -> "Claims":
        self._thread.start()
        assert self._listens.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait(self, items: list[str]) -> None:
        deadline = time.monotonic() + DEADLINE
        while missing := set(items) - self.frozen.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(missing)} of {len(items)} labels were not claimed within {DEADLINE} s")
            time.sleep(0.01)

    def _listen(self) -> None:
        for told in self._country.tools.announcements.listen(timeout=0.1):
            self._listens.set()
            for ends, moment in (
                (self.seen, (Stage.INITIALIZE, "started")),
                (self.taken, (Stage.CLAIM, "started")),  # the stage takes the claim before it does anything else
                (self.frozen, (Stage.CLAIM, "finished")),
            ):
                if told and (told.stage, told.state) == moment:
                    ends.setdefault(told.item, time.monotonic())
            if self._over.is_set():
                return


def told(labels: int) -> dict[str, Any]:
    """Webhooks arrive, and no beat falls into the time."""
    with _installation(interval=3600, receiver=True) as (country, address):
        answers: list[float] = []

        def send(repository: str, number: int) -> None:
            answers.append(_delivered(address, repository, number))

        times = _times(country, labels, pause=None, after=send)
        return {"by": "webhook", **times, "answer": _shares(answers), "answer_in_burst": _burst(address, country)}


def _burst(address: str, country: Country) -> dict[str, float]:
    """Deliveries as fast as so many senders can, of items that are not there, so that nothing else is measured."""
    numbers = range(10**6, 10**6 + BURST)
    with ThreadPoolExecutor(SENDERS) as senders:
        return _shares(list(senders.map(partial(_delivered, address, country.repositories[0]), numbers)))


def _delivered(address: str, repository: str, number: int) -> float:
    """Seconds until a delivery was answered."""
    payload = {"action": "labeled", "issue": {"number": number}, "repository": {"full_name": repository}}
    start = time.monotonic()
    status, said = deliver(address, payload, "issues", delivery=f"{repository}-{number}".replace("/", "-"))
    if status != 202:
        raise RuntimeError(said)
    return time.monotonic() - start


def polled(labels: int, interval: float) -> dict[str, Any]:
    """No webhook arrives; the times of the labels fall evenly into the interval."""
    with _installation(interval=interval, receiver=False) as (country, _):
        times = _times(country, labels, pause=interval * STEP, after=lambda *_: None)
        return {"by": "polling", "interval": interval, **times}


def _times(country: Country, labels: int, *, pause: float | None, after: Callable[[str, int], None]) -> dict[str, Any]:
    """Without a `pause` each label waits for the claim of the one before it."""
    begun: dict[str, float] = {}
    with Claims(country) as claims:
        for repository, number in _issues(country, labels + REPOSITORIES):
            country.label(repository, number)
            begun[f"{repository}#{number}"] = time.monotonic()
            after(repository, number)
            if pause is None or len(begun) <= REPOSITORIES:
                claims.wait(list(begun))
            else:
                time.sleep(pause)
        claims.wait(list(begun))
    measured = list(begun.items())[REPOSITORIES:]  # the first of each repository is the one that clones it
    told = {"run": claims.seen, "claim": claims.taken, "snapshot": claims.frozen}
    return {"labels": labels} | {
        name: _shares([ends[item] - start for item, start in measured]) for name, ends in told.items()
    }


def _issues(country: Country, count: int) -> list[tuple[str, int]]:
    homes = [country.repositories[n % REPOSITORIES] for n in range(count)]
    return [(repository, country.issue(repository)) for repository in homes]


def _shares(seconds: list[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=20, method="inclusive")
    return {"p50": round(cuts[9], 3), "p95": round(cuts[18], 3), "most": round(max(seconds), 3)}


@contextmanager
def _installation(*, interval: float, receiver: bool) -> Iterator[tuple[Country, str]]:
    with tempfile.TemporaryDirectory(prefix="entropy-bench-") as place:
        folder = Path(place)
        (folder / "redis").mkdir()
        with (
            running_redis(folder / "redis") as redis_url,
            open_country(folder, redis_url, REPOSITORIES, interval=interval) as country,
            Children(folder, Interruption()) as children,
        ):
            environment = _environment(country, folder, redis_url, interval)
            worker = ("worker", "-n", "bench@bench", "-c", "2", "--without-mingle", "--without-gossip", "-Q", QUEUES)
            children.start("worker", [*CELERY, *worker], environment=environment)
            _until(lambda: country.tools.rounds.count() == REPOSITORIES, "the worker discovers")
            if receiver:
                children.start("webhooks", [*CELERY, "webhooks", "--port", "0"], environment=environment)
            else:
                children.start("beat", [*CELERY, "beat"], environment=environment)
            log = folder / "logs" / "webhooks.log"
            _until(lambda: not receiver or "http://" in log.read_text(), "webhooks are received")
            yield country, log.read_text().partition("http://")[2].partition("/")[0] if receiver else ""


def _environment(country: Country, folder: Path, redis_url: str, interval: float) -> dict[str, str]:
    for name, value in (
        ("coder_github_token", country.forge.store.add_user(CODER)),
        ("scheduler_webhook_secret", SECRET),
    ):
        file = folder / "secrets" / name
        file.touch(mode=0o600)
        file.write_text(value)
    return {
        **inherited("PATH", "LANG"),
        "ENTROPY_REDIS__URL": redis_url,
        "ENTROPY_GITHUB__API": country.forge.api,
        "ENTROPY_GITHUB__LIMITS__WRITES_PER_MINUTE": "100000",
        "ENTROPY_GITHUB__LIMITS__CONTENT_PER_HOUR": "100000",
        "ENTROPY_GITHUB__LIMITS__BUDGET": "false",
        "ENTROPY_GITHUB__REPOSITORIES": ",".join(country.repositories),
        "ENTROPY_SECRETS__DIRECTORY": str(folder / "secrets"),
        "ENTROPY_REPOSITORY__CACHE": str(folder / "mirrors"),
        "ENTROPY_SCHEDULING__INTERVAL": str(interval),
        "ENTROPY_SCHEDULING__CAPACITY": "10000",
        "ENTROPY_SCHEDULING__CAPACITY_PER_REPOSITORY": "10000",
    }


def _until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {DEADLINE} s")
        time.sleep(0.05)
