"""The cluster of a story."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, running_cluster
from tests.e2e.trees import widgets
from tests.services import require


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Redis and a seeded forge; the story starts the rest."""
    require(shutil.which("bwrap"), "bubblewrap (bwrap)")
    tree = widgets(tmp_path)
    with running_cluster(tmp_path, tree) as cluster:
        yield cluster
