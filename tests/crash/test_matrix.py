"""Each point of each stage of each role: a worker dies there by SIGKILL, and its item ends exactly as it should."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.chaos.judge import Finding, Judge
from tests.chaos.work import Task, tasks
from tests.crash.conftest import DyingCluster, dying_cluster
from tests.crash.points import ITEMS, POINTS, Point

pytestmark = pytest.mark.timeout(400)
PATIENCE = 300
"""Seconds for the whole matrix."""


class Matrix(NamedTuple):
    """What was left when everything had ended."""

    died: dict[str, str]
    """Point → the run whose worker died there."""
    seen: frozenset[str]
    findings: tuple[Finding, ...]
    keys: frozenset[str]
    """What Redis still holds, apart from records of runs that are over and what is Celery's."""
    sandboxes: tuple[str, ...]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    folder = tmp_path_factory.mktemp("matrix")
    work = tasks(ITEMS, over=1, every=0, seconds=0)
    with dying_cluster(folder, work) as cluster:
        judge = Judge(folder / "forge")
        cluster.until(lambda: judge.closed() == len(work), what="all issues are closed", seconds=PATIENCE)
        cluster.until(lambda: not cluster.left(), what="all runs are over", seconds=60)
        yield _left(cluster, judge, work)


def _left(cluster: DyingCluster, judge: Judge, work: tuple[Task, ...]) -> Matrix:
    crash = cluster.folder / "crash"
    return Matrix(
        died={path.name: path.read_text() for path in (crash / "died").iterdir()},
        seen=frozenset(path.name for path in (crash / "seen").iterdir()),
        findings=tuple(judge.findings(work)),
        keys=frozenset(cluster.left()),
        sandboxes=tuple(path.name for path in (cluster.folder / "sandboxes").iterdir()),
    )


@pytest.mark.parametrize("point", [point for points in POINTS.values() for point in points], ids=str)
def test_a_worker_died_here_and_its_item_ended_exactly(point: Point, matrix: Matrix) -> None:
    assert str(point) in matrix.seen, "no run passes this point any more; take it from the table"
    assert str(point) in matrix.died


def test_a_point_that_is_new_was_covered_as_well(matrix: Matrix) -> None:
    assert matrix.seen == set(matrix.died)


def test_the_forge_holds_one_of_everything(matrix: Matrix) -> None:
    assert [finding for finding in matrix.findings if finding.missing or finding.doubled] == []


def test_nothing_is_left_behind(matrix: Matrix) -> None:
    assert (matrix.keys, matrix.sandboxes) == (frozenset(), ())
