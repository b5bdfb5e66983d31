"""A thousand items that wait for the coder, with room for eight: a backlog that nobody has to look after."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from entropy.forge.store import Store
from tests.chaos.installation import Installation, Size
from tests.chaos.leaks import leaks
from tests.chaos.schedule import Pace, Schedule
from tests.chaos.supervisor import Supervisor
from tests.chaos.work import Task, seed, tasks
from tests.services import require

ITEMS = 1000
ROOM = 8
"""The default capacity."""
PATIENCE = 3000.0
PARKED = (
    "SELECT count(DISTINCT issue_labels.issue_id) FROM issue_labels JOIN labels ON labels.id = label_id"
    " WHERE labels.name = 'entropy:parked'"
)
SAID = "SELECT count(*) AS said FROM comments GROUP BY issue_id, user_id"

pytestmark = [pytest.mark.bubblewrap, pytest.mark.redis, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("items", [ITEMS])
def test_all_of_them_end_though_everything_dies_in_the_middle(items: int, tmp_path: Path) -> None:
    """No recipe fits them, so each ends with one comment that says so, and a person is asked."""
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    work = tuple(Task(task.repository, task.number, 0) for task in tasks(items, over=4, every=0, seconds=0))
    with Store(tmp_path / "forge") as store:
        seed(store, tmp_path / "secrets", work, trigger="entropy:code", recipes=False)
    with Supervisor(tmp_path) as supervisor:
        there = Installation(supervisor, sorted({task.repository for task in work}), Size())
        there.start_servers()
        there.start_all()
        schedule = Schedule(there, Pace(recurring=frozenset(), once=((0.5, "everything"),)), 1)
        most = 0

        def over() -> bool:
            nonlocal most
            most = max(most, there.live() or 0)
            done = _one(tmp_path, PARKED)
            schedule.strike_when_due(done / items)
            return done == items

        assert supervisor.until(over, seconds=PATIENCE, each=0.2), f"{_one(tmp_path, PARKED)} of {items} ended"
        assert supervisor.until(lambda: there.live() == 0, seconds=60)
        assert [strike.kind for strike in schedule.strikes] == ["everything"]
        assert 0 < most <= ROOM
        assert not any(leaks(there, ()).values())
        with closing(sqlite3.connect(tmp_path / "forge" / "forge.db")) as db:
            assert db.execute(SAID).fetchall() == [(1,)] * items


def _one(folder: Path, question: str) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'forge' / 'forge.db'}?mode=ro", uri=True, timeout=30)) as db:
        return int(db.execute(question).fetchone()[0])
