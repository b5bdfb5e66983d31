"""What the reaper throws away of artifacts, and that it goes on where it may not."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.models import WorkItem
from entropy.scheduling.reaper import clear_artifacts
from entropy.settings import Settings
from entropy.state.keys import Keys
from entropy.wiring import Toolbox

pytestmark = pytest.mark.redis
KEYS = Keys("entropy")


@pytest.fixture
def tools(tmp_path: Path, redis_url: str) -> Iterator[Toolbox]:
    artifacts = {"url": str(tmp_path / "artifacts"), "small_kib": 1}
    tools = Toolbox(Settings.model_validate({"redis": {"url": redis_url}, "artifacts": artifacts}))
    yield tools
    tools.connection.close()


def left(tools: Toolbox, folder: Path) -> list[Path]:
    """The files of a snapshot that its run has given back, once the reaper has had its turn."""
    _, run = tools.runs.admit(WorkItem(repository="acme/widgets", number=1), "coder")
    tools.snapshots.share(run, "acme/widgets@1", io.BytesIO(bytes(5000)))
    tools.artifacts.drop(run)
    for member in tools.connection.redis.zrange(KEYS.objects, 0, -1):
        tools.connection.redis.zadd(KEYS.objects, {member: 1})
    clear_artifacts(tools)
    return list((folder / "artifacts").glob("*/*"))


def test_what_nobody_has_used_for_long_goes_once_it_is_looked_for(tools: Toolbox, tmp_path: Path) -> None:
    assert left(tools, tmp_path) == []
    assert len(left(tools, tmp_path)) == 1  # it was somebody's turn a moment ago
    tools.connection.redis.delete(KEYS.turn("snapshots"))
    assert left(tools, tmp_path) == []


def test_a_worker_that_may_not_use_the_store_leaves_it_to_others(
    tools: Toolbox, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    tools.connection.redis.zadd(KEYS.objects, {"store:snapshots/x acme/widgets@1": 1})
    other = Toolbox(Settings.model_validate({"redis": {"url": redis_url}}))
    clear_artifacts(other)
    other.connection.close()
    assert tools.connection.redis.zcard(KEYS.objects) == 1
    assert "set ENTROPY_ARTIFACTS__URL" in str([record.__dict__.get("why") for record in caplog.records])
