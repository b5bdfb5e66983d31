"""Fixtures of the sandbox tests: each runs on every backend, on a real one."""

import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend, Sandbox
from tests.integration.sandbox.places import MARK, PLACES, Place


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in PLACES],
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with closing(PLACES[request.param](tmp_path_factory.mktemp("sandbox"))) as place:
        yield place


@pytest.fixture(scope="module")
def backend(place: Place) -> Backend:
    return make_backend(place.settings)


@pytest.fixture
def run_id() -> str:
    return f"{MARK}-{uuid.uuid4().hex}"


@pytest.fixture
def sandbox(backend: Backend, run_id: str) -> Iterator[Sandbox]:
    with backend.open(run_id) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def peephole(backend: Backend) -> Iterator[Sandbox]:
    """A sandbox for tests that only look around."""
    with backend.open(f"{MARK}-{uuid.uuid4().hex}") as sandbox:
        yield sandbox
