"""The cluster of a story."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.cli.demo.processes import spawned
from tests.e2e.cluster import Cluster, running_cluster
from tests.e2e.forking import forked, prepare
from tests.e2e.trees import widgets
from tests.services import require


@pytest.fixture
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Redis and a seeded forge; the story starts the rest: by forking, unless it is marked with `from_scratch`."""
    require(shutil.which("bwrap"), "bubblewrap (bwrap)")
    tree = widgets(tmp_path)
    prepare()
    spawn = spawned if request.node.get_closest_marker("from_scratch") else forked
    with running_cluster(tmp_path, tree, spawn=spawn) as cluster:
        yield cluster
