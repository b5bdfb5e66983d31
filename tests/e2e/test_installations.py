"""Two installations, each with a Redis and workers of its own, on one repository at the same moment."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from entropy.cli.demo.processes import Children
from entropy.cli.demo.signals import Interruption
from tests.e2e.cluster import Cluster
from tests.e2e.forking import forked
from tests.redis_server import running_redis

CAP = 2


@pytest.fixture
def pair(cluster: Cluster) -> Iterator[tuple[Cluster, Cluster]]:
    """The cluster of the story and another beside it: the same forge and accounts, nothing else in common."""
    folder = cluster.folder / "second"
    (folder / "redis").mkdir(parents=True)
    (folder / "secrets").symlink_to(cluster.folder / "secrets")
    with ExitStack() as stack:
        redis_url = stack.enter_context(running_redis(folder / "redis"))
        children = stack.enter_context(Children(folder, Interruption(), spawn=forked))
        second = Cluster(folder, redis_url, cluster.forge, children)
        stack.callback(second.close)
        yield cluster, second


def start(cluster: Cluster, name: str) -> None:
    both = cluster.control() | cluster.sandbox() | {"ENTROPY_GITHUB__INSTALLATION": name}
    cluster.worker(name, None, both)
    cluster.start("beat", "beat", environment=cluster.shared())
    cluster.start("reaper", "reaper", environment=cluster.sandbox())


def executions(*clusters: Cluster, role: str) -> list[tuple[object, Path]]:
    """Stages of that role that cost money, with the installation that paid."""
    return [
        (line["item"], cluster.folder)
        for cluster in clusters
        for log in cluster.folder.glob("logs/*.log")
        for line in cluster.log(log.stem)
        if line["message"] == "stage started" and (line["stage"], line["role"]) == ("execute", role)
    ]


@pytest.mark.timeout(150)
def test_each_issue_is_worked_on_once_by_one_of_them(pair: tuple[Cluster, Cluster]) -> None:
    first, second = pair
    issues = [first.file_issue(f"Slowly {n}", "entropy:code", "recipe:slow").number for n in range(2)]
    start(first, "first")
    start(second, "second")
    first.until(
        lambda: all(first.repository.get_issue(number).state == "closed" for number in issues),
        what="the issues are closed",
        seconds=100,
    )
    assert len(first.merged()) == first.repository.get_pulls(state="all").totalCount == len(issues)
    assert sorted(str(item) for item, _ in executions(first, second, role="coder")) == sorted(
        f"acme/widgets#{number}" for number in issues
    )
    assert sorted(len(comments) for comments in map(first.comments, issues)) == [1, 1]


def test_together_they_spend_no_more_than_the_cap_on_an_item_that_does_not_move(pair: tuple[Cluster, Cluster]) -> None:
    first, second = pair
    issue = first.file_issue("Nothing", "entropy:code", "recipe:nothing").number
    start(first, "first")
    start(second, "second")
    first.until(lambda: "entropy:parked" in first.labels(issue), what="the issue is parked", seconds=60)
    assert len(executions(first, second, role="coder")) == CAP
    assert len(first.comments(issue)) == 1
