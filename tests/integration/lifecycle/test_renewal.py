"""The heartbeat of a stage and its interrupt, which may come at the worst moment."""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from billiard.pool import soft_timeout_sighandler

from entropy.lifecycle.renewal import Draining, Renewal
from entropy.models import Envelope, Stage, WorkItem
from entropy.settings import RedisSettings, SchedulingSettings
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from entropy.state.runs import Runs

LEASE = 0.06
PERIOD = LEASE / 3

pytestmark = pytest.mark.redis


@pytest.fixture
def runs(redis_url: str) -> Iterator[Runs]:
    connection = RedisConnection(RedisSettings(url=redis_url))
    yield Runs(connection, Keys("test"), SchedulingSettings())
    connection.close()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As in a child of Celery's pool."""
    before = signal.signal(signal.SIGUSR1, soft_timeout_sighandler)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def draining() -> Iterator[None]:
    Draining.begin()
    yield
    Draining._shared[0] = 0


@pytest.mark.usefixtures("interruptible", "draining")
def test_an_interrupt_that_meets_the_end_of_a_stage_leaves_no_heart_beating(runs: Runs) -> None:
    """Three hundred stages of a worker that is to end are over at about the moment at which it notices."""
    _, run_id = runs.admit(WorkItem(repository="acme/widgets", number=12), "coder")
    _, lease = runs.begin(Envelope(run_id, 1), Stage.INITIALIZE)
    assert lease is not None
    lease = lease._replace(run=lease.run.evolve(stage=Stage.EXECUTE))
    dice, interrupted = random.Random(1), 0
    for _ in range(300):
        ended = False
        with contextlib.suppress(SoftTimeLimitExceeded), Renewal(lease, runs, lease_seconds=LEASE):
            time.sleep(PERIOD + dice.uniform(-0.0005, 0.001))
            ended = True
        interrupted += not ended
        for thread in [thread for thread in threading.enumerate() if thread.name == "lease"]:
            thread.join(1)
            assert not thread.is_alive()
    assert 0 < interrupted < 300, "both ways were taken"
