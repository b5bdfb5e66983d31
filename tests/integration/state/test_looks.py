"""Looks: one worker at a time reads an item, and what counts is what the last of them saw."""

import threading

import pytest

from entropy.models import WorkItem
from entropy.scheduling.heartbeat import heartbeat
from entropy.state.connection import RedisConnection
from entropy.state.looks import LEASE, Due, Looks
from entropy.state.rounds import Rounds
from entropy.state.waiting import Waiting
from tests.integration.state.conftest import KEYS

ITEM = WorkItem(repository="acme/widgets", number=1)
CODE = "entropy:code"
TRIGGERS = {CODE: "coder"}


@pytest.fixture
def looks(connection: RedisConnection) -> Looks:
    return Looks(connection, KEYS)


@pytest.fixture
def waiting(connection: RedisConnection) -> Waiting:
    return Waiting(connection, KEYS)


def taken(looks: Looks) -> Due:
    due = looks.take(ITEM)
    assert due is not None
    return due


def succeeded(looks: Looks, connection: RedisConnection) -> tuple[Due, Due]:
    """A worker that stood still beyond its lease, and the one that took the item meanwhile."""
    late = taken(looks)
    connection.redis.zadd(KEYS.looks, {str(ITEM): 0})
    return late, taken(looks)


def test_what_somebody_saw_who_was_succeeded_does_not_count(
    looks: Looks, waiting: Waiting, connection: RedisConnection
) -> None:
    late, present = succeeded(looks, connection)
    waiting.save(ITEM, [CODE], looker=present.looker)
    waiting.save(ITEM, [], looker=late.looker)
    assert [wish.item for wish in waiting.ready(ITEM.repository, TRIGGERS)] == [ITEM]
    waiting.save(ITEM, [], looker=present.looker)
    assert waiting.ready(ITEM.repository, TRIGGERS) == []


@pytest.mark.parametrize("end", [Looks.done, Looks.failed, Looks.prolong])
def test_whoever_was_succeeded_ends_nothing(looks: Looks, connection: RedisConnection, end: object) -> None:
    late, present = succeeded(looks, connection)
    before = connection.redis.zscore(KEYS.looks, str(ITEM))
    assert callable(end)
    end(looks, late)
    assert connection.redis.zscore(KEYS.looks, str(ITEM)) == before
    looks.done(present)
    assert looks.count() == 0


def test_a_look_that_takes_long_is_kept_by_its_heartbeat(looks: Looks, connection: RedisConnection) -> None:
    due, beaten = taken(looks), threading.Event()
    connection.redis.zadd(KEYS.looks, {str(ITEM): 0})  # as if the lease had nearly run out

    def beat() -> None:
        looks.prolong(due)
        beaten.set()

    with heartbeat(beat, lease=30):
        assert beaten.wait(10)
        assert looks.take() is None
    looks.done(due)
    assert looks.count() == 0


def test_a_sweep_is_kept_by_whoever_sweeps_and_by_nobody_else(connection: RedisConnection) -> None:
    rounds = Rounds(connection, KEYS)
    with rounds.sweeping() as mine:
        assert mine is not None
        connection.redis.pexpire(KEYS.sweep, 500)
        mine.prolong()
        assert connection.redis.pttl(KEYS.sweep) > LEASE / 2
        connection.redis.set(KEYS.sweep, "another", px=500)
        mine.prolong()
        assert connection.redis.pttl(KEYS.sweep) <= 500
    assert connection.redis.exists(KEYS.sweep)
