"""The claim's count of tries, against a real forge and a real Redis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.lifecycle.claim import claim
from entropy.lifecycle.initialize import initialize
from entropy.models import Run, Stage, Verdict, WorkItem
from entropy.settings import Settings
from entropy.wiring import Toolbox
from tests.chaos.work import Task, seed
from tests.forge_server import running_forge

ITEM = WorkItem(repository="acme/chaos-0", number=1)

pytestmark = pytest.mark.redis


@pytest.fixture
def tools(tmp_path: Path, redis_url: str) -> Iterator[Toolbox]:
    """A control worker's toolbox; one try for each item."""
    with running_forge(tmp_path) as forge:
        seed(forge.store, tmp_path / "secrets", (Task(ITEM.repository, ITEM.number, 0),), trigger="entropy:code")
        tools = Toolbox(
            Settings.model_validate(
                {
                    "redis": {"url": redis_url},
                    "github": {"api": forge.api, "repositories": (ITEM.repository,)},
                    "secrets": {"directory": tmp_path / "secrets"},
                    "repository": {"cache": tmp_path / "mirrors"},
                    "scheduling": {"max_tries": 1},
                }
            )
        )
        yield tools
        for role in ("coder", "reviewer"):
            tools.github(role).close()
        tools.connection.close()


def claimed(tools: Toolbox, trigger: str = "entropy:code") -> Run:
    _, run_id = tools.runs.admit(ITEM, "coder", trigger=trigger)
    return claim(initialize(tools.runs.get(run_id), tools).evolve(stage=Stage.CLAIM), tools)


def test_a_run_that_does_not_know_whether_it_was_counted_is_counted_once(tools: Toolbox) -> None:
    run = claimed(tools)
    tools.intents.drop(run.id)  # as after a write whose answer never came
    again = claimed(tools)
    assert again.id == run.id
    assert again.outcome is None
    assert again.progress == run.progress
    assert again.progress is not None
    assert again.progress.count == 1


def test_another_run_on_the_same_state_is_parked_at_the_cap(tools: Toolbox) -> None:
    claimed(tools)
    tools.connection.redis.flushall()
    other = claimed(tools)
    assert other.outcome is not None
    assert other.outcome.verdict is Verdict.PARKED
