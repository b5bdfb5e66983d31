"""Intents, against a real Redis: each outside write once, and never by a generation that is over."""

import pytest

from entropy.errors import StaleGeneration, StateUnavailable
from entropy.models import WorkItem
from entropy.settings import RedisSettings
from entropy.state.connection import RedisConnection
from entropy.state.holds import Holds
from entropy.state.intents import Intents
from entropy.state.runs import Runs
from tests.integration.state.conftest import KEYS

ITEM = WorkItem(repository="acme/widgets", number=12)


def test_a_write_is_made_once_and_its_result_is_remembered(connection: RedisConnection, runs: Runs) -> None:
    run = runs.get(runs.admit(ITEM, "coder")[1])
    points: list[str] = []
    intents, made = Intents(connection, KEYS, reached=points.append), []

    def act() -> str:
        made.append(1)
        return f"#{len(made)}"

    assert [intents.once(run, "pull_request", act) for _ in range(3)] == ["#1"] * 3
    assert points[:4] == ["pull_request.intend", "pull_request.act", "pull_request.record", "pull_request.recorded"]
    assert intents.of(run.id) == {"pull_request": "#1"}
    intents.drop(run.id)
    assert intents.of(run.id) == {}


def test_a_write_that_failed_is_made_again(connection: RedisConnection, runs: Runs) -> None:
    run = runs.get(runs.admit(ITEM, "coder")[1])
    intents = Intents(connection, KEYS)
    with pytest.raises(ZeroDivisionError):
        intents.once(run, "push", lambda: str(1 // 0))
    assert intents.of(run.id) == {"push": ""}
    assert intents.once(run, "push", lambda: "done") == "done"


def test_an_old_generation_writes_nothing(connection: RedisConnection, runs: Runs) -> None:
    run = runs.get(runs.admit(ITEM, "coder")[1])
    runs.intervene(run, run)
    made: list[str] = []
    with pytest.raises(StaleGeneration):
        Intents(connection, KEYS).once(run, "merge", lambda: made.append("merged") or "x")
    connection.redis.delete(KEYS.run(run.id))
    with pytest.raises(StaleGeneration):
        Intents(connection, KEYS).once(run, "merge", lambda: made.append("merged") or "x")
    assert made == []


def test_a_tick_too_soon_is_not_due(connection: RedisConnection) -> None:
    holds = Holds(connection, KEYS, first=10)
    assert [holds.due(60), holds.due(60)] == [True, False]


def test_a_worker_waits_for_redis_and_a_person_is_told_soon() -> None:
    connection = RedisConnection(RedisSettings(url="redis://127.0.0.1:1/0"), patience=2)
    assert connection.redis.get_retry().get_retries() == 4
    with pytest.raises(StateUnavailable):
        connection.now()
    connection.close()
