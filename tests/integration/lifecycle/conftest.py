"""The office of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lifecycle.office import Office, open_office


@pytest.fixture
def office(tmp_path: Path, redis_url: str) -> Iterator[Office]:
    with open_office(tmp_path, redis_url) as office:
        yield office
