"""One forge for the tests of a module; what they exchanged with it has to keep GitHub's contract."""

from collections.abc import Iterator

import pytest

from tests.contract.validator import unexcused
from tests.integration.github.world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("forge")) as world:
        yield world
    assert unexcused(world.judge.violations()) == []
